"""What is found in a content, and what is left of a notebook when its outputs are scrubbed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.matching import Matcher
from mlox.scanning import Needles, findings_in, is_notebook, scrubbed
from mlox.scanning.remembering import Clean
from mlox.scanning.shapes import Shapes
from mlox.secret import MASK, Secret
from tests.git_stage import notebook, planted, written

VALUE = "hunter22-and/more"
NEEDLES = Needles([("TOKEN", Secret(VALUE)), ("OTHER", Secret("something-else"))], shapes=None)
FIXED = {place for place in planted(VALUE) if place not in ("cell 1", "cell 1, attachment")}


@pytest.mark.parametrize("place", planted(VALUE))
def test_a_value_is_found_wherever_a_notebook_holds_it(place: str) -> None:
    found = findings_in(written(planted(VALUE)[place]).encode(), "a.ipynb", NEEDLES)
    assert [(f.kind, f.name) for f in found] == [("secret", "TOKEN")]
    assert found[0].where == (place if place.startswith(("cell", "metadata")) else "cell 1, output")


@pytest.mark.parametrize("place", planted(VALUE))
def test_scrubbing_takes_it_out_of_all_but_sources_and_attachments(place: str) -> None:
    before = written(planted(VALUE)[place]).encode()
    after = scrubbed(before, NEEDLES.matcher)
    assert bool(findings_in(after, "a.ipynb", NEEDLES)) == (place not in FIXED)
    assert (after == before) == (place not in FIXED)
    assert scrubbed(after, NEEDLES.matcher) == after
    json.loads(after)


def test_scrubbing_leaves_the_rest_as_it_is() -> None:
    content = notebook(source=["print(1)\n"], metadata={"kernelspec": {"name": "python3"}}, outputs=[])
    content["cells"][0]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["é\n", f"{VALUE} b\n"]},
        {"output_type": "stream", "name": "stderr", "text": ["kept\n"]},
    ]
    after = scrubbed(written(content).encode(), NEEDLES.matcher)
    assert after.decode() == written(content).replace(VALUE, MASK)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_what_is_no_notebook_comes_back_as_it_is(content: bytes) -> None:
    assert not is_notebook(content)
    assert scrubbed(content, NEEDLES.matcher) == content
    assert findings_in(content, "a", NEEDLES) == ()


ODD = ['{"cells": 1, "nbformat": 4}', '{"cells": [1], "nbformat": 4}', "[" * 100_000, '{"cells": [{}], "nbformat": 4}']


@pytest.mark.parametrize("text", [*ODD, '{"cells": [{"source": 1, "outputs": [2, null]}], "nbformat": 4}'])
def test_an_odd_notebook_is_no_defect(text: str) -> None:
    found = findings_in(f"{text}{VALUE}".encode(), "a.ipynb", NEEDLES)
    assert [f.name for f in found] == ["TOKEN"]
    assert findings_in(text.encode(), "a.ipynb", NEEDLES) == ()
    assert scrubbed(text.encode(), NEEDLES.matcher) == text.encode()


def test_a_text_is_told_by_line_and_bytes_by_place() -> None:
    (one,) = findings_in(f"a\nb = '{VALUE}'  # {VALUE}\n".encode(), "a.py", NEEDLES)
    assert (one.file, one.where, one.name) == ("a.py", "line 2", "TOKEN")
    (two,) = findings_in(b"\x00\xff\xfe" + VALUE.encode() + b"\x80", "a.db", NEEDLES)
    assert two.where == "byte 3"
    (three,) = findings_in(f"\ufeffé{VALUE}".encode(), "a.txt", NEEDLES)
    assert three.where == "line 1"


def test_all_who_share_a_value_are_named() -> None:
    needles = Needles([("A", Secret(VALUE)), ("B", Secret(VALUE)), ("C", Secret(f"{VALUE}-longer"))], shapes=None)
    assert [f.name for f in findings_in(VALUE.encode(), "a", needles)] == ["A", "B"]


def test_no_finding_holds_a_value() -> None:
    found = findings_in(f"x = '{VALUE}'".encode(), "a.py", NEEDLES)
    assert "hunter22" not in repr(found)


SHAPES = {
    "AWS Access Key": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub Token": "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345",
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Slack Token": "xoxb-" + "123456789012-abcdefghijklmnop",
    "Stripe Access Key": "sk_live_" + "0123456789abcdefghijABCD",
    "Basic Auth Credentials": "https://ann:" + "hunter22@example.org",
}


@pytest.mark.parametrize("name", SHAPES)
def test_known_shapes_of_keys_are_found(name: str) -> None:
    needles = Needles([], Shapes())
    content = f"import os\nkey = '{SHAPES[name]}'\n"
    assert [(f.where, f.kind, f.name) for f in findings_in(content.encode(), "a.py", needles)] == [
        ("line 2", "shape", name)
    ]
    assert findings_in(content.replace("'\n", "'  # pragma: allowlist secret\n").encode(), "a.py", needles) == ()


def test_words_and_digests_are_no_shapes() -> None:
    text = "password = 'hunter22'\nsha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n8.8.8.8\n"
    assert list(Shapes().look(text)) == []


# What is remembered of a history


def test_what_was_clean_is_remembered_for_the_same_needles_alone(tmp_path: Path) -> None:
    folder = tmp_path / "churn-1234"
    Clean(folder, NEEDLES).add(["a" * 40])
    assert Clean(folder, NEEDLES).ids == {"a" * 40}
    assert Clean(folder, Needles([("TOKEN", Secret(f"{VALUE}2"))], None)).ids == frozenset()
    assert Clean(folder, Needles([("TOKEN", Secret(VALUE)), ("OTHER", Secret("something-else"))], Shapes())).ids == (
        frozenset()
    )
    (tmp_path / "scan-key").unlink()
    assert Clean(folder, NEEDLES).ids == frozenset()


def test_what_is_remembered_holds_no_value_and_is_for_its_owner(tmp_path: Path) -> None:
    Clean(tmp_path / "churn-1234", NEEDLES).add(["a" * 40])
    for path in (tmp_path / "scan-key", tmp_path / "churn-1234" / "scanned"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert Matcher.of([VALUE]).in_latin_1.places(path.read_bytes().decode("latin-1")) == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"x\n\n", b"\0" * 40])
def test_a_broken_memory_is_none(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "churn-1234"
    folder.mkdir()
    (folder / "scanned").write_bytes(content)
    (tmp_path / "scan-key").write_bytes(content)
    assert Clean(folder, NEEDLES).ids == frozenset()
    Clean(folder, NEEDLES).add(["b"])
    assert Clean(folder, NEEDLES).ids == {"b"}
