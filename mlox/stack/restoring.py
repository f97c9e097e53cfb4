"""How a service gets the data of a backup, in its place or beside it under another name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mlox.apply import Applied
from mlox.apply.recording import recorded
from mlox.apply.restoring import Restoration, restore
from mlox.apply.saving import About, Shelf
from mlox.backups import Backup
from mlox.errors import LockedError, MloxError, RequirementError, UnknownNameError, UsageError
from mlox.plan import Action, Kind, Plan, Reason
from mlox.protocols import Emit, Event
from mlox.resolve import apart, major, resolve
from mlox.secret import Secret
from mlox.specs import StackSpec
from mlox.stack.joining import with_service
from mlox.stack.operations import new_values, started
from mlox.stack.saving import with_commands
from mlox.stack.surroundings import Surroundings
from mlox.values.saved import Restored


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore will do.

    Attributes:
        name: the service that gets the data. ``replaces``: how many bytes of data it has now; None where it is not
            there.
        stops: the services that stop meanwhile. ``spec``: the stack with it.
    """

    backup: Backup
    name: str
    replaces: int | None
    stops: tuple[str, ...]
    spec: StackSpec
    where: str

    @property
    def value(self) -> Restored:
        """What is told of it before it is done."""
        return Restored(self.backup, self.name, self.where, self.stops)


def plan_restore(
    around: Surroundings, backup: Backup, name: str, shelf: Shelf, *, version: str | None = None
) -> RestorePlan:
    """What a restore will do; touches nothing.

    Args:
        version: the one that the service has afterwards; by default the one that is written.

    Raises:
        UsageError: a service of that name is of another kind, or a change of it is not finished.
        RequirementError: the service as it is written cannot read the data.
    """
    spec = _with(around, backup, name)
    if version is not None:
        spec = with_service(spec, name, {**spec.services[name].model_dump(), "version": version})
    service = spec.services[name]
    if service.service != backup.catalog:
        raise UsageError(
            f"{name} is a {service.service}, and the backup is of a {backup.catalog}",
            hint=f"Restore it under another name: mlox restore {backup.service} --as NAME.",
        )
    if backup.how == "copy" and service.version is not None and apart(service.version, backup.version):
        raise RequirementError(
            f"the backup has the data of version {backup.version}, and {name} is {service.version}",
            hint=f"Write version: '{major(backup.version)}' for {name} in mlox.yaml, or restore it beside: "
            f"mlox restore {backup.service} --as NAME.",
        )
    there = [o for o in around.everything if o.service == name]
    if any(o.previous for o in there):
        raise UsageError(f"a change of {name} is not finished", hint=f"Finish it first: mlox up {name}.")
    elsewhere = {o.unit.server for o in there} - {service.server}
    if elsewhere:
        raise UsageError(
            f"{name} is on {min(elsewhere)}, and mlox.yaml says {service.server}", hint=f"Settle that: mlox up {name}."
        )
    users = (o for o in around.observed.values() if name in o.unit.after and o.state != "stopped")
    stops = tuple(dict.fromkeys((*(name for _ in there[:1]), *(o.service for o in users if not o.unit.forwards))))
    size = around.backend(service.server).data_size([o.unit for o in there]) if there else None
    return RestorePlan(backup, name, size, stops, spec, shelf.store.where)


