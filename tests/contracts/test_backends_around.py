"""What every back end must do around units: facts, ports, programs, jobs, logs, environments."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from mlox.errors import RequirementError, ServiceError, UnknownNameError, UsageError
from mlox.protocols import Leftover, Program, Question, silent
from mlox.secret import Secret
from mlox.units import Job, PortBinding, Software
from tests.contracts.benches import PASSWORD, SECRETS, STACK, Bench, a_unit, seen, start, stop, until, up


def test_facts_say_where_data_lies_and_what_there_is_room_for(bench: Bench) -> None:
    facts = bench.backend.facts(Question())
    assert facts.home == bench.home
    assert 0 < facts.memory_free_bytes <= facts.memory_bytes
    assert facts.disk_free_bytes > 0


def test_facts_tell_taken_ports_from_free_ones(bench: Bench) -> None:
    with bench.occupied() as taken:
        free = bench.port()
        asked = frozenset({taken, free})
        assert bench.backend.facts(Question(ports=asked)).ports_taken & asked == {taken}


def test_facts_count_the_port_of_a_running_unit_as_taken(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    number = unit.ports[0].number
    assert number in bench.backend.facts(Question(ports=frozenset({number}))).ports_taken


def test_facts_name_programs_with_their_versions_and_leave_out_what_is_missing(bench: Bench) -> None:
    python = Program("python3", ("python3", "--version"), r"Python (3\.\d+)")
    missing = Program("no-such-program-of-mlox", ("no-such-program-of-mlox", "--version"), r"(\d+)")
    programs = bench.backend.facts(Question(programs=(python, missing))).programs
    assert "no-such-program-of-mlox" not in programs
    if bench.has_programs:
        assert list(programs) == ["python3"]
        assert programs["python3"].startswith("3.")


def test_a_taken_port_is_named_and_nothing_is_started(bench: Bench) -> None:
    with bench.occupied() as taken:
        unit = replace(a_unit(bench), ports=(PortBinding("http", taken),))
        with pytest.raises(RequirementError, match=rf"port {taken} \(http of web\) is taken") as caught:
            start(bench, unit)
    assert caught.value.hint == "Run the same command again: mlox picks a free port."
    assert bench.backend.observe(STACK) == ()


def test_what_is_missing_is_named(bench: Bench) -> None:
    with pytest.raises(RequirementError, match=bench.said_missing):
        start(bench, bench.without(a_unit(bench)))


def test_a_secret_that_is_not_given_stops_the_start(bench: Bench) -> None:
    with pytest.raises(UnknownNameError, match="unknown secret 'password'"):
        bench.backend.start(a_unit(bench), {}, silent)


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
    assert [(o.unit, o.state) for o in bench.backend.observe(STACK)] == [(unit, "stopped")]


def test_a_job_of_a_running_unit_succeeds_or_fails(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    bench.backend.run_job(unit, Job("grant", ("python3", "-c", "")), SECRETS, silent)
    with pytest.raises(ServiceError, match="job revoke of web"):
        bench.backend.run_job(unit, bench.failing("revoke", "no such user"), SECRETS, silent)
    assert seen(bench, unit).pid == before.pid


def test_a_job_gets_what_is_added_to_the_environment_of_its_unit(bench: Bench) -> None:
    """So grants and rotations are told names and passwords; the unit itself is not touched."""
    unit = a_unit(bench)
    before = up(bench, unit)
    told = replace(unit, environment=(*unit.environment, ("TOLD", "${secret.told}")))
    check = "import os, sys; sys.exit((os.environ['TOLD'], os.environ['PASSWORD']) != (sys.argv[1], sys.argv[2]))"
    job = Job("grant", ("python3", "-c", check, 'two words $and "more"', PASSWORD))
    with pytest.raises(UnknownNameError, match="unknown secret 'told'"):
        bench.backend.run_job(told, job, SECRETS, silent)
    bench.backend.run_job(told, job, {**SECRETS, "told": Secret('two words $and "more"')}, silent)
    assert (seen(bench, unit).pid, seen(bench, unit).unit) == (before.pid, unit)


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
    bench.write(unit)
    bench.write(unit)
    assert [next(lines), next(lines)] == ["asked for /", "asked for /"]
    lines.close()
    assert list(lines) == []


def test_whoever_waits_for_a_line_ends_when_another_thread_closes(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    lines = bench.backend.follow(unit.stack, unit.service, unit.name)
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(lines), daemon=True)
    reader.start()
    bench.write(unit)
    until(lambda: seen == ["asked for /"])
    reader.join(0.3)
    assert reader.is_alive()
    lines.close()
    reader.join(5)
    assert not reader.is_alive()
    assert bench.backend.probe(unit).healthy


def test_a_follower_gets_each_line_once_before_or_after(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    for _ in range(3):
        bench.write(unit)
    until(lambda: bench.backend.logs(unit.stack, unit.service, unit.name, lines=3) == ("asked for /",) * 3)
    lines = bench.backend.follow(unit.stack, unit.service, unit.name, lines=2)
    assert lines.before == ("asked for /", "asked for /")
    bench.kill(unit)
    until(lambda: bench.backend.usage([unit])[0].restarts == 1 and bench.backend.probe(unit).healthy, 30)
    bench.write(unit)
    found: list[str] = [next(lines)]
    while found[-1] != "asked for /":
        found.append(next(lines))
    assert found.count("asked for /") == 1
    lines.close()


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
    pinned = bench.backend.pin(bench.wish, silent)
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
