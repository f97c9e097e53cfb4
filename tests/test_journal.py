"""Files change all together or not at all: also when the process is killed, or the disk fails, at any step."""

from __future__ import annotations

import errno
import itertools
import os
from pathlib import Path
from typing import Any

import pytest

from mlox.errors import WorkspaceError
from tests.journal_stage import (
    EDITS,
    Disk,
    both_states,
    committed,
    contents,
    disk_that_does_not_wait,  # noqa: F401 - used by every test
    journal_in,
    killed,
    laid_out,
)


@pytest.mark.parametrize("case", EDITS)
def test_an_edit_is_carried_out(tmp_path: Path, case: str) -> None:
    journal = journal_in(tmp_path)
    journal.write(laid_out(tmp_path, EDITS[case]))
    assert contents(tmp_path) == both_states(EDITS[case])[1]
    assert journal.recover() == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("case", EDITS)
def test_a_kill_at_any_step_leaves_all_or_nothing(tmp_path: Path, case: str, when: str) -> None:
    template = tmp_path / "template"
    template.mkdir()
    laid_out(template, EDITS[case])
    old, new = both_states(EDITS[case])
    reached = []
    for root in killed(template, tmp_path / "roots", EDITS[case], when=when):
        journal_in(root).recover()
        now = contents(root)
        assert now in (old, new), root.name
        assert not list((root / ".mlox" / "local" / "journal").glob("*"))
        reached.append(now == new)
    assert reached == sorted(reached), "what was reached once is not lost by a later kill"
    assert (reached[0], reached[-1]) == (when == "after" and case == "one removed file", True)
    assert len(reached) > (1 if case == "one removed file" else 5)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("case", ["three files", "three changed files"])
def test_a_kill_in_a_recovery_is_recovered_from(tmp_path: Path, case: str, when: str) -> None:
    roots = killed(committed(tmp_path, case), tmp_path / "second", {}, when=when, verb="recover")
    assert len(roots) > 5
    for root in roots:
        journal_in(root).recover()
        assert contents(root) == both_states(EDITS[case])[1], root.name


def test_a_workspace_that_was_moved_after_a_kill_is_recovered_where_it_is_now(tmp_path: Path) -> None:
    root = committed(tmp_path, "three files")
    moved = root.rename(tmp_path / "moved")
    assert journal_in(moved).recover() == 1
    assert contents(moved) == both_states(EDITS["three files"])[1]
    assert not root.exists()


def test_what_a_person_changed_after_a_kill_is_theirs(tmp_path: Path) -> None:
    root = committed(tmp_path, "three changed files")
    (root / "b.yaml").write_bytes(b"by hand")
    journal_in(root).recover()
    assert (root / "b.yaml").read_bytes() == b"by hand"
    assert (root / "a.yaml").read_bytes() == b"2"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("case", EDITS)
def test_a_failing_disk_changes_nothing_and_says_so(
    tmp_path: Path, case: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = both_states(EDITS[case])
    ends = set()
    for step in itertools.count():
        root = tmp_path / str(step)
        root.mkdir()
        edits = laid_out(root, EDITS[case])
        with monkeypatch.context() as patch:
            disk = Disk(patch, step, number)
            try:
                journal_in(root).write(edits)
            except WorkspaceError as error:
                assert os.strerror(number) in error.problem
                assert "nothing was changed" in (error.hint or "")
                ends.add("refused")
            else:
                ends.add("written")
                assert contents(root) == new
        assert contents(root) in (old, new), f"step {step}"
        journal_in(root).recover()
        assert contents(root) in (old, new), f"step {step}"
        assert not list(root.rglob("*.tmp"))
        if disk.calls <= step:
            break
    assert ends == {"refused", "written"}


def test_the_second_of_three_files_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edits = laid_out(tmp_path, EDITS["three changed files"])
    replace = os.replace

    def refusing(source: Any, target: Any) -> None:
        if Path(target).name == "b.yaml":
            raise OSError(errno.EROFS, "Read-only file system", str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refusing)
    with pytest.raises(WorkspaceError, match="b.yaml: Read-only file system") as caught:
        journal_in(tmp_path).write(edits)
    assert caught.value.hint == "Make the folder writable, or free some space; nothing was changed."
    assert contents(tmp_path) == both_states(EDITS["three changed files"])[0]
    assert journal_in(tmp_path).recover() == 0
