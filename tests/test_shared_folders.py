"""An offer without an address: its folder is given to processes of the same server, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlox
from mlox import plugins
from mlox.catalog import Catalog
from mlox.errors import SpecError
from mlox.testing import FakeBackend

SHELF = """\
name: shelf
version: "3"
summary: keeps files
data: {files: {path: /files}}
provides: {shelf: {values: {path: "${dir.files}"}}}
units:
  server:
    native:
      binary: {name: sh, version_argv: [sh, --version], version_pattern: '(.*)'}
      command: [sh, "${dir.files}"]
"""
READER = """\
name: reader
version: "1"
summary: reads files
needs: {files: {capability: shelf}}
units:
  server:
    image: reader:1
    command: [read, "${need.files.path}"]
    native:
      binary: {name: sh, version_argv: [sh, --version], version_pattern: '(.*)'}
    probe: {exec: ["true"]}
"""


class OneEngine:
    """What the plugins' table makes for an engine: one that runs nothing."""

    def __new__(cls, home: Path, server: str = "docker") -> FakeBackend:  # type: ignore[misc]
        del home, server
        return FakeBackend()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, machine: FakeBackend, isolated: Path) -> mlox.Stack:
    """A workspace with a service that offers its folder."""
    machine.programs["sh"] = "3.0"
    monkeypatch.setitem(plugins.TABLE, ("backends", "docker"), plugins.Row(f"{__name__}:OneEngine"))
    (isolated / "services").mkdir()
    (isolated / "services/shelf.yaml").write_text(SHELF)
    (isolated / "services/reader.yaml").write_text(READER)
    made = mlox.Stack("churn")
    made.add("shelf")
    return made


def test_a_process_of_the_same_server_gets_the_folder(stack: mlox.Stack) -> None:
    stack.add("reader")
    (unit,) = (unit for unit in (action.about for action in stack.plan().actions) if unit.service == "reader")
    assert unit.command[1].endswith("/services/shelf/files")
    assert dict(unit.intent)["needs.files"] == "shelf"
    assert unit.after == ("shelf",)


def test_a_container_is_refused_when_it_is_planned(stack: mlox.Stack) -> None:
    stack.add("reader", server="docker")
    with pytest.raises(SpecError, match="reader cannot see the folders of shelf") as caught:
        stack.plan()
    assert caught.value.hint == "Put both on one server that is native: mlox move reader --to local."


@pytest.mark.parametrize(
    ("offer", "told"),
    [
        ('{values: {path: "${dir.nothing}"}}', "unknown dir 'nothing'"),
        ('{values: {path: "${port.http}"}}', "cannot be used here"),
    ],
)
def test_what_an_offer_cannot_say(offer: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "shelf.yaml").write_text(SHELF.replace('{values: {path: "${dir.files}"}}', offer))
    with pytest.raises(SpecError, match=told):
        Catalog([tmp_path]).get("shelf")
