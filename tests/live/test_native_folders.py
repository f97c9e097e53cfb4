"""Whether native units get along with odd data homes, full disks, cut-off starts and broken annotations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlox.backends.native import NativeBackend
from mlox.errors import RequirementError
from mlox.protocols import silent
from mlox.transports.local import LocalTransport
from mlox.units import File, Job
from tests.live.native_stage import (
    PASSWORD,
    STACK,
    Stage,
    as_root,
    listening,
    redis,
    stage,
    until,
)

pytestmark = pytest.mark.live


def test_two_stacks_live_side_by_side(here: Stage) -> None:
    one, two = redis(here), redis(here, "other-0001")
    pids = {here.up(one, password=PASSWORD), here.up(two, password="another-password")}
    assert len(pids) == 2
    assert here.supervisor().pid != here.supervisor("other-0001").pid
    here.stop(one, purge=True)
    assert here.backend.probe(two).healthy
    assert [path.name for path in here.home.iterdir()] == ["other-0001"]


def test_the_same_stack_in_another_data_home_is_another_stack(here: Stage) -> None:
    unit = here.server()
    pid = here.up(unit)
    with stage() as there:
        twin = there.server()
        there.up(twin)
        there.supervisor().kill()
        until(lambda: there.seen(twin).state == "orphaned")
        there.up(twin)
    assert here.pid(unit) == pid
    assert here.seen(unit).restarts == 0


@pytest.mark.parametrize(
    "folder", ["a %s 100% [odd] #home ;'of\"", "l" * 120], ids=["odd", "longer than a socket's path"]
)
def test_any_folder_can_be_the_data_home(folder: str) -> None:
    with stage(folder) as here:
        unit = here.server()
        first = here.up(unit)
        here.start(unit)
        assert here.pid(unit) == first
        here.stop(unit)
        assert here.up(unit) != first
        told = (here.home / STACK / "supervisor" / "supervisord.conf").read_text()
        socket = Path(told.partition("file=")[2].partition("\n")[0])
        assert socket.is_absolute() is folder.startswith("l")
        if socket.is_absolute():
            assert (socket.parent.parent, socket.parent.stat().st_mode & 0o777) == (Path("/tmp"), 0o700)
    assert not (here.home / socket).parent.exists()


def test_a_broken_annotation_is_shown_and_can_be_purged_or_written_again(here: Stage) -> None:
    unit = here.server()
    here.up(unit)
    path = here.home / STACK / "units" / "web.server.json"
    path.write_text('{"schema": 1, "stack"')
    there = here.seen(unit)
    assert there.state == "failed"
    assert "web.server.json cannot be read" in there.note
    here.up(unit)
    assert here.seen(unit).unit == unit
    path.write_text(json.dumps({"schema": 1}))
    here.stop(unit, purge=True)
    assert here.backend.observe() == ()


def test_an_annotation_of_a_newer_mlox_can_be_read(here: Stage) -> None:
    unit = here.server()
    here.up(unit)
    path = here.home / STACK / "units" / "web.server.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 2, "added_later": [1]}))
    assert here.seen(unit).unit == unit


class Full(LocalTransport):
    """A machine whose disk is full."""

    def put(self, content: bytes, path: Path, *, mode: int, account: str | None = None) -> None:
        raise OSError(28, "No space left on device", str(path))


def test_a_full_disk_is_a_requirement_error(here: Stage) -> None:
    unit = here.server()
    with pytest.raises(RequirementError, match="no space left on the disk") as caught:
        NativeBackend(here.home, Full()).start(unit, {}, silent)
    assert caught.value.hint == "Free some disk space."


def test_a_home_that_cannot_be_written_is_a_requirement_error(here: Stage) -> None:
    file = here.home / "file"
    file.write_text("")
    with pytest.raises(RequirementError, match="cannot write"):
        NativeBackend(file / "home", LocalTransport()).start(here.server(), {}, silent)
    file.unlink()


@as_root
def test_a_home_that_the_account_cannot_enter_is_refused(here: Stage) -> None:
    closed = here.home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(RequirementError, match="cannot enter"):
        NativeBackend(closed / "home", LocalTransport()).start(here.server(), {}, silent)
    (closed / "home").rmdir()
    closed.rmdir()


class Cut(LocalTransport):
    """A machine on which the caller is interrupted at its n-th act."""

    def __init__(self, acts: int) -> None:
        super().__init__()
        self.left = acts

    def put(self, content: bytes, path: Path, *, mode: int, account: str | None = None) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().put(content, path, mode=mode, account=account)


def test_a_start_that_is_cut_off_anywhere_is_completed_by_the_next(here: Stage) -> None:
    unit = here.server(files=(File(f"{here.data('web')}/config/x", "x"),), jobs=(Job("init", ("python3", "-c", "")),))
    for acts in range(99):
        try:
            NativeBackend(here.home, Cut(acts)).start(unit, {}, silent)
        except KeyboardInterrupt:
            assert len(here.processes()) <= 1
            if acts % 3 == 0:
                here.up(unit)
                assert len(listening(unit)) == 1
                here.stop(unit, purge=True)
        else:
            break
    assert acts > 5
    until(lambda: here.backend.probe(unit).healthy)
    assert len(listening(unit)) == 1
