"""Leases on a real engine: processes that contend for one, die with it, and an engine that starts again meanwhile."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlox.backends.docker import naming
from mlox.backends.docker.engine import Engine
from mlox.backends.docker.leasing import EXPIRES_S, EngineLeases
from mlox.errors import LockedError, RequirementError
from mlox.leases import Holder, Lease, this_process
from tests.live.engine.daemons import Daemons
from tests.live.engine_stage import daemon, opened

pytestmark = pytest.mark.xdist_group("engine")

STACK = "churn-7f3a"

CONTENDER = """
import json, os, sys, time
from mlox.backends.docker.contexts import Address
from mlox.backends.docker.engine import Engine
from mlox.backends.docker.leasing import EngineLeases
from mlox.leases import Holder, this_process
url, path, rounds, dies = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "dies"
leases = EngineLeases(Engine(Address(url, "a test")), time.monotonic)
for number in range(rounds):
    me = this_process()
    while isinstance(lease := leases.lease("churn-7f3a", me), Holder):
        time.sleep(0.02)
    inside = os.open(path + ".inside", os.O_CREAT | os.O_EXCL | os.O_WRONLY)  # fails where somebody else is inside
    lease.renew()
    with open(path, "a") as log:
        print(os.getpid(), number, file=log)
    os.close(inside)
    os.unlink(path + ".inside")
    if dies and number == rounds - 1:
        os.kill(os.getpid(), 9)
    lease.release()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Daemons]:
    with daemon() as made:
        yield made


@pytest.fixture
def engine(server: Daemons) -> Iterator[Engine]:
    with contextlib.closing(opened(server)) as made:
        yield made
        for container in made.client.containers.list(all=True):
            container.remove(force=True)


def taken(leases: EngineLeases, holder: Holder) -> Lease:
    answer = leases.lease(STACK, holder)
    assert not isinstance(answer, Holder), answer
    return answer


def elsewhere() -> Holder:
    return dataclasses.replace(this_process(), user="ada", host="laptop-2", machine="elsewhere")


def test_of_eight_processes_one_at_a_time_is_inside_also_where_some_are_killed(
    engine: Engine, server: Daemons, tmp_path: Path
) -> None:
    rounds, path = 4, tmp_path / "log"
    processes = [
        subprocess.Popen(
            (sys.executable, "-c", CONTENDER, server.host, str(path), str(rounds), "dies" if n < 3 else "lives"),
            stderr=subprocess.PIPE,
        )
        for n in range(8)
    ]
    ends = [process.communicate(timeout=240)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [-9] * 3 + [0] * 5, ends
    lines = path.read_text().splitlines()
    assert len(lines) == len(set(lines)) == 8 * rounds
    left = engine.client.containers.list(all=True, filters={"label": naming.LEASE})
    assert len(left) <= 1  # of the last one that was killed


def test_challengers_of_a_silent_holder_take_it_over_once(engine: Engine) -> None:
    silent = taken(EngineLeases(engine, time.monotonic), elsewhere())
    clocks = [Clock() for _ in range(8)]
    challengers = [EngineLeases(engine, clock) for clock in clocks]
    assert all(isinstance(each.lease(STACK, this_process()), Holder) for each in challengers)
    for clock in clocks:
        clock.now += EXPIRES_S
    got: list[Lease | Holder] = []
    threads = [
        threading.Thread(target=lambda each=each: got.append(each.lease(STACK, this_process()))) for each in challengers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    won = [answer for answer in got if not isinstance(answer, Holder)]
    assert len(got) == 8
    assert len(won) == 1
    won[0].renew()
    time.sleep(1.1)
    with pytest.raises(LockedError, match="taken over by process"):
        silent.renew()
    silent.release()
    won[0].renew()


def test_whoever_only_comes_to_look_takes_nothing_from_a_holder_that_is_alive(engine: Engine) -> None:
    clock = Clock()
    lease, other = taken(EngineLeases(engine, clock), elsewhere()), EngineLeases(engine, clock)
    for _ in range(4):
        assert isinstance(other.lease(STACK, this_process()), Holder)
        clock.now += EXPIRES_S * 0.9
        lease.renew()
    assert isinstance(other.lease(STACK, this_process()), Holder)


@pytest.mark.parametrize("end", [Daemons.stop_engine, Daemons.kill_engine])
def test_a_lease_outlives_a_start_of_the_engine(
    engine: Engine, server: Daemons, end: Callable[[Daemons], None]
) -> None:
    clock = Clock()
    leases, me = EngineLeases(engine, clock), this_process()
    lease = taken(leases, me)
    end(server)
    clock.now += 5
    lease.renew()  # nobody can have taken it over
    clock.now += 6
    with pytest.raises(RequirementError, match="did not answer any more|no container engine answers"):
        lease.renew()
    with pytest.raises(RequirementError):
        leases.lease(STACK, this_process())
    server.start_engine()
    lease.renew()
    assert EngineLeases(engine, clock).holder(STACK) == me
    assert leases.lease(STACK, this_process()) == me


def test_what_has_the_name_of_a_lease_and_is_none_stays_untouched(engine: Engine) -> None:
    leases = EngineLeases(engine, time.monotonic)
    taken(leases, this_process()).release()
    api = engine.api
    made = api.create_container("mlox-lease:1", command=["x"], name=naming.lease(STACK))["Id"]
    with pytest.raises(RequirementError, match=f"the container mlox-{STACK}-lease is not mlox's; it was not touched"):
        leases.lease(STACK, this_process())
    assert api.inspect_container(made)["Id"] == made


def test_a_holder_that_cannot_be_read_holds_nothing(engine: Engine) -> None:
    leases = EngineLeases(engine, time.monotonic)
    taken(leases, this_process()).release()
    labels = {naming.STACK: STACK, naming.LEASE: json.dumps({"newer": True})}
    engine.api.create_container("mlox-lease:1", command=["x"], name=naming.lease(STACK), labels=labels)
    assert leases.holder(STACK) is None
    taken(leases, this_process())


def test_renewing_before_each_effect_is_quick(engine: Engine) -> None:
    lease = taken(EngineLeases(engine, time.monotonic), this_process())
    times = []
    for _ in range(50):
        begun = time.perf_counter()
        lease.renew()
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.05


class Clock:
    """A process' own clock, that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