def restore_service(
    around: Surroundings, plan: RestorePlan, shelf: Shelf, *, verify: bool = True, emit: Emit
) -> Restored:
    """Restore; the stack is held. What it needs runs first, and what needs it runs again afterwards.

    Args:
        verify: whether the service has to hold what it held when it was saved.

    Raises:
        RolledBackError: it failed; the service is as it was, with its data.
        MloxError: it failed.
    """
    backup, name = plan.backup, plan.name
    about = About.read(shelf, backup)
    about = about if verify else replace(about, held="")
    again = [o for o in around.stopped if o in plan.spec.services and o != name]
    before, around = around, around.with_spec(plan.spec)
    needed = [p for p in plan.spec.services[name].needs.values() if p in plan.spec.services]
    if needed:
        started(around, needed, emit)
    done: list[str] = []

    def commit() -> None:
        _write(around, plan)
        done.append(name)

    changed = _give(around, {_renamed(each, backup, name): secret for each, secret in about.secrets.items()})
    try:
        what = _restoration(replace(around), plan)
        applied = Applied()
        with recorded(_as_plan(what), replace(around).seams(), applied, emit):
            try:
                compared = restore(what, about, shelf, replace(around).seams(), emit=emit, commit=commit)
            except MloxError as error:
                applied.failed[name] = error
                raise
    except LockedError:  # it is somebody else's by now
        raise
    except MloxError:
        if not done:
            _take_back(around, changed)
            _again(before, [each for each in (*again, *plan.stops) if each != name], emit)
        raise
    return replace(plan.value, compared=compared, deployed=started(around, (name, *again, *plan.stops), emit))


def _with(around: Surroundings, backup: Backup, name: str) -> StackSpec:
    """The stack with the service in it: as it is written, else as it was when it was saved.

    Raises:
        UnknownNameError: what it was needs a service that is gone.
    """
    if name in around.spec.services:
        return around.spec
    like = around.spec.services.get(backup.service)
    server = like.server if like is not None else backup.server
    around.spec_of(server)
    values = {
        "service": backup.catalog,
        "version": backup.version,
        "options": dict(backup.options),
        "needs": dict(like.needs) if like is not None else {},
        "server": server,
    }
    if backup.catalog not in around.catalog.names():
        raise UnknownNameError.among("service", backup.catalog, around.catalog.names())
    return with_service(around.spec, name, values)


def _restoration(around: Surroundings, plan: RestorePlan) -> Restoration:
    rendered = resolve(plan.spec, [plan.name], around.world(plan.spec))
    own = tuple(unit for unit in rendered if unit.service == plan.name)
    there = [o for o in around.everything if o.service == plan.name]
    users = tuple(o.unit for o in around.observed.values() if o.service in plan.stops and o.service != plan.name)
    runs = any(o.state != "stopped" for o in there)
    return Restoration(plan.backup, tuple(with_commands(o.unit, own) for o in there), own, users, runs)


def _give(around: Surroundings, secrets: Mapping[str, Secret]) -> dict[str, Secret | None]:
    """Let the service's secrets be those of the backup; returns what those that changed were."""
    store, known = around.store, set(around.store.names())
    changed: dict[str, Secret | None] = {}
    for name, secret in secrets.items():
        before = store.get(name) if name in known else None
        if before is None or before != secret:
            changed[name] = before
            store.set(name, secret)
    return changed


def _take_back(around: Surroundings, changed: Mapping[str, Secret | None]) -> None:
    for name, before in changed.items():
        if before is None:
            around.store.delete(name)
        else:
            around.store.set(name, before)


def _renamed(secret: str, backup: Backup, name: str) -> str:
    return f"{name}.{secret.removeprefix(f'{backup.service}.')}"


def _write(around: Surroundings, plan: RestorePlan) -> None:
    for name, values in new_values(around.workspace.read(), plan.spec).items():
        if name == plan.name:
            around.workspace.put_service(name, values)


def _as_plan(what: Restoration) -> Plan:
    """What the history tells of it."""
    why = (Reason("data", None, what.backup.id),)
    kind: Kind = "replace" if what.before else "create"
    actions = (Action(kind, unit.service, unit.name, unit.server, unit, why) for unit in what.after)
    return Plan(what.after[0].stack, tuple(actions))


def _again(around: Surroundings, names: Sequence[str], emit: Emit) -> None:
    """Start what stopped for something that failed; what cannot be started is told, and does not hide why."""
    try:
        if names:  # none would be all
            started(around, names, emit)
    except MloxError as error:
        emit(Event("", f"not started again: {error.problem}", kind="warning"))
