"""What an edit leaves as it was: changes of somebody else, modes, links, and what is no file of its own."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from mlox.errors import WorkspaceError
from mlox.journal import Edit, write_atomic
from tests.journal_stage import (
    contents,
    disk_that_does_not_wait,  # noqa: F401 - used by every test
    journal_in,
)


@pytest.mark.parametrize(
    ("there", "replaces"), [(b"by hand", b"old"), (b"by hand", None), (None, b"old"), (b"old\r\n", b"old\n")]
)
@pytest.mark.parametrize("others", [0, 2])
def test_a_file_that_was_changed_meanwhile_is_left_alone(
    tmp_path: Path, there: bytes | None, replaces: bytes | None, others: int
) -> None:
    path = tmp_path / "mlox.yaml"
    if there is not None:
        path.write_bytes(there)
    edits = [Edit(tmp_path / f"{number}", b"x", replaces=None) for number in range(others)]
    with pytest.raises(WorkspaceError, match="was changed by somebody else meanwhile") as caught:
        journal_in(tmp_path).write([*edits, Edit(path, b"new", replaces=replaces)])
    assert caught.value.hint == "Run the same command again."
    assert (path.read_bytes() if path.exists() else None) == there
    assert contents(tmp_path).keys() <= {"mlox.yaml"}


def test_an_edit_that_changes_nothing_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mlox.yaml"
    path.write_bytes(b"same")
    before = path.stat()
    journal_in(tmp_path).write([Edit(path, b"same", replaces=b"same"), Edit(tmp_path / "none", None, replaces=None)])
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o755])
def test_the_mode_of_a_file_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "mlox.yaml"
    path.write_bytes(b"old")
    path.chmod(mode)
    journal_in(tmp_path).write([Edit(path, b"new", replaces=b"old")])
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    journal_in(tmp_path).write([Edit(tmp_path / "new", b"new", replaces=None)])
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_mode_that_is_asked_for_is_there_before_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    replace = os.replace

    def looking(source: Any, target: Any) -> None:
        modes.append(stat.S_IMODE(Path(source).stat().st_mode))
        replace(source, target)

    monkeypatch.setattr(os, "replace", looking)
    write_atomic(tmp_path / "key", b"secret", mode=0o600)
    assert modes == [0o600]


@pytest.mark.parametrize("others", [0, 1])
def test_a_symbolic_link_stays_one(tmp_path: Path, others: int) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "real.yaml"
    target.write_bytes(b"old")
    link = tmp_path / "mlox.yaml"
    link.symlink_to(target)
    edits = [Edit(tmp_path / str(number), b"x", replaces=None) for number in range(others)]
    journal_in(tmp_path).write([Edit(link, b"new", replaces=b"old"), *edits])
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_what_is_no_entry_in_the_journal_is_left_alone(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.folder.mkdir(parents=True)
    (journal.folder / ".DS_Store").write_bytes(b"x")
    assert journal.recover() == 0
    assert (journal.folder / ".DS_Store").exists()


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "mlox.yaml").mkdir()
    with pytest.raises(WorkspaceError, match="Is a directory"):
        journal_in(tmp_path).write([Edit(tmp_path / "mlox.yaml", b"new", replaces=None)])


def test_the_content_is_on_the_disk_before_it_takes_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    replace = os.replace

    def replacing(source: Any, target: Any) -> None:
        done.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda _: done.append("fsync"))
    monkeypatch.setattr(os, "replace", replacing)
    write_atomic(tmp_path / "file", b"x")
    assert done == ["fsync", "replace", "fsync"]


def test_several_contents_are_all_on_the_disk_before_the_mark_and_take_their_names_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    replace = os.replace

    def replacing(source: Any, target: Any) -> None:
        done.append("mark" if Path(target).name == "commit.json" else Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda _: done.append("fsync"))
    monkeypatch.setattr(os, "replace", replacing)
    journal_in(tmp_path).write([Edit(tmp_path / name, b"new", replaces=None) for name in ("a", "b")])
    assert done == ["fsync", "fsync", "fsync", "mark", "fsync", "a", "b", "fsync"]


def test_without_links_in_the_file_system_files_are_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o750)
    journal_in(tmp_path).write([Edit(tmp_path / "a", b"new", replaces=b"old"), Edit(tmp_path / "b", b"x", None)])
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"new", b"x")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o750
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mlox", "a", "b"]
