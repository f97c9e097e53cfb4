"""Whether and how a service can move to another server: what there is, which version it has there, who needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlox.errors import RequirementError, UnknownNameError, UsageError
from mlox.moves import Move, Wired
from mlox.protocols import Observed, Question
from mlox.resolve import apart, major, own_program, resolve
from mlox.specs import CONFIG, CatalogService, StackSpec
from mlox.stack.joining import check_version, with_service
from mlox.stack.surroundings import Surroundings
from mlox.units import Unit


def looked(around: Surroundings, name: str, target: str) -> Surroundings:
    """The same, with the server that a service goes to, and those that it may be on; ``mlox.yaml`` as it lies there.

    Where a person has written another server by hand, the stack is as if that had not been.

    Raises:
        UnknownNameError: there is no such service, or no such server.
        UsageError: a profile says where it is.
    """
    if name not in around.spec.services:
        raise UnknownNameError.among("service", name, around.spec.services, where=f"{around.spec.name}: ")
    around.spec_of(target)
    written = around.workspace.read().services[name].server
    if written != around.spec.services[name].server:
        raise UsageError(f"a profile says where {name} is", hint="Leave --profile out, or write it into the profile.")
    wide = replace(around, also=(*around.also, target))
    found = {o.unit.server for o in wide.everything if o.service == name}
    if not found:
        wide = wide.everywhere()
        found = {o.unit.server for o in wide.everything if o.service == name}
    here_already = written == target and _coming(wide, name, target) == "arrived"
    source = target if here_already else min(found - {target}, default=target)
    return replace(wide, spec=placed(wide.spec, name, source), also=(*wide.also, source))


def plan_move(around: Surroundings, name: str, target: str, version: str | None = None) -> Move | None:
    """What a move will do; None where the service is there already. ``around`` is :func:`looked`; touches nothing.

    Raises:
        UsageError: it has never run, or is not in order. RequirementError, SpecError: it cannot run there.
    """
    seen = [o for o in around.everything if o.service == name]
    source = around.spec.services[name].server
    if not seen:
        raise UsageError(
            f"nothing is there of {name}", hint=f"Write server: {target} in mlox.yaml, then mlox up {name}."
        )
    if source == target:
        return None
    _check_places(around, name, seen, target)
    there = [o for o in seen if o.unit.server == source]
    if any(o.previous for o in there):
        raise UsageError(f"a change of {name} is not finished", hint=f"Finish it first: mlox up {name}.")
    entry = around.service(name)
    chosen = _version(around, name, entry, there[0].unit.version, target, version)
    units = {
        unit.name: unit for unit in resolve(around.spec, [name], around.world(around.spec)) if unit.service == name
    }
    before = tuple(replace(o.unit, verify=units[o.name].verify if o.name in units else ()) for o in there)
    users = tuple(o.unit for o in around.everything if name in o.unit.after and o.state != "stopped")
    spec = placed(around.spec, name, target, chosen)
    after = replace(around, spec=spec)
    listed = [unit.service for unit in users if unit.service in spec.services]
    rendered = resolve(spec, [name, *listed], after.world(spec))
    there_then = tuple(unit for unit in rendered if unit.service == name)
    size = around.backend(source).data_size(before)
    move = Move(
        name,
        source,
        target,
        before,
        there_then,
        users,
        _forwarders(around, there_then, rendered),
        _wired(users, rendered),
        size,
        tuple(sorted({data for unit in before for data, _ in unit.directories if data != CONFIG})),
        tuple(each for each in around.stopped if each in spec.services and each != name),
    )
    _check_room(around, move, entry)
    return move


def placed(stack: StackSpec, name: str, server: str, version: str | None = None) -> StackSpec:
    """The stack with a service on a server, in a version where one is given."""
    there = stack.services[name]
    changes = {"server": server, "version": version or there.version}
    if (there.server, there.version) == (changes["server"], changes["version"]):
        return stack
    return with_service(stack, name, {**there.model_dump(), **changes})


def _check_places(around: Surroundings, name: str, seen: Sequence[Observed], target: str) -> None:
    here = around.local_servers()
    source = around.spec.services[name].server
    for server in (source, target):
        if server not in here:
            raise UsageError(f"{server} is not on this machine", hint="Move it between servers of this machine.")
    if around.spec_of(source).backend == around.spec_of(target).backend:
        raise UsageError(
            f"{source} and {target} are one place: there is nothing to move",
            hint=f"Write server: {target}, then mlox up.",
        )
    if any(o.unit.server == target for o in seen) and not _coming(around, name, target):
        raise UsageError(
            f"there is a {name} on {target} as well as on {source}", hint="Give one of them another name, or purge it."
        )


def _coming(around: Surroundings, name: str, target: str) -> str:
    """What a server has noted of a service that came there, while that is not settled."""
    noted = around.backend(target).passages(around.spec.id or "")
    return next((passage.role for passage in noted if passage.service == name), "")


def _version(
    around: Surroundings, name: str, entry: CatalogService, current: str, target: str, asked: str | None
) -> str:
    """The version that it has there: what is installed; of an image, that of the catalog, or the same.

    Raises:
        RequirementError: it is of another major version, which may not read the data.
    """
    native = around.spec_of(target).backend == "native"
    found = around.found_version(target, entry)
    published = entry.version if own_program(entry) and not native and not apart(entry.version, current) else current
    chosen = found or current if native else asked or published
    if apart(chosen, current) or (asked is not None and apart(asked, chosen)):
        raise RequirementError(
            f"{name} has data of version {current}, and {target} has {chosen if asked is None else asked}",
            hint=f"Have version {major(current)} there, or name one: mlox move {name}@{current} --to {target}.",
        )
    check_version(entry, chosen)
    return chosen


def _forwarders(around: Surroundings, units: Sequence[Unit], rendered: Sequence[Unit]) -> tuple[Unit, ...]:
    needed = {each for unit in units for each in unit.after}
    running = {o.key for o in around.everything if o.state == "running"}
    return tuple(u for u in rendered if u.forwards and u.service in needed and u.key not in running)


def _wired(users: Sequence[Unit], rendered: Sequence[Unit]) -> tuple[Wired, ...]:
    """The needs of consumers that are met at another address."""
    found = []
    for unit in rendered:
        before = next((dict(user.intent) for user in users if user.key == unit.key), None)
        for field, value in unit.intent if before is not None else ():
            was = (before or {}).get(field, "")
            if field.startswith("needs.") and was != value:
                found.append(Wired(unit.service, field.removeprefix("needs."), was, value))
    return tuple(found)


def _check_room(around: Surroundings, move: Move, entry: CatalogService) -> None:
    needed = move.size_bytes + entry.estimate.disk_bytes
    free = around.backend(move.target).facts(Question()).disk_free_bytes
    if needed > free:
        raise RequirementError(
            f"{move.service} takes about {needed / 1e9:.1f} GB on {move.target}, which has {free / 1e9:.1f} GB",
            hint="Free some disk space there.",
        )
