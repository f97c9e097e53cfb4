"""What every back end's lease must do: one holder at a time, renewed, refused once somebody else has it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest

from mlox.backends.docker import DockerBackend, naming
from mlox.backends.docker.engine import Engine
from mlox.backends.native import NativeBackend
from mlox.errors import LockedError
from mlox.leases import Holder, Lease, this_process
from mlox.protocols import Backend, Entry
from mlox.testing import FakeBackend
from mlox.transports.local import LocalTransport
from tests.live.engine_stage import daemon, opened

STACK = "churn-7f3a"
LASTS_S = 20.0

PROCESS = """
import dataclasses, json
from mlox.leases import this_process
print(json.dumps(dataclasses.asdict(this_process())), flush=True)
input()
"""


class Server(Protocol):
    """What grants leases, and its clock."""

    @property
    def leasing(self) -> Backend:
        """The back end."""

    def wait(self, seconds: float) -> None:
        """Turn the server's clock."""


class FakeServer:
    def __init__(self, _: Path) -> None:
        self.leasing = FakeBackend()

    def wait(self, seconds: float) -> None:
        self.leasing.leases.now += seconds


class NativeServer:
    def __init__(self, home: Path) -> None:
        self.now = 1000.0
        self.leasing = NativeBackend(home, LocalTransport(), clock=lambda: self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds


class DockerServer:
    def __init__(self, engine: Engine) -> None:
        self.now = 1000.0
        self.leasing = DockerBackend(Path("/nonexistent/mlox"), engine=engine, clock=lambda: self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds


SERVERS: dict[str, Callable[[Path], Server]] = {"fake": FakeServer, "native": NativeServer}


@pytest.fixture(params=[*sorted(SERVERS), pytest.param("docker", marks=pytest.mark.live)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Server:
    if request.param == "docker":
        return DockerServer(request.getfixturevalue("engine"))
    return SERVERS[request.param](tmp_path / "home")


@pytest.fixture(scope="module")
def new_engine() -> Iterator[Engine]:
    with daemon() as made, contextlib.closing(opened(made)) as engine:
        yield engine


@pytest.fixture
def engine(new_engine: Engine) -> Iterator[Engine]:
    yield new_engine
    for container in new_engine.client.containers.list(all=True, filters={"label": naming.LEASE}):
        container.remove()


def taken(server: Server, holder: Holder, stack: str = STACK) -> Lease:
    answer = server.leasing.lease(stack, holder)
    assert not isinstance(answer, Holder), answer
    return answer


def colleague() -> Holder:
    """Somebody on another machine."""
    return replace(this_process(), user="ada", host="laptop-2", pid=1, machine="elsewhere")


@dataclass
class Process:
    popen: subprocess.Popen[bytes]
    holder: Holder


@contextmanager
def process() -> Iterator[Process]:
    """Another process of this machine, as a holder."""
    popen = subprocess.Popen([sys.executable, "-c", PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert popen.stdout is not None
    yield Process(popen, Holder(**json.loads(popen.stdout.readline())))
    popen.kill()
    popen.communicate()


def test_nobody_holds_what_nobody_took(server: Server) -> None:
    assert server.leasing.holder(STACK) is None


def test_the_first_one_gets_it_and_the_second_is_told_who_has_it(server: Server) -> None:
    mine, theirs = this_process(), colleague()
    taken(server, theirs)
    assert server.leasing.lease(STACK, mine) == theirs
    assert server.leasing.holder(STACK) == theirs
    assert str(theirs) == f"process 1 ({theirs.program}) of ada on laptop-2"


def test_stacks_are_held_apart(server: Server) -> None:
    taken(server, colleague())
    taken(server, this_process(), "other-0001")


def test_what_is_given_back_is_free(server: Server) -> None:
    taken(server, colleague()).release()
    assert server.leasing.holder(STACK) is None
    taken(server, this_process()).renew()


def test_the_same_holder_may_take_it_again(server: Server) -> None:
    mine = this_process()
    first, second = taken(server, mine), taken(server, mine)
    first.renew()
    second.renew()
    first.release()
    assert server.leasing.holder(STACK) is None
    second.release()


def test_two_pieces_of_work_of_one_process_are_two_holders(server: Server) -> None:
    taken(server, this_process())
    assert isinstance(server.leasing.lease(STACK, this_process()), Holder)


def test_it_lasts_as_long_as_it_is_renewed(server: Server) -> None:
    lease = taken(server, colleague())
    for _ in range(10):
        server.wait(LASTS_S * 0.9)
        assert isinstance(server.leasing.lease(STACK, this_process()), Holder)
        lease.renew()


def test_a_silent_holder_loses_it_and_is_refused_from_then_on(server: Server) -> None:
    theirs, mine = taken(server, colleague()), this_process()
    server.wait(LASTS_S * 1.01)
    assert server.leasing.holder(STACK) is None
    lease = taken(server, mine)
    with pytest.raises(LockedError, match="taken over"):
        theirs.renew()
    theirs.release()
    assert server.leasing.holder(STACK) == mine
    lease.renew()


def test_a_silent_holder_whom_nobody_asked_goes_on(server: Server) -> None:
    lease = taken(server, colleague())
    server.wait(LASTS_S * 100)
    lease.renew()
    assert isinstance(server.leasing.lease(STACK, this_process()), Holder)


def test_a_killed_process_of_this_machine_is_known_to_be_gone_at_once(server: Server) -> None:
    with process() as other:
        taken(server, other.holder)
        assert server.leasing.lease(STACK, this_process()) == other.holder
        other.popen.kill()
        other.popen.wait()
        taken(server, this_process())


def test_another_process_with_the_pid_of_the_holder_is_not_the_holder(server: Server) -> None:
    taken(server, replace(this_process(), start="1"))
    taken(server, this_process())


@pytest.mark.parametrize("elsewhere", ["another boot/1", ""])
def test_a_process_that_cannot_be_seen_from_here_counts_until_it_is_silent(server: Server, elsewhere: str) -> None:
    unseen = replace(this_process(), pid=2**22 + 1, machine=elsewhere)
    taken(server, unseen)
    assert server.leasing.lease(STACK, this_process()) == unseen
    server.wait(LASTS_S * 1.01)
    taken(server, this_process())


def test_of_many_at_once_one_gets_it(server: Server) -> None:
    got: list[Lease | Holder] = []
    threads = [
        threading.Thread(target=lambda: got.append(server.leasing.lease(STACK, this_process()))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 16
    assert len([answer for answer in got if not isinstance(answer, Holder)]) == 1


def test_a_stack_that_somebody_else_holds_is_not_at_rest(server: Server) -> None:
    mine, theirs, at_rest = this_process(), colleague(), server.leasing.at_rest
    server.leasing.record(STACK, Entry("0001", mine.token, 0.0, "ada", "laptop-2", "mlox", "0123", ()))
    assert at_rest(STACK, mine)
    lease = taken(server, theirs)
    assert (at_rest(STACK, mine), at_rest(STACK, theirs)) == (False, True)
    lease.release()
    assert at_rest(STACK, mine)
