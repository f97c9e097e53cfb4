"""Files change all together or not at all: also when the process is killed, or the disk fails, at any step."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlox.errors import WorkspaceError
from mlox.journal import Edit, Journal, write_atomic

STEPS = ("open", "mkdir", "fchmod", "fsync", "replace", "rename", "unlink", "rmdir")
"""The functions of ``os`` through which the journal changes the disk, or makes sure that it has changed."""

KILLER = """
import os, shutil, sys
from pathlib import Path
from mlox.journal import Edit, Journal
template, roots, after, verb = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "after", sys.argv[4]
edits, steps = eval(sys.argv[5]), sys.argv[6].split(",")

def act(root, left):
    def dying(function):
        def call(*arguments, **options):
            nonlocal left
            left -= 1
            if left == -1 and not after:
                os._exit(9)
            try:
                return function(*arguments, **options)
            finally:
                if left == -1:
                    os._exit(9)
        return call
    os.fsync = lambda descriptor: None  # a kill, unlike a power cut, loses nothing that was written
    for step in steps:
        setattr(os, step, dying(getattr(os, step)))
    journal = Journal(root / ".mlox" / "local" / "journal")
    if verb == "write":
        journal.write([Edit(root / name, new, replaces=old) for name, (old, new) in edits.items()])
    else:
        journal.recover()
    os._exit(0)

for number in range(200):
    root = roots / f"{number:03d}"
    shutil.copytree(template, root)
    if (child := os.fork()) == 0:
        act(root, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 9:
        sys.exit(code)
"""
"""A child for each n dies at the n-th call that changes the disk, before or after its effect; the last one ends."""

Files = dict[str, tuple[bytes | None, bytes | None]]


def killed(template: Path, roots: Path, files: Files, *, when: str = "before", verb: str = "write") -> list[Path]:
    """Copies of ``template`` in which ``verb`` was killed at the first, second, ... step, and one where it ended."""
    roots.mkdir()
    command = [sys.executable, "-c", KILLER, str(template), str(roots), when, verb, repr(files), ",".join(STEPS)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return sorted(roots.iterdir())


def committed(tmp_path: Path, case: str) -> Path:
    """A workspace that was killed when an edit was decided, but no file of it touched yet."""
    template = tmp_path / "template"
    template.mkdir()
    laid_out(template, EDITS[case])
    old, new = both_states(EDITS[case])
    for root in killed(template, tmp_path / "first", EDITS[case]):
        shutil.copytree(root, tmp_path / "copy")
        journal_in(tmp_path / "copy").recover()
        if contents(root) == old and contents(tmp_path / "copy") == new:
            return root
        shutil.rmtree(tmp_path / "copy")
    raise AssertionError(case)


class Disk:
    """Counts the calls that change the disk, and lets one of them fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, number: int) -> None:
        self.calls = 0
        self.at = at
        self.error = OSError(number, os.strerror(number), "somewhere")
        for name in STEPS:
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))

    def _failing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if number == self.at:
                raise self.error
            return function(*arguments, **options)

        return call


@pytest.fixture(autouse=True)
def _disk_that_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


def contents(root: Path) -> dict[str, bytes]:
    """The files of a workspace without the journal's own."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".mlox" not in path.parts and not path.name.endswith(".tmp")
    }


def journal_in(root: Path) -> Journal:
    return Journal(root / ".mlox" / "local" / "journal")


EDITS: dict[str, Files] = {
    "one new file": {"mlox.yaml": (None, b"new")},
    "one changed file": {"mlox.yaml": (b"old", b"new")},
    "one removed file": {"mlox.yaml": (b"old", None)},
    "three files": {"mlox.yaml": (b"old", b"new"), "deep/er/b.yaml": (None, b"b"), "c.yaml": (b"c", None)},
    "three changed files": {"a.yaml": (b"1", b"2"), "b.yaml": (b"3", b"4"), "c.yaml": (b"5", b"6")},
}


def laid_out(root: Path, files: Files) -> list[Edit]:
    for name, (before, _) in files.items():
        if before is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(before)
    (root / "other.txt").write_bytes(b"of somebody else")
    return [Edit(root / name, after, replaces=before) for name, (before, after) in files.items()]


def both_states(files: Files) -> tuple[dict[str, bytes], dict[str, bytes]]:
    other = {"other.txt": b"of somebody else"}
    old = {name: before for name, (before, _) in files.items() if before is not None}
    new = {name: after for name, (_, after) in files.items() if after is not None}
    return old | other, new | other


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
