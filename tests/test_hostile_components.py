"""Components that mean harm, by what their manifest says or what their code is: refused, and nothing is written."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.component_stage import WORDS, Shop, template_files
from tests.hostile_stage import KINDS, evil, listed, refused, spread
from tests.shell_stage import Say

CODE = "src/project/greeting"
MANIFEST = "component.yaml"


def with_manifest(old: str, new: str) -> dict[str, bytes]:
    files = template_files()
    manifest = files[MANIFEST].decode()
    assert old in manifest
    return {**files, MANIFEST: manifest.replace(old, new).encode()}


MANIFESTS = {
    "a file above": ("files: [__init__.py, words.py]", "files: [__init__.py, ../../words.py]"),
    "an absolute file": ("files: [__init__.py, words.py]", "files: [__init__.py, /etc/passwd]"),
    "a test above": ("tests: [test_greeting.py]", "tests: [../../../test_greeting.py]"),
    "a device": ("files: [__init__.py, words.py]", "files: [__init__.py, words.py, nul.txt]"),
    "a clash": ("files: [__init__.py, words.py]", "files: [__init__.py, words.py, WORDS.py]"),
    "a file and a folder": ("files: [__init__.py, words.py]", "files: [__init__.py, words.py, words.py/x.py]"),
    "another name": ("name: greeting", "name: feature-store"),
    "a name that is a path": ("name: greeting", "name: ../greeting"),
    "a version of letters": ('version: "1.0"', 'version: "latest"'),
    "a package above": ("package: greeting", "package: ../x"),
    "a package that is a word of Python": ("package: greeting", "package: import"),
    "an address to install from": (
        'dependencies: ["tabulate>=0.9"]',
        'dependencies: ["x @ https://example.org/x.whl"]',
    ),
    "a file to install from": ('dependencies: ["tabulate>=0.9"]', 'dependencies: ["x @ file:///tmp/x"]'),
    "an option of pip": ('dependencies: ["tabulate>=0.9"]', 'dependencies: ["--index-url=https://example.org"]'),
    "a requirement with a line end": ('dependencies: ["tabulate>=0.9"]', 'dependencies: ["x\\n--pre"]'),
    "a constant above": ("words.py:KEEP", "../words.py:KEEP"),
    "a constant that is code": ("words.py:KEEP", "words.py:KEEP;import os"),
    "an unknown key": ("imports: greet", "imports: greet\nrun: rm -rf ~"),
    "a tag that makes objects": ("imports: greet", "imports: !!python/object/apply:os.system [touch evil]"),
    "a bomb of aliases": (
        "summary: a greeting",
        "\n".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdef")).replace("*a", "x"),
    ),
    "10,000 keys": ("summary: a greeting", "\n".join(f"k{n}: 1" for n in range(10_000))),
    "8,000 short keys": ("summary: a greeting", "\n".join(f"{n}: 1" for n in range(8_000))),
    "a depth of 1,000": ("summary: a greeting", f"summary: {'[' * 1000}{']' * 1000}"),
    "a summary of a megabyte": ("summary: a greeting", f"summary: {'x' * 1_000_000}"),
}


@pytest.mark.parametrize(("kind", "change"), spread(MANIFESTS))
def test_a_manifest_that_means_harm(shop: Shop, say: Say, kind: str, change: tuple[str, str]) -> None:
    files = with_manifest(*change)
    index = listed({path: text for path, text in files.items() if len(text) < 5_000_000}) if kind == "https" else None
    with evil(shop, kind, files, index=index):
        refused(shop, say)
    assert not (shop.root / "evil").exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [b"", b"\xff", b"- a", b"name: greeting", b"\0"])
def test_a_manifest_that_is_none(shop: Shop, say: Say, kind: str, text: bytes) -> None:
    with evil(shop, kind, {**template_files(), MANIFEST: text}):
        refused(shop, say)


CODES = {
    "no Python": b"def (",
    "a zero": b"x = 1\0",
    "not UTF-8": b"x = '\xff'",
    "brackets": b"x = " + b"(" * 5000,
    "signs": b"x = " + b"-" * 50_000 + b"1",
    "dots": b"x = a" + b".b" * 50_000,
    "sums": b"x = " + b"+".join([b"1"] * 30_000),
    "digits": b"x = " + b"1" * 5000,
}


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_code_that_no_parser_survives(shop: Shop, say: Say, code: bytes) -> None:
    with evil(shop, "folder", {**template_files(), f"{CODE}/words.py": code}):
        assert "is no Python" in refused(shop, say).err


def test_code_that_is_deep_and_still_python_is_added(shop: Shop, say: Say) -> None:
    deep = WORDS + b"x = " + b"+".join([b"1"] * 500) + b"\n"
    with evil(shop, "folder", {**template_files(), f"{CODE}/words.py": deep}):
        assert say("-C", str(shop.root), "add", "@evil/greeting").code == 0
