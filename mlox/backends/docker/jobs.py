"""How a command of a unit runs to its end: before the start in a container of its own, later inside the running one."""

from __future__ import annotations

from collections.abc import Mapping

from mlox.backends.docker import bodies, executing, files, labels, running
from mlox.backends.docker.bodies import Frame
from mlox.backends.docker.files import Environment
from mlox.backends.docker.labels import Name
from mlox.backends.docker.site import Site
from mlox.errors import ServiceError
from mlox.protocols import Emit, Event
from mlox.secret import Secret, mask
from mlox.units import Job, Unit, launch
from mlox.variables import finish

LINES = 20
KEPT = 1 << 20

INPUT = 'exec "$@" </dev/null'


def before_start(site: Site, frame: Frame, container: str, secrets: Mapping[str, Secret], emit: Emit) -> None:
    """Run the jobs before a start: those of ``init`` until they succeeded once, the others each time."""
    jobs = [job for job in frame.unit.jobs if job.when in ("init", "start")]
    done = files.remembered(site, container) if any(job.when == "init" for job in jobs) else ()
    for job in jobs:
        if job.when == "init" and job.name in done:
            continue
        alone(site, frame, job, secrets, emit)
        if job.when == "init":
            done = (*done, job.name)
            files.remember(site, container, done)


def alone(site: Site, frame: Frame, job: Job, secrets: Mapping[str, Secret], emit: Emit) -> None:
    """Run a job in a container of its own, which is removed afterwards.

    Raises:
        ServiceError: it failed or took too long.
    """
    unit = frame.unit
    emit(Event(unit.service, f"running {job.name}"))
    name = Name.of(unit).beside(f"job-{job.name}")
    body, platform = bodies.job(frame, job), frame.wishes.platform
    code, written = running.to_end(
        site, name, body, timeout_s=job.timeout_s, doing=f"run {job.name} of {unit.service}", platform=platform
    )
    if code != 0:
        how = f"took longer than {job.timeout_s:g} s" if code is None else f"ended with exit code {code}"
        raise _failed(unit, job, f"{how}{_told(written)}", secrets)


def inside(site: Site, unit: Unit, job: Job, secrets: Mapping[str, Secret], emit: Emit) -> None:
    """Run a job inside the running container; its variables come over standard input, where nobody else reads.

    Raises:
        ServiceError: it failed or took too long, or the unit does not run.
    """
    environment = Environment.of(unit, launch(unit, secrets))
    there = labels.one(site.engine, Name.of(unit))
    if there is None or there.state != "running":
        raise ServiceError(
            f"job {job.name} of {unit.service} cannot run, since that does not",
            hint=f"Start it: mlox up {unit.service}.",
        )
    emit(Event(unit.service, f"running {job.name}"))
    argv = (files.SHELL, "-s", "--", *(finish(word) for word in job.argv))
    given = files.script({**environment.plain, **environment.secret}, INPUT)
    written = bytearray()
    try:
        code = executing.run(
            site, there.id, argv, given=given, timeout_s=job.timeout_s, take=lambda _, part: written.extend(part)
        )
    except executing.TooLong:
        how = f"took longer than {job.timeout_s:g} s{_told(bytes(written))}"
        raise _failed(unit, job, how, secrets) from None
    if code != 0:
        raise _failed(unit, job, f"ended with exit code {code}{_told(bytes(written))}", secrets)


def _told(written: bytes) -> str:
    """The last lines, as the end of a sentence."""
    lines = written[-KEPT:].decode("utf-8", "replace").strip().splitlines()[-LINES:]
    return ":\n" + "\n".join(f"  {line}" for line in lines) if lines else ""


def _failed(unit: Unit, job: Job, how: str, secrets: Mapping[str, Secret]) -> ServiceError:
    return ServiceError(
        mask(f"job {job.name} of {unit.service} {how}", list(secrets.values())),
        hint=f"Mend that, then `mlox up {unit.service}`; its data is kept.",
    )
