"""What every back end must do: one row of BENCHES makes a back end run all of it."""

from __future__ import annotations

import itertools
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from mlox.errors import RequirementError, ServiceError, UnknownNameError, UsageError
from mlox.protocols import Backend, Event, Leftover, Observed, Program, Question, silent
from mlox.secret import Secret
from mlox.testing import FakeBackend
from mlox.units import Job, PortBinding, Probe, SecretRef, Software, Unit
from tests.live.native_stage import PASSWORD, SERVER, STACK, Stage, free_port, stage, until

SECRETS = {"password": Secret(PASSWORD, "v1")}


class Bench(Protocol):
    """A back end under test, and what differs between a real one and a fake."""

    @property
    def backend(self) -> Backend:
        """The back end."""

    @property
    def home(self) -> str:
        """Where it keeps data."""

    def port(self) -> int:
        """A port that is free."""

    def occupied(self) -> AbstractContextManager[int]:
        """A port that somebody else holds."""

    def dying(self, unit: Unit) -> Unit:
        """The unit, made such that its process ends with exit status 3 as soon as it starts."""

    def failing(self, name: str, output: str) -> Job:
        """A job that writes ``output`` and fails."""

    def write(self, unit: Unit) -> None:
        """Make the running unit write one more line."""


@dataclass
class FakeBench:
    backend: FakeBackend
    home = "/var/lib/mlox"

    def __post_init__(self) -> None:
        self.ports = itertools.count(20001)

    def port(self) -> int:
        return next(self.ports)

    @contextmanager
    def occupied(self) -> Iterator[int]:
        port = self.port()
        self.backend.ports_taken.add(port)
        yield port
        self.backend.ports_taken.remove(port)

    def dying(self, unit: Unit) -> Unit:
        self.backend.dying[unit.key] = "exit status 3"
        return unit

    def failing(self, name: str, output: str) -> Job:
        self.backend.failing_jobs[name] = output
        return Job(name, ("anything",))

    def write(self, unit: Unit) -> None:
        self.backend.say(unit.stack, unit.service, unit.name, "asked for /")


@dataclass
class NativeBench:
    stage: Stage

    def __post_init__(self) -> None:
        self.backend: Backend = self.stage.backend
        self.home = str(self.stage.home)

    def port(self) -> int:
        return free_port()

    @contextmanager
    def occupied(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield server.getsockname()[1]

    def dying(self, unit: Unit) -> Unit:
        return replace(unit, command=("python3", "-c", "import sys; sys.exit(3)"))

    def failing(self, name: str, output: str) -> Job:
        return Job(name, ("python3", "-c", f"import sys; print({output!r}); sys.exit(1)"))

    def write(self, unit: Unit) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{unit.ports[0].number}/", timeout=5) as answer:
            answer.read()


@contextmanager
def fake() -> Iterator[Bench]:
    yield FakeBench(FakeBackend(programs={"python3": "3.11"}))


@contextmanager
def native() -> Iterator[Bench]:
    with stage() as made:
        yield NativeBench(made)
        for seen in made.backend.observe():
            made.backend.stop(seen.stack, seen.service, seen.name, purge=True, emit=silent)


BENCHES: dict[str, Callable[[], AbstractContextManager[Bench]]] = {"fake": fake, "native": native}
LIVE = {"native"}


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.live] if name in LIVE else []) for name in sorted(BENCHES)]
)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with BENCHES[request.param]() as made:
        yield made


def a_unit(bench: Bench, *, service: str = "web", stack: str = STACK, version: str = "1") -> Unit:
    """A unit that serves HTTP on a free port, and has a secret."""
    port = bench.port()
    return Unit(
        stack=stack,
        service=service,
        name="server",
        catalog="web",
        version=version,
        server="local",
        backend="native",
        command=("python3", "-c", SERVER, str(port)),
        software=Software(binary="python3"),
        environment=(("PASSWORD", "${secret.password}"),),
        ports=(PortBinding("http", port, "tcp", "http"),),
        directories=(("data", f"{bench.home}/{stack}/services/{service}/data"),),
        secrets=(SecretRef("password", f"{service}.password", "v1", 24),),
        probe=Probe("http", port="http"),
        stop_grace_s=3,
        intent=(("version", version),),
    )


