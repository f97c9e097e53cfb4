"""One process at a time works on a stack; whoever waits is told for whom, and no lock outlives its holder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlox.errors import LockedError, WorkspaceError
from mlox.locks import hold
from mlox.protocols import Event, silent

HOLDER = """
import sys
from pathlib import Path
from mlox.locks import hold
from mlox.protocols import silent
sys.argv[0] = "/somewhere/colleague"
with hold(Path(sys.argv[1]), emit=silent):
    print("held", flush=True)
    for command in sys.stdin:
        if command.strip() == "remove":
            Path(sys.argv[1]).unlink()
            print("removed", flush=True)
        elif command.strip() == "end":
            break
"""


@contextmanager
def other_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it reads ``end``."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert heard(holder) == "held"
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def say(process: subprocess.Popen[str], command: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{command}\n")
    process.stdin.flush()


def test_a_free_lock_is_taken_at_once_and_can_be_taken_again(tmp_path: Path) -> None:
    told: list[Event] = []
    for _ in range(3):
        with hold(tmp_path / "deep" / "lock", emit=told.append, wait_s=0):
            pass
    assert told == []


def test_whoever_waits_is_told_for_whom_once(tmp_path: Path) -> None:
    told: list[Event] = []
    with other_process(tmp_path / "lock") as holder:
        threading.Timer(0.4, say, (holder, "end")).start()
        with hold(tmp_path / "lock", emit=told.append, wait_s=20):
            assert holder.wait(5) == 0
    assert [(event.kind, event.message) for event in told] == [
        ("wait", f"waiting for process {holder.pid} (colleague), which works on this stack")
    ]


def test_after_the_time_the_error_names_the_holder(tmp_path: Path) -> None:
    with other_process(tmp_path / "lock") as holder:
        began = time.monotonic()
        with pytest.raises(LockedError, match=rf"held by process {holder.pid} \(colleague\)") as caught:
            with hold(tmp_path / "lock", emit=silent, wait_s=0.3):
                pytest.fail("two hold the lock")
        assert 0.3 <= time.monotonic() - began < 5
        assert "its lock ends with it" in (caught.value.hint or "")
        assert isinstance(caught.value, TimeoutError)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with other_process(tmp_path / "lock") as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(5)
        with hold(tmp_path / "lock", emit=silent, wait_s=0):
            pass


def test_an_error_inside_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(tmp_path / "lock", emit=silent):
        raise ZeroDivisionError
    with hold(tmp_path / "lock", emit=silent, wait_s=0):
        pass


def test_a_lock_that_its_holder_removes_is_not_shared(tmp_path: Path) -> None:
    """Those who opened the old file would hold a lock that nobody else sees."""
    path = tmp_path / "lock"
    with other_process(path) as holder:
        waiting = threading.Event()
        entered = threading.Event()
        leave = threading.Event()

        def wait_for_it() -> None:
            with hold(path, emit=lambda _: waiting.set(), wait_s=20):
                entered.set()
                leave.wait(10)

        thread = threading.Thread(target=wait_for_it)
        thread.start()
        assert waiting.wait(10)
        say(holder, "remove")
        assert heard(holder) == "removed"
        say(holder, "end")
        assert entered.wait(10)
        assert path.exists()
        with pytest.raises(LockedError), hold(path, emit=silent, wait_s=0):
            pytest.fail("two hold the lock")
        leave.set()
        thread.join(10)


def test_a_lock_that_is_removed_between_opening_and_taking_it_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    flock = fcntl.flock
    removed: list[Path] = []

    def late(descriptor: int, operation: int) -> None:
        if not removed:
            removed.append(path)
            path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with hold(path, emit=silent, wait_s=5):
        assert removed == [path]
        with pytest.raises(LockedError), hold(path, emit=silent, wait_s=0):
            pytest.fail("two hold the lock")


def test_two_threads_do_not_hold_it_together(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(3):
            with hold(tmp_path / "lock", emit=silent, wait_s=60):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.005)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1] * 12


def test_a_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path / "lock", emit=silent):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        with hold(tmp_path / "lock", emit=silent, wait_s=5):
            assert child.poll() is None
    finally:
        child.communicate(b"\n")


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"pid": 1}', b"\xff"])
def test_a_note_that_cannot_be_read_is_another_process(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lock"
    with hold(path, emit=silent):
        path.write_bytes(content)
        with pytest.raises(LockedError, match="held by another process"), hold(path, emit=silent, wait_s=0):
            pytest.fail("two hold the lock")


def test_the_note_is_of_the_one_who_holds_it_now(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(json.dumps({"pid": 1, "program": "x" * 500}))
    with hold(tmp_path / "lock", emit=silent):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()


def test_a_full_disk_does_not_stand_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with hold(tmp_path / "lock", emit=silent):
        with pytest.raises(LockedError, match="another process"), hold(tmp_path / "lock", emit=silent, wait_s=0):
            pytest.fail("two hold the lock")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WorkspaceError, match="cannot write .*file") as caught:
        with hold(tmp_path / "file" / "lock", emit=silent):
            pytest.fail("there is no lock")
    assert "MLOX_DATA_HOME" in (caught.value.hint or "")
