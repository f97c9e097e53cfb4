"""Whether a service fits onto a server: which ports it gets, and whether memory, disk and programs are there. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping

from mlox.errors import RequirementError, UnknownNameError
from mlox.protocols import Facts, Program
from mlox.resolve.versions import apart
from mlox.specs import CatalogService

PORT_TRIES = 50
"""How many ports upwards of the wish are looked at."""

NAMED = 8
"""From so many services on they are counted in an error, not named."""


def candidate_ports(service: CatalogService, asked: Mapping[str, int]) -> frozenset[int]:
    """The ports that :func:`choose_ports` may look at: what ``facts`` should be asked about."""
    wishes = {port for spec in service.ports.values() for port in range(spec.port, min(spec.port + PORT_TRIES, 65536))}
    return frozenset(wishes | set(asked.values()))


def choose_ports(
    name: str,
    service: CatalogService,
    asked: Mapping[str, int],
    had: Mapping[str, int],
    held: Collection[str],
    busy: Collection[int],
    kept: Collection[int] = (),
) -> dict[str, int]:
    """A number for each port: what the service has stays; else what the user asked for; else the first free one.

    A port of TCP and one of UDP may have the same number.

    Args:
        asked: by ``mlox.yaml``. ``had``: by the annotation of what runs or ran.
        held: those of its ports that the service itself listens on right now.
        busy: ports that somebody uses. ``kept``: ports that others of the stack had or ask for; nobody new gets them.

    Raises:
        RequirementError: the asked port, or every port near the wish, is in use.
    """
    for port in asked:
        if port not in service.ports:
            raise UnknownNameError.among("port", port, service.ports, where=f"mlox.yaml: services.{name}.ports: ")
    numbers: dict[str, int] = {}
    for port, spec in service.ports.items():
        old, wanted = had.get(port), asked.get(port)
        rivals = {other for other, its in service.ports.items() if its.protocol == spec.protocol}
        taken = {*busy, *(number for other, number in numbers.items() if other in rivals)}
        if old is not None and wanted in (None, old) and (port in held or old not in taken):
            numbers[port] = old
        elif wanted is None:
            numbers[port] = _first_free(name, spec.port, {*taken, *kept, *(asked[p] for p in rivals & asked.keys())})
        elif wanted not in taken:
            numbers[port] = wanted
        else:
            raise RequirementError(
                f"{name}: the port {wanted} that mlox.yaml asks for is in use", hint="Free it, or take it out of ports."
            )
    return numbers


def programs(service: CatalogService) -> tuple[Program, ...]:
    """The programs that the service needs on the PATH where it runs natively, the one that it is first."""
    natives = [unit.native for unit in service.units.values() if unit.native]
    binaries = [native.binary for native in natives if native.binary]
    return tuple(
        Program(
            b.name,
            tuple(b.version_argv),
            b.version_pattern,
            b.debian or "",
            b.homebrew or "",
            tuple(b.folders),
            b.install or "",
        )
        for b in (*binaries, *(tool for native in natives for tool in native.tools))
    )


def own_program(service: CatalogService) -> Program | None:
    """The program that the service is, whose version is the service's; None where it is Python, whatever that calls."""
    natives = [unit.native for unit in service.units.values() if unit.native]
    return programs(service)[0] if any(native.binary for native in natives) else None


def check_programs(name: str, service: CatalogService, facts: Facts) -> None:
    """Raise a :class:`RequirementError` that names the package to install where a program is missing, or mute."""
    for program in programs(service):
        if program.name in facts.silent:
            raise RequirementError(
                f"{name}: {program.name} is on the PATH, and does not tell its version",
                hint=f"See what is wrong with it: {shlex.join(program.version_argv)}",
            )
        if program.name not in facts.programs:
            ways = [f"apt-get install {program.debian}"] * bool(program.debian)
            ways += [f"brew install {program.homebrew}"] * bool(program.homebrew)
            ways += [program.install] * bool(program.install)
            hint = f"Install it: {' or '.join(ways)}." if ways else "Install it."
            raise RequirementError(f"{name}: {program.name} is not on the PATH", hint=hint)


def check_version(name: str, service: CatalogService, version: str, facts: Facts) -> None:
    """Raise a :class:`RequirementError` where the program that is there is of another major version than is asked."""
    program = own_program(service)
    found = facts.programs.get(program.name, "") if program else ""
    if program and found and apart(version, found):
        raise RequirementError(
            f"{name} is to be version {version}, and the {program.name} that is on the PATH is {found}",
            hint=f"Install that one, take this one (version: {found}), or run it in a container (--on docker).",
        )


def check_reach(name: str, service: CatalogService, server: str, facts: Facts) -> None:
    """Raise a :class:`RequirementError` where nobody here could reach the service's ports."""
    if facts.elsewhere and service.ports:
        raise RequirementError(
            f"{name} would listen on the loopback of another machine: {server} is the engine at {facts.elsewhere}",
            hint="Choose an engine of this machine (docker context use default; unset DOCKER_HOST), or run mlox there.",
        )


def check_room(name: str, service: CatalogService, server: str, facts: Facts) -> None:
    """Raise a :class:`RequirementError` where memory or disk cannot hold the service."""
    for what, needed, there in (
        ("memory", service.estimate.memory_bytes, facts.memory_bytes),
        ("disk", service.estimate.disk_bytes, facts.disk_free_bytes),
    ):
        if needed > there:
            raise RequirementError(
                f"{name} takes about {needed / 1e9:.1f} GB of {what}; {server} has {there / 1e9:.1f} GB",
                hint="Free some, or choose another server with --on.",
            )


def check_sum(services: Mapping[str, CatalogService], server: str, facts: Facts) -> None:
    """Raise a :class:`RequirementError` where memory or disk cannot hold all of these new services together."""
    names = ", ".join(services) if len(services) < NAMED else f"{len(services)} services"
    for what, needed, there in (
        ("memory", sum(s.estimate.memory_bytes for s in services.values()), facts.memory_bytes),
        ("disk", sum(s.estimate.disk_bytes for s in services.values()), facts.disk_free_bytes),
    ):
        if needed > there:
            raise RequirementError(
                f"{names} together take about {needed / 1e9:.1f} GB of {what}; {server} has {there / 1e9:.1f} GB",
                hint="Start fewer of them, free some, or put some on another server.",
            )


def _first_free(name: str, wish: int, busy: Collection[int]) -> int:
    last = min(wish + PORT_TRIES, 65536)
    found = next((port for port in range(wish, last) if port not in busy), None)
    if found is None:
        raise RequirementError(f"{name}: no free port from {wish} to {last - 1}", hint="Free one of them.")
    return found