def start(bench: Bench, unit: Unit) -> list[str]:
    """Start it, and answer what was told meanwhile."""
    events: list[Event] = []
    bench.backend.start(unit, SECRETS, events.append)
    return [event.message for event in events]


def up(bench: Bench, unit: Unit) -> Observed:
    """Start it, wait until it is healthy, and look at it."""
    start(bench, unit)
    until(lambda: bench.backend.probe(unit).healthy)
    return seen(bench, unit)


def stop(bench: Bench, unit: Unit, *, purge: bool = False) -> None:
    bench.backend.stop(unit.stack, unit.service, unit.name, purge=purge, emit=silent)


def seen(bench: Bench, unit: Unit) -> Observed:
    return next(o for o in bench.backend.observe(unit.stack) if o.key == unit.key)


def test_facts_say_where_data_lies_and_what_there_is_room_for(bench: Bench) -> None:
    facts = bench.backend.facts(Question())
    assert facts.home == bench.home
    assert 0 < facts.memory_free_bytes <= facts.memory_bytes
    assert facts.disk_free_bytes > 0


def test_facts_tell_taken_ports_from_free_ones(bench: Bench) -> None:
    with bench.occupied() as taken:
        free = bench.port()
        assert bench.backend.facts(Question(ports=frozenset({taken, free}))).ports_taken == {taken}


