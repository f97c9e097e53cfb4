"""Where a program is looked for: the PATH, then the folders that its catalog entry names, its own version first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlox.backends.native import account
from mlox.backends.native.launching import search_path


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """Folders as Debian has them, of three versions; the oldest has no programs."""
    for version in ("9.6", "15", "17"):
        (tmp_path / "postgresql" / version / "bin").mkdir(parents=True)
    (tmp_path / "postgresql" / "notes").mkdir()
    (tmp_path / "postgresql" / "notes" / "bin").write_text("a file")
    return tmp_path / "postgresql"


def found(versions: Path, version: str = "") -> list[str]:
    path = search_path(account.existing(), None, (f"{versions}/*/bin", "/nonexistent/*"), version)
    return [Path(each).parent.name for each in path.split(os.pathsep) if Path(each).is_relative_to(versions)]


def test_the_newest_comes_first(versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(versions)
    assert found(Path("/") / versions.relative_to("/")) == ["17", "15", "9.6"]


@pytest.mark.parametrize(("version", "first"), [("15.18", "15"), ("9.6.24", "9.6"), ("17", "17"), ("16.1", "17")])
def test_the_version_that_is_pinned_comes_before_the_newest(versions: Path, version: str, first: str) -> None:
    assert found(versions, version)[0] == first
    assert len(found(versions, version)) == 3


def test_they_come_after_the_path(versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/share")
    path = search_path(account.existing(), None, (f"{versions}/*/bin",), "15").split(os.pathsep)
    assert path.index("/usr/share") < path.index(str(versions / "15" / "bin"))
