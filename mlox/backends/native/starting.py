"""How a native unit comes to run: everything is prepared while the old one runs, then it is swapped."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from mlox.backends.native import environments, folders, labels, launching, observing, ports, shim
from mlox.backends.native.configuration import entry
from mlox.backends.native.layout import UnitPlace, check_name, writing
from mlox.backends.native.logfiles import last_lines
from mlox.backends.native.site import Site
from mlox.backends.native.stopping import halt
from mlox.errors import CommandError, ServiceError
from mlox.protocols import Emit, Event
from mlox.secret import Secret, mask
from mlox.units import Job, Unit, launch
from mlox.variables import finish, literal

JOB_LINES = 20


def start(site: Site, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
    """Make the unit run as described; see :meth:`mlox.protocols.Backend.start`."""
    place = site.place(unit.stack).unit(unit.service, unit.name)
    there = labels.read(place)
    old = there if isinstance(there, Unit) else None
    if old is not None and labels.fits(old, unit) and _runs(site, place, unit):
        return
    files = launch(unit, secrets).files
    _check_ports(place, unit, old)
    account = site.runs_as(unit)
    folders.make_home(site.home, site.account())
    with environments.used(site, unit.software, unit.service, emit) as venv:
        prepared = launching.prepare(place, unit, secrets, argv=_command(site, unit), account=account, venv=venv)
        folders.make_stack(place.stack, site.account(), site.transport)
        halt(site, place, old)
        ports.check(unit, unit.ports)
        labels.write(place, unit, site.transport)
    folders.make_unit(place, unit, account)
    for file in files:
        target = place.inside(file.path)
        with writing(target):
            folders.make_owned(place, str(target.parent), account)
            site.transport.put(file.content.encode(), target, mode=file.mode, account=account.switch)
    launching.write(place, prepared, place.launch, site.transport, account, supervised=True)
    _jobs(site, place, unit, secrets, emit)
    supervisor = site.supervisor(place.stack)
    with supervisor.locked(), writing(place.program):
        content = entry(unit, site.interpreter().path, account, place).encode()
        site.transport.put(content, place.program, mode=0o600)
        supervisor.add(place)


def prepare(site: Site, unit: Unit, emit: Emit) -> None:
    """Do what can be done while an older one runs; see :meth:`mlox.protocols.Backend.prepare`."""
    place = site.place(unit.stack).unit(unit.service, unit.name)
    there = labels.read(place)
    _check_ports(place, unit, there if isinstance(there, Unit) else None)
    account = site.runs_as(unit)
    folders.make_home(site.home, site.account())
    with environments.used(site, unit.software, unit.service, emit) as venv:
        launching.program(finish(_command(site, unit)[0]), launching.search_path(account, venv))


def run_job(site: Site, unit: Unit, job: Job, secrets: Mapping[str, Secret], emit: Emit) -> None:
    """Run one command in the unit's place; see :meth:`mlox.protocols.Backend.run_job`."""
    check_name("job", job.name)
    place = site.place(unit.stack).unit(unit.service, unit.name)
    account = site.account()
    folders.make_stack(place.stack, account, site.transport)
    folders.make_unit(place, unit, account)
    path = place.launch.with_name(f"{place.key}.{job.name}.job")
    argv = (str(site.interpreter().path), "-I", "-S", str(place.stack.shim), str(path))
    with environments.used(site, unit.software, unit.service, emit) as venv:
        prepared = launching.prepare(place, unit, secrets, argv=job.argv, account=account, venv=venv)
        emit(Event(unit.service, f"running {job.name}"))
        launching.write(place, prepared, path, site.transport, account, supervised=False)
        try:
            done = site.transport.run(argv, timeout_s=job.timeout_s, account=account.switch)
        except CommandError as e:
            raise _failed(unit, job, e.problem.rpartition(f"{path.name} ")[2], secrets) from None
        finally:
            path.unlink(missing_ok=True)
    if done.code != 0:
        output = last_lines(f"{done.stdout}\n{done.stderr}", JOB_LINES)
        raise _failed(unit, job, f"ended with exit code {done.code}{output}", secrets)


def _check_ports(place: UnitPlace, unit: Unit, old: Unit | None) -> None:
    """Refuse ports that others hold; those of the unit itself, while it runs, are its own."""
    if not shim.members(place.marker, shim.read_record(str(place.record))):
        ports.check(unit, unit.ports)
    elif old is not None:
        held = {(port.address, port.number, port.protocol) for port in old.ports}
        ports.check(unit, [port for port in unit.ports if (port.address, port.number, port.protocol) not in held])


def _command(site: Site, unit: Unit) -> tuple[str, ...]:
    """The unit's command; a script of our own by the Python that carries the shim, mlox by the one that runs us."""
    if unit.watches:
        return (literal(sys.executable), "-P", "-m", "mlox", *unit.command)
    if not unit.software.interpreter:
        return unit.command
    return (literal(str(site.interpreter().path)), "-I", "-S", *unit.command)


def _failed(unit: Unit, job: Job, how: str, secrets: Mapping[str, Secret]) -> ServiceError:
    return ServiceError(
        mask(f"job {job.name} of {unit.service} {how}", list(secrets.values())),
        hint=f"Mend that, then `mlox up {unit.service}`; its data is kept.",
    )


def _runs(site: Site, place: UnitPlace, unit: Unit) -> bool:
    program = (site.supervisor(place.stack).programs() or {}).get(place.key)
    return (
        program is not None
        and place.program.exists()
        and program.state not in ("STOPPED", "STOPPING")
        and not observing.ended(program, unit)
    )


def _jobs(site: Site, place: UnitPlace, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
    """Run the jobs before a start: those of ``init`` until they succeeded once, the others each time."""
    done = _initialised(place)
    for job in unit.jobs:
        if job.when == "init" and job.name in done:
            continue
        if job.when in ("init", "start"):
            run_job(site, unit, job, secrets, emit)
        if job.when == "init":
            done = [*done, job.name]
            with writing(place.initialised):
                site.transport.put(
                    json.dumps(done).encode(), place.initialised, mode=0o600, account=site.account().switch
                )


def _initialised(place: UnitPlace) -> list[str]:
    try:
        value = json.loads(place.initialised.read_bytes())
    except (OSError, ValueError):
        return []
    return [str(name) for name in value] if isinstance(value, list) else []
