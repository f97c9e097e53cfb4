"""Whether jobs, logs, ports and facts of native units are what they are on a real machine."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from mlox.errors import RequirementError, ServiceError
from mlox.protocols import Program, Question, silent
from mlox.units import Job
from tests.live.native_stage import (
    STACK,
    Stage,
    until,
)

pytestmark = pytest.mark.live


def test_an_abort_ends_the_job_and_leaves_no_process(here: Stage) -> None:
    unit = here.server(
        jobs=(Job("initdb", ("python3", "-c", "print('working', flush=True); import time; time.sleep(99)")),)
    )
    caught: list[ServiceError] = []

    def begin() -> None:
        try:
            here.start(unit)
        except ServiceError as error:
            caught.append(error)

    thread = threading.Thread(target=begin)
    thread.start()
    until(lambda: any("time.sleep(99)" in " ".join(p.cmdline()) for p in here.processes()))
    here.backend.abort()
    thread.join(10)
    assert "job initdb of web was ended on request" in caught[0].problem
    assert here.processes() == []
    assert here.seen(unit).state == "stopped"


def test_a_job_that_takes_too_long_is_ended_with_its_last_lines(here: Stage) -> None:
    code = "import subprocess; print('waiting for the lock', flush=True); subprocess.run(['sleep', '99'])"
    unit = here.server(jobs=(Job("migrate", ("python3", "-c", code), timeout_s=1),))
    with pytest.raises(ServiceError, match=r"job migrate of web took longer than 1 s .*:\n  waiting for the lock"):
        here.start(unit)
    assert here.processes() == []


def test_a_job_runs_in_the_place_of_its_unit(here: Stage) -> None:
    code = "import os; open('data/seen', 'w').write(f\"{os.environ['WORD']} {os.getuid()} {os.environ['HOME']}\")"
    unit = here.server(environment=(("WORD", "${secret.word}"),), jobs=(Job("init", ("python3", "-c", code)),))
    here.up(unit, word="hunter22")
    owner = Path(here.data("web")).stat().st_uid
    assert (Path(here.data("web")) / "data" / "seen").read_text() == f"hunter22 {owner} {here.data('web')}"


def test_a_unit_that_begins_again_does_not_end_a_job_that_works_on_it(here: Stage) -> None:
    unit = here.server()
    pid = here.up(unit)
    code = f"import os, signal, time; os.kill({pid}, signal.SIGKILL)\nwhile True: time.sleep(0.1)"
    job = Job("repair", ("python3", "-c", code), timeout_s=3)
    with pytest.raises(ServiceError, match="took longer than 3 s"):
        here.backend.run_job(unit, job, {}, silent)
    until(lambda: here.backend.probe(unit).healthy)
    assert here.pid(unit) != pid


def test_whoever_holds_a_port_is_named(here: Stage) -> None:
    holder = here.server(service="holder")
    pid = here.up(holder)
    unit = here.server(service="late", port=holder.ports[0].number)
    with pytest.raises(RequirementError, match=rf"by process {pid} \(python3"):
        here.start(unit)


def test_logs_are_read_and_followed_across_rotation(here: Stage) -> None:
    unit = here.server()
    log = here.home / STACK / "logs" / "web.server.log"
    log.parent.mkdir(parents=True)
    read = lambda count: here.backend.logs(STACK, "web", "server", lines=count)  # noqa: E731
    lines = here.backend.follow(unit.stack, unit.service, unit.name)
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(next(lines) for _ in range(5)), daemon=True)
    reader.start()
    log.write_bytes(b"one\ntw")
    until(lambda: seen == ["one"])
    with log.open("ab") as file:
        file.write(b"o\nhal")
    until(lambda: seen == ["one", "two"])
    log.rename(log.with_name("web.server.log.1"))
    log.write_bytes(b"three\n" + b"x" * 100_000 + b"\xff\n")
    reader.join(10)
    assert seen == ["one", "two", "hal", "three", "x" * 100_000 + "\ufffd"]
    assert read(4) == ("two", "hal", "three", "x" * 100_000 + "\ufffd")
    assert read(99)[0] == "one"
    assert read(1) == ("x" * 100_000 + "\ufffd",)
    here.stop(unit, purge=True)


def test_facts_know_the_versions_of_real_programs(here: Stage) -> None:
    program = Program("redis-server", ("redis-server", "--version"), r"v=(\d+\.\d+\.\d+)")
    facts = here.backend.facts(Question(programs=(program,)))
    assert facts.programs["redis-server"].count(".") == 2
    assert list(here.home.iterdir()) == []


def test_facts_tell_a_program_that_is_mute_from_one_that_is_not_there(here: Stage) -> None:
    mute = Program("sh", ("sh", "-c", "echo nothing of the kind"), r"v=(\d+)")
    failing = Program("false", ("false",), "(.*)")
    facts = here.backend.facts(
        Question(programs=(mute, failing, Program("no-such-program", ("no-such-program",), "x")))
    )
    assert not facts.programs
    assert facts.silent == {"sh", "false"}


def test_looking_is_quick(here: Stage) -> None:
    units = [here.start(here.server(service=f"web-{number}")) for number in range(4)]
    for unit in units:
        until(lambda unit=unit: here.backend.probe(unit).healthy)  # type: ignore[misc]
    times = []
    for _ in range(5):
        began = time.perf_counter()
        assert len(here.backend.observe()) == 4
        times.append(time.perf_counter() - began)
    assert min(times) < 0.1