def test_facts_count_the_port_of_a_running_unit_as_taken(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    number = unit.ports[0].number
    assert bench.backend.facts(Question(ports=frozenset({number}))).ports_taken == {number}


def test_facts_name_programs_with_their_versions_and_leave_out_what_is_missing(bench: Bench) -> None:
    python = Program("python3", ("python3", "--version"), r"Python (3\.\d+)")
    missing = Program("no-such-program-of-mlox", ("no-such-program-of-mlox", "--version"), r"(\d+)")
    programs = bench.backend.facts(Question(programs=(python, missing))).programs
    assert list(programs) == ["python3"]
    assert programs["python3"].startswith("3.")


def test_where_nothing_was_started_there_is_nothing(bench: Bench) -> None:
    assert bench.backend.observe() == ()
    assert bench.backend.observe(STACK) == ()
    assert bench.backend.leftovers() == ()
    assert bench.backend.logs(STACK, "web", "server", lines=5) == ()


def test_what_was_started_runs_and_carries_its_unit(bench: Bench) -> None:
    unit = a_unit(bench)
    there = up(bench, unit)
    assert there.unit == unit
    assert (there.stack, there.service, there.name, there.digest) == (STACK, "web", "server", unit.digest)
    assert there.state in ("starting", "running")
    assert there.pid is not None
    assert there.since is not None
    assert there.restarts == 0
    assert (there.memory_bytes or 0) > 0
    assert there.data_path is not None


def test_no_secret_is_in_what_is_observed(bench: Bench) -> None:
    there = up(bench, a_unit(bench))
    assert PASSWORD not in repr(there)


def test_starting_what_runs_changes_nothing(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    assert start(bench, unit) == []
    assert seen(bench, unit).pid == before.pid


def test_a_unit_rendered_otherwise_from_the_same_intent_is_left_alone(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    start(bench, replace(unit, environment=(*unit.environment, ("NEW_IN_THIS_MLOX", "1"))))
    after = seen(bench, unit)
    assert (after.pid, after.unit) == (before.pid, unit)


def test_a_changed_unit_takes_the_place_of_the_old_one(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    changed = replace(unit, version="2", intent=(("version", "2"),))
    after = up(bench, changed)
    assert after.pid != before.pid
    assert after.unit == changed
    assert len(bench.backend.observe()) == 1


def test_a_stopped_unit_is_still_known_and_starts_again(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    stop(bench, unit)
    there = seen(bench, unit)
    assert (there.state, there.pid, there.unit) == ("stopped", None, unit)
    assert not bench.backend.probe(unit).healthy
    assert up(bench, unit).state in ("starting", "running")


def test_stopping_twice_or_what_never_was_is_no_error(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    stop(bench, unit)
    stop(bench, unit)
    bench.backend.stop(STACK, "never", "server", purge=False, emit=silent)
    bench.backend.stop(STACK, "never", "server", purge=True, emit=silent)
    assert [o.service for o in bench.backend.observe()] == ["web"]


@pytest.mark.parametrize("running", [True, False])
def test_a_purged_unit_is_forgotten(bench: Bench, running: bool) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    if not running:
        stop(bench, unit)
    stop(bench, unit, purge=True)
    stop(bench, unit, purge=True)
    assert bench.backend.observe() == ()
    assert bench.backend.logs(STACK, "web", "server", lines=5) == ()


def test_stacks_are_looked_at_one_by_one_or_all_at_once(bench: Bench) -> None:
    mine, theirs = a_unit(bench), a_unit(bench, stack="other-0001")
    up(bench, mine)
    up(bench, theirs)
    assert [o.stack for o in bench.backend.observe()] == [STACK, "other-0001"]
    assert [o.unit for o in bench.backend.observe("other-0001")] == [theirs]
    stop(bench, mine, purge=True)
    assert seen(bench, theirs).state in ("starting", "running")


def test_two_units_start_at_the_same_time(bench: Bench) -> None:
    units = [a_unit(bench, service=name) for name in ("one", "two", "three")]
    threads = [threading.Thread(target=start, args=(bench, unit)) for unit in units]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for unit in units:
        until(lambda unit=unit: bench.backend.probe(unit).healthy)  # type: ignore[misc]
    assert len({o.pid for o in bench.backend.observe()}) == 3


def test_a_taken_port_is_named_and_nothing_is_started(bench: Bench) -> None:
    with bench.occupied() as taken:
        unit = replace(a_unit(bench), ports=(PortBinding("http", taken),))
        with pytest.raises(RequirementError, match=rf"port {taken} \(http of web\) is taken") as caught:
            start(bench, unit)
    assert caught.value.hint == "Run the same command again: mlox picks a free port."
    assert bench.backend.observe() == ()


def test_a_missing_program_is_named(bench: Bench) -> None:
    unit = replace(
        a_unit(bench), command=("no-such-program-of-mlox",), software=Software(binary="no-such-program-of-mlox")
    )
    with pytest.raises(RequirementError, match="no-such-program-of-mlox is not on the PATH"):
        start(bench, unit)


def test_a_replacement_that_cannot_start_leaves_the_old_one_alone(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    with bench.occupied() as taken:
        changed = replace(unit, ports=(PortBinding("http", taken),), intent=(("version", "2"),))
        with pytest.raises(RequirementError):
            start(bench, changed)
    assert seen(bench, unit).pid == before.pid
    assert bench.backend.probe(unit).healthy


def test_a_secret_that_is_not_given_stops_the_start(bench: Bench) -> None:
    with pytest.raises(UnknownNameError, match="unknown secret 'password'"):
        bench.backend.start(a_unit(bench), {}, silent)


def test_a_process_that_dies_at_once_is_dead_and_says_how(bench: Bench) -> None:
    unit = bench.dying(replace(a_unit(bench), restart="no"))
    start(bench, unit)
    until(lambda: bench.backend.probe(unit).dead)
    health = bench.backend.probe(unit)
    assert not health.healthy
    assert "exit status 3" in health.detail
    assert seen(bench, unit).state == "failed"


def test_init_jobs_run_once_and_start_jobs_each_time(bench: Bench) -> None:
    jobs = (Job("initdb", ("python3", "-c", "")), Job("migrate", ("python3", "-c", ""), when="start"))
    unit = replace(a_unit(bench), jobs=jobs)
    assert start(bench, unit) == ["running initdb", "running migrate"]
    stop(bench, unit)
    assert start(bench, unit) == ["running migrate"]
    stop(bench, unit, purge=True)
    assert start(bench, unit) == ["running initdb", "running migrate"]


def test_a_failing_job_stops_the_start_and_runs_again_next_time(bench: Bench) -> None:
    unit = replace(a_unit(bench), jobs=(bench.failing("initdb", f"no space for {PASSWORD}"),))
    for _ in range(2):
        with pytest.raises(ServiceError, match="job initdb of web ended with exit code 1") as caught:
            start(bench, unit)
        assert "no space for ***" in caught.value.problem
        assert PASSWORD not in caught.value.problem
    assert [(o.unit, o.state) for o in bench.backend.observe()] == [(unit, "stopped")]


def test_a_job_of_a_running_unit_succeeds_or_fails(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    bench.backend.run_job(unit, Job("grant", ("python3", "-c", "")), SECRETS, silent)
    with pytest.raises(ServiceError, match="job revoke of web"):
        bench.backend.run_job(unit, bench.failing("revoke", "no such user"), SECRETS, silent)
    assert seen(bench, unit).pid == before.pid


def test_the_last_lines_of_a_log_can_be_read_also_after_the_stop(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    for _ in range(3):
        bench.write(unit)
    read = lambda lines: bench.backend.logs(unit.stack, unit.service, unit.name, lines=lines)  # noqa: E731
    until(lambda: len(read(100)) >= 3)
    assert read(2) == ("asked for /", "asked for /")
    assert read(0) == ()
    stop(bench, unit)
    assert read(1) == ("asked for /",)


def test_a_log_is_followed_from_now_on_until_the_caller_stops(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    lines = bench.backend.follow(unit.stack, unit.service, unit.name)
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(0.05):
            bench.write(unit)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert [next(lines), next(lines)] == ["asked for /", "asked for /"]
    finally:
        ended.set()
        writer.join()
    lines.close()  # type: ignore[attr-defined]  # an iterator made by a generator


def test_a_process_reaches_a_port_on_loopback(bench: Bench) -> None:
    unit = a_unit(bench)
    endpoint = bench.backend.endpoint(unit, "http", "process")
    assert (endpoint.host, endpoint.port) == ("127.0.0.1", unit.ports[0].number)
    with pytest.raises(UnknownNameError) as caught:
        bench.backend.endpoint(unit, "htpp", "process")
    assert caught.value.hint == "Did you mean 'http'?"


def test_a_program_has_no_versions_to_choose(bench: Bench) -> None:
    software = Software(binary="python3")
    assert bench.backend.pin(software, silent) == software


def test_an_environment_is_left_over_when_its_last_unit_is_purged(bench: Bench) -> None:
    pinned = bench.backend.pin(Software(packages=("itsdangerous==2.2.0",)), silent)
    assert pinned.pins
    assert not pinned.pending
    assert bench.backend.pin(pinned, silent) == pinned
    one, two = (replace(a_unit(bench, service=name), software=pinned) for name in ("one", "two"))
    up(bench, one)
    up(bench, two)
    stop(bench, one, purge=True)
    assert bench.backend.leftovers() == ()
    stop(bench, two, purge=True)
    (leftover,) = bench.backend.leftovers()
    assert leftover.size_bytes > 0
    up(bench, one)
    with pytest.raises(UsageError, match="in use"):
        bench.backend.discard(leftover)
    stop(bench, one, purge=True)
    bench.backend.discard(leftover)
    bench.backend.discard(leftover)
    assert bench.backend.leftovers() == ()
    bench.backend.discard(Leftover("never-there", 0))


def test_an_abort_where_nothing_runs_does_nothing(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    bench.backend.abort()
    assert bench.backend.probe(unit).healthy
