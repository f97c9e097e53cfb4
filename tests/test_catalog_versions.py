"""What of a service is otherwise in some versions: the first range that fits counts, and what is wrong is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mlox
from mlox.catalog import BUILT_IN, Catalog
from mlox.catalog.versions import merge_patch, patched
from mlox.documents import parse
from mlox.errors import MloxError, SpecError
from mlox.specs import CatalogService
from mlox.testing import FakeBackend
from tests.moving_stage import both_servers

PAGE = """\
name: page
version: "3"
supports: ">=1"
summary: a page
ports: {http: {port: 18200}}
versions:
  "<2":
    ports: {http: {port: 18100}}
    units: {server: {image: null}}
  "<3": {summary: an older page}
units:
  server:
    image: page:${version}
    command: [page]
    native: {python: {packages: [page]}}
"""


def catalog(folder: Path, text: str) -> Catalog:
    (folder / "page.yaml").write_text(text)
    return Catalog([folder])


def test_the_first_range_that_fits_counts(tmp_path: Path) -> None:
    pages = catalog(tmp_path, PAGE)
    assert pages.get("page", "1.5").service.ports["http"].port == 18100
    assert pages.get("page", "1.5").service.summary == "a page"
    assert pages.get("page", "1.5").service.backends == ("native",)
    assert pages.get("page", "2.9").service.summary == "an older page"
    assert pages.get("page", "2.9").service.backends == ("native", "docker")
    for plain in (pages.get("page"), pages.get("page", "3"), pages.get("page", "nonsense")):
        assert plain.service.ports["http"].port == 18200
        assert plain.service.summary == "a page"
    assert pages.get("page", "1.5").source == pages.get("page").source


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        ('"2-": {summary: x}', "page.yaml: versions.'2-' is not a range of versions"),
        ('"<2": {name: other}', "page.yaml: versions.'<2' has another name"),
        ('"<2": {sumary: x}', "page.yaml: versions.'<2': unknown key 'sumary'"),
        ('"<2": {units: {server: {command: ["${port.web}"]}}}', "page.yaml: versions.'<2': units.server.command"),
        ('"<2": {units: {server: null}}', "page.yaml: versions.'<2': a service needs at least one unit"),
        ('"<2": oops', "page.yaml:7: versions.<2"),
    ],
)
def test_what_is_wrong_is_told_when_the_file_is_read(tmp_path: Path, patch: str, told: str) -> None:
    start, end = PAGE.index('  "<2"'), PAGE.index("units:\n  server:\n    image: page")
    with pytest.raises(SpecError) as caught:
        catalog(tmp_path, f"{PAGE[:start]}  {patch}\n{PAGE[end:]}").get("page")
    assert told in caught.value.problem
    assert caught.value.hint


def test_all_ranges_of_the_built_in_ones_are_well() -> None:
    found = []
    for path in sorted(BUILT_IN.glob("*.yaml")):
        text = path.read_text()
        for words in parse(text, CatalogService, source=path.name).versions:
            found.append((path.stem, words))
            assert patched(text, words, source=path.name).versions == {}
    assert ("mlflow", "<3.10") in found


def test_two_majors_of_mlflow_are_side_by_side(machine: FakeBackend, isolated: Path) -> None:
    stack = mlox.Stack("demo", path=isolated)
    stack.add("mlflow")
    stack.add("mlflow", version="2.22.5", name="old")
    stack.up()
    software = {o.service: o.unit.software.packages for o in machine.observe(stack.id)}
    assert software["old"] == ("mlflow[auth]==2.22.5", "sqlalchemy<2.1")
    assert software["mlflow"] == ("mlflow[auth]==3.17.2",)
    assert stack.plan().actions == ()


def test_what_has_no_image_in_that_version_is_refused_on_an_engine(
    monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> None:
    both_servers(monkeypatch)
    stack = mlox.Stack("demo", path=isolated)
    stack.add("mlflow", server="docker")
    stack.add("mlflow", version="2.22.5", name="old", server="docker")
    with pytest.raises(MloxError) as caught:
        stack.plan()
    assert "old" in caught.value.problem
    assert "docker" in caught.value.problem


@pytest.mark.parametrize(
    ("value", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_patches_do_what_the_appendix_of_the_rfc_says(value: Any, patch: Any, expected: Any) -> None:
    """RFC 7386, appendix A."""
    assert merge_patch(value, patch) == expected
