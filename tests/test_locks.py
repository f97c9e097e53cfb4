"""One piece of work at a time on a stack; whoever waits is told for whom, and nothing outlives its holder."""

from __future__ import annotations

import fcntl
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

from mlox import locks
from mlox.backends.native import NativeBackend, leasing
from mlox.errors import Cancelled, LockedError
from mlox.leases import Holder, this_process
from mlox.locks import Hold
from mlox.protocols import Emit, Event, silent
from mlox.testing import FakeBackend
from mlox.transports.local import LocalTransport

STACK = "churn-7f3a"

HOLDER = """
import sys
from pathlib import Path
from mlox.backends.native import NativeBackend
from mlox.errors import LockedError
from mlox.locks import Hold
from mlox.protocols import silent
from mlox.transports.local import LocalTransport
sys.argv[0] = "/somewhere/colleague"
with Hold("churn-7f3a", emit=silent) as hold:
    hold.take(NativeBackend(Path(sys.argv[1]), LocalTransport()))
    print("held", flush=True)
    for command in sys.stdin:
        if command.strip() == "remove":
            (Path(sys.argv[1]) / "churn-7f3a" / "lock").unlink()
            print("removed", flush=True)
        elif command.strip() == "check":
            try:
                hold.check()
            except LockedError as error:
                print(error.problem, flush=True)
        elif command.strip() == "end":
            break
"""


@contextmanager
def held(
    home: Path, *, emit: Emit = silent, wait_s: float = 20, cancel: threading.Event | None = None
) -> Iterator[Hold]:
    with Hold(STACK, emit=emit, wait_s=wait_s, cancel=cancel) as hold:
        hold.take(NativeBackend(home, LocalTransport()))
        yield hold


def refused(home: Path) -> str:
    """What somebody is told who does not wait."""
    with pytest.raises(LockedError) as caught, held(home, wait_s=0):
        pytest.fail("two hold the stack")
    return caught.value.problem


@contextmanager
def other_process(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the stack until it reads ``end``."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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


def test_a_free_stack_is_taken_at_once_and_can_be_taken_again(tmp_path: Path) -> None:
    told: list[Event] = []
    for _ in range(3):
        with held(tmp_path / "deep", emit=told.append, wait_s=0) as hold:
            hold.check()
    assert told == []


def test_whoever_waits_is_told_for_whom_once(tmp_path: Path) -> None:
    told: list[Event] = []
    with other_process(tmp_path) as holder:
        threading.Timer(0.4, say, (holder, "end")).start()
        with held(tmp_path, emit=told.append):
            assert holder.wait(5) == 0
    mine = this_process()
    assert [(event.kind, event.message) for event in told] == [
        (
            "wait",
            f"waiting for process {holder.pid} (colleague) of {mine.user} on {mine.host}, which works on this stack",
        )
    ]


def test_after_the_time_the_error_names_the_holder(tmp_path: Path) -> None:
    with other_process(tmp_path) as holder:
        began = time.monotonic()
        with pytest.raises(LockedError, match=rf"held by process {holder.pid} \(colleague\) of ") as caught:
            with held(tmp_path, wait_s=0.3):
                pytest.fail("two hold the stack")
        assert 0.3 <= time.monotonic() - began < 5
        assert "what it holds ends with it" in (caught.value.hint or "")
        assert isinstance(caught.value, TimeoutError)


def test_a_wait_can_be_interrupted(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with held(tmp_path), pytest.raises(Cancelled), held(tmp_path, cancel=cancel):
        pytest.fail("two hold the stack")


def test_what_a_killed_process_held_is_free_at_once(tmp_path: Path) -> None:
    with other_process(tmp_path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(5)
        with held(tmp_path, wait_s=0):
            pass


def test_a_suspended_process_loses_the_stack_and_is_refused_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "EXPIRES_S", 1.0)
    with other_process(tmp_path) as holder:
        holder.send_signal(signal.SIGSTOP)
        with held(tmp_path) as hold:
            holder.send_signal(signal.SIGCONT)
            say(holder, "check")
            assert f"taken over by process {os.getpid()} " in heard(holder)
            hold.check()


def test_a_holder_renews_by_itself_and_once_it_lost_the_stack_every_check_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(locks, "RENEW_S", 0.01)
    backend = FakeBackend()
    with Hold(STACK, emit=silent) as hold:
        hold.take(backend)
        for _ in range(5):
            backend.leases.now += 15
            time.sleep(0.1)
            assert backend.holder(STACK) == hold.holder
        backend.leases.now += 30
        assert not isinstance(backend.lease(STACK, this_process()), Holder)
        time.sleep(0.1)
        for _ in range(2):
            with pytest.raises(LockedError, match="taken over"):
                hold.check()
    assert backend.holder(STACK) not in (None, hold.holder)


def test_a_stack_on_two_servers_is_held_on_both(tmp_path: Path) -> None:
    servers = FakeBackend(), FakeBackend(), NativeBackend(tmp_path, LocalTransport())
    with Hold(STACK, emit=silent) as hold:
        for server in servers:
            hold.take(server)
            hold.take(server)
        assert [server.holder(STACK) for server in servers] == [hold.holder] * 3
    assert [server.holder(STACK) for server in servers] == [None] * 3


def test_an_error_inside_gives_the_stack_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path):
        raise ZeroDivisionError
    with held(tmp_path, wait_s=0):
        pass


def test_a_record_that_its_holder_removes_is_not_shared(tmp_path: Path) -> None:
    """Those who opened the old file would have a lease that nobody else sees."""
    with other_process(tmp_path) as holder:
        waiting, entered, leave = threading.Event(), threading.Event(), threading.Event()

        def wait_for_it() -> None:
            with held(tmp_path, emit=lambda _: waiting.set()):
                entered.set()
                leave.wait(10)

        thread = threading.Thread(target=wait_for_it)
        thread.start()
        assert waiting.wait(10)
        say(holder, "remove")
        assert heard(holder) == "removed"
        say(holder, "end")
        assert entered.wait(10)
        assert (tmp_path / STACK / "lock").exists()
        refused(tmp_path)
        leave.set()
        thread.join(10)


def test_a_record_that_is_removed_between_opening_and_locking_it_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / STACK / "lock"
    flock = fcntl.flock
    removed: list[Path] = []

    def late(descriptor: int, operation: int) -> None:
        if not removed:
            removed.append(path)
            path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with held(tmp_path):
        assert removed == [path]
        refused(tmp_path)


def test_two_threads_do_not_hold_it_together(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(3):
            with held(tmp_path, wait_s=60):
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


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"pid": 1}', b"\xff", b" " * 4096])
def test_a_record_that_cannot_be_read_holds_nobody_off_and_its_writer_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    with held(tmp_path) as hold:
        (tmp_path / STACK / "lock").write_bytes(content)
        with pytest.raises(LockedError):
            hold.check()
        with held(tmp_path, wait_s=0) as other:
            other.check()


def test_a_record_longer_than_ours_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / STACK).mkdir()
    (tmp_path / STACK / "lock").write_text("x" * 5000)
    with held(tmp_path):
        assert f"process {os.getpid()} " in refused(tmp_path)
