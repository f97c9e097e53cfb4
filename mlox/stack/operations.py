"""The steps of a stack's operations: choosing, planning, and telling how it went."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlox.errors import PartialError, SpecError, UnknownNameError, UsageError
from mlox.plan import Plan, make_down_plan, make_plan
from mlox.protocols import Emit, Observed
from mlox.resolve import check_sum, resolve
from mlox.secret import Secret
from mlox.specs import EMBEDDED, SecretSpec, StackSpec
from mlox.stack.clients import remove_files
from mlox.stack.forwarding import refuse_forwarders
from mlox.stack.joining import Asked, decide, join
from mlox.stack.rows import service_rows
from mlox.stack.surroundings import Surroundings
from mlox.stack.watched import find_watcher, forget
from mlox.values import Deployed
from mlox.workspace import Workspace

if TYPE_CHECKING:
    from mlox.apply import Applied


def joined(
    around: Surroundings, asked: Sequence[Asked], *, change_options: bool = False
) -> tuple[StackSpec, tuple[str, ...]]:
    """The stack with all of ``asked`` in it, and their names."""
    spec = around.spec
    names = []
    for one in asked:
        around.backend(one.server or "local")
        found = partial(around.found_version, one.server or "local")
        spec, name = join(spec, one, around.catalog, found, change_options=change_options)
        names.append(name)
    return spec, tuple(names)


def starting(around: Surroundings, names: Sequence[str], asked: Sequence[Asked]) -> tuple[StackSpec, tuple[str, ...]]:
    """The stack as ``up`` will have it, and what it starts (none: all): ``asked`` joined, all that is open decided.

    Raises:
        UnknownNameError: the stack has no service of a name.
        MloxError: something that is written cannot be.
    """
    spec, added = joined(around, asked, change_options=True)
    chosen = (*names, *added)
    refuse_forwarders(around, chosen)
    for name in chosen:
        if name not in spec.services:
            raise UnknownNameError.among("service", name, spec.services, where=f"{spec.name}: ")
    waiting = list(chosen or spec.services)
    for name in waiting:
        found = partial(around.found_version, spec.services[name].server)
        spec = decide(spec, name, around.catalog, found, around.intent(name))
        needed = [other for other in spec.services[name].needs.values() if other in spec.services]
        waiting += [other for other in needed if other not in waiting]
    return spec, chosen


def save(workspace: Workspace, before: StackSpec, after: StackSpec) -> tuple[str, ...]:
    """Write what ``after`` has and ``before`` has not; returns the names of the services written."""
    changes = new_values(before, after)
    for name, values in changes.items():
        workspace.put_service(name, values)
    return tuple(changes)


def new_values(before: StackSpec, after: StackSpec) -> dict[str, dict[str, object]]:
    """For each service what has to be written: everything of a new one, only what was decided or changed of an old."""
    changes: dict[str, dict[str, object]] = {}
    for name, service in after.services.items():
        old = before.services.get(name)
        if old is None:
            values = {key: value for key, value in service.model_dump(mode="json").items() if value not in ({}, None)}
            if service.server == "local":
                del values["server"]
            changes[name] = values
        elif old != service:
            parts = {
                "version": service.version if service.version != old.version else None,
                "needs": {key: value for key, value in service.needs.items() if old.needs.get(key) != value},
                "options": {key: value for key, value in service.options.items() if old.options.get(key) != value},
            }
            changes[name] = {key: value for key, value in parts.items() if value}
    return changes


def plan_up(around: Surroundings, spec: StackSpec, names: Collection[str], prune: bool) -> Plan:
    """The plan that starts ``names`` (none: all) of ``spec``."""
    known = around.with_spec(spec)
    world = known.world(spec)
    units = resolve(spec, names or tuple(spec.services), world)
    here = known.local_servers()
    plan = make_plan(spec.id or "", units, known.everything, listed=tuple(spec.services), prune=prune, here=here)
    new = {a.service: a.server for a in plan.actions if a.kind == "create" and not a.about.forwards}
    for server in sorted(set(new.values())):
        check_sum({name: world.services[name] for name in new if new[name] == server}, server, world.facts[server])
    return plan


def leaving(around: Surroundings, names: Collection[str], all_servers: bool) -> tuple[str, ...]:
    """The services that ``down`` means: the named ones, else all on this machine, else all."""
    known = {**dict.fromkeys(around.spec.services), **dict.fromkeys(o.service for o in around.observed.values())}
    for name in names:
        if name not in known:
            raise UnknownNameError.among("service", name, known, where=f"{around.spec.name}: ")
    here = around.local_servers()
    there = {o.service: o.unit.server for o in around.observed.values()}
    return tuple(names) or tuple(n for n in known if all_servers or there.get(n, "local") in here)


def alive(around: Surroundings) -> tuple[str, ...]:
    """The services that run.

    Raises:
        UsageError: none does.
    """
    found = {o.service for o in around.observed.values() if o.state != "stopped" and not o.unit.forwards}
    if not found:
        raise UsageError("nothing runs", hint="Start something: mlox up.")
    return tuple(sorted(found))


def outcome(plan: Plan, applied: Applied, around: Surroundings, written: Sequence[str]) -> Deployed:
    """What happened, as a value; or the error that tells it.

    Raises:
        MloxError: the one service that there was failed.
        PartialError: some failed and some did not, or several failed.
    """
    if len(applied.failed) == 1 and not applied.done:
        raise next(iter(applied.failed.values()))
    if applied.failed:
        told = "\n".join(f"{name}: {error.problem}" for name, error in applied.failed.items())
        done = f"reached: {', '.join(applied.done)}; " if applied.done else ""
        raise PartialError(
            f"{done}failed: {', '.join(applied.failed)}\n{told}",
            hint=_hints(applied),
            failures=tuple(applied.failed.items()),
        )
    return standing(plan, around, written, healthy=applied.done)


def standing(plan: Plan, around: Surroundings, written: Sequence[str], *, healthy: Collection[str] = ()) -> Deployed:
    """How the services of a plan stand, and what else there is to say; those of ``healthy`` have just answered."""
    names = {unit.service for unit in plan.units} | {action.service for action in plan.actions}
    notes = [f"wrote: mlox.yaml ({', '.join(written)})"] if written else []
    notes += [f"{name} runs but is not in mlox.yaml (stop it: {{mlox}} up --prune)" for name in plan.unlisted]
    return Deployed(plan, service_rows(around, names, healthy=healthy), tuple(notes))


def _hints(applied: Applied) -> str | None:
    """What to do about each failure: the one hint, or a line for each service."""
    hints = {name: error.hint for name, error in applied.failed.items() if error.hint}
    return "\n".join(hint if len(applied.failed) == 1 else f"{name}: {hint}" for name, hint in hints.items()) or None


def units_of(around: Surroundings, name: str) -> tuple[Observed, ...]:
    """What there is of a service.

    Raises:
        UnknownNameError: nothing, neither written nor running.
    """
    found = tuple(o for o in around.observed.values() if o.service == name)
    if not found and name not in around.spec.services:
        known = {*around.spec.services, *(o.service for o in around.observed.values())}
        raise UnknownNameError.among("service", name, known, where=f"{around.spec.name}: ")
    return found


def secrets_of(around: Surroundings, name: str) -> list[Secret]:
    """The secrets that the units of a service use: what has to be masked in what it writes."""
    refs = {(ref.name, ref.version) for o in units_of(around, name) for ref in o.unit.secrets if ref.version}
    known = set(around.store.names())
    return [around.store.get(secret, version) for secret, version in sorted(refs) if secret in known]


def started(around: Surroundings, names: Sequence[str], emit: Emit) -> Deployed:
    """Start services as they are written, and tell how they are; the stack's lock is held.

    Raises:
        MloxError: one could not be started.
    """
    from mlox.apply import apply

    now = replace(around)
    listed = [name for name in dict.fromkeys(names) if name in now.spec.services]
    plan = plan_up(now, now.spec, listed, prune=False)
    applied = apply(plan, now.seams(), emit=emit, cancel=threading.Event())
    return outcome(plan, applied, replace(now), ())


def take_down(around: Surroundings, names: Collection[str], *, purge: bool, emit: Emit) -> Deployed:
    """Stop ``names``, or remove them with their data; the stack's lock is held. The watcher goes with the last one."""
    from mlox.apply import apply

    plan = make_down_plan(around.spec.id or "", around.everything, names, purge=purge)
    applied = apply(plan, around.seams(), emit=emit, cancel=threading.Event())
    after = replace(around)
    _let_go(after, purge=purge, emit=emit)
    done = outcome(plan, applied, after, ())
    if not purge:
        return done
    clear(after, names)
    left = sorted(secret for secret in after.store.shared() if secret.partition(".")[0] in names)
    notes = tuple(f"{secret} stays in the vault (remove it: {{mlox}} secrets remove {secret})" for secret in left)
    return replace(done, notes=(*done.notes, *notes))


def _let_go(around: Surroundings, *, purge: bool, emit: Emit) -> None:
    """Stop the watcher of alerts where nothing runs any more; where nothing is left after a purge, remove it."""
    left = around.observed.values()
    if any(o.state != "stopped" for o in left):
        return
    if find_watcher(around) is not None:
        from mlox.stack.watcher import let_go

        let_go(around, emit, purge=purge and not left)
    if purge and not left:
        forget(around.workspace.root)


def clear(around: Surroundings, names: Collection[str]) -> None:
    """After a purge of ``names``, while the lock is held: what is left of them, at last what the stack itself has.

    That is what their clients read, and secrets that were generated for them.

    ``apply`` has removed these secrets, unless it was killed between the data and them.
    """
    there = {o.service for o in around.observed.values()}
    stored = set(around.own.names())
    for name in set(names) & set(around.spec.services) - there:
        with contextlib.suppress(SpecError, UnknownNameError):  # its catalog file is gone or broken
            keys = [key for key, secret in around.service(name).secrets.items() if secret.generate]
            made = {f"{name}.{key}" for key in (*keys, *granted(around, name))}
            for secret in sorted(made & stored):
                around.own.delete(secret)
    remove_files(around, set(names) - there)
    if not there:
        for backend in around.backends.values():
            backend.forget(around.spec.id or "")
        _clear_folder(around.folder)


def granted(around: Surroundings, service: str) -> dict[str, SecretSpec]:
    """The secrets that providers give a service, by their keys."""
    found: dict[str, SecretSpec] = {}
    needs = around.service(service).needs
    for need, provider in around.spec.services[service].needs.items():
        if provider != EMBEDDED and provider in around.spec.services and need in needs:
            offer = around.service(provider).provides.get(needs[need].capability)
            if offer is not None and offer.grant is not None:
                found |= {f"{need}_{key}": secret for key, secret in offer.grant.secrets.items()}
    return found


def _clear_folder(folder: Path) -> None:
    """Remove the lock and the empty folder, where nothing else is left in it; a stack without one was never started."""
    left = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    secrets = folder / "secrets"
    if secrets.is_dir() and not any(secrets.iterdir()):
        secrets.rmdir()
        left.discard("secrets")
    if left <= {"lock"}:
        (folder / "lock").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()


def users_secrets(around: Surroundings) -> list[str]:
    """The secrets that a person set, in the vault or for herself; those of services are theirs."""
    services = tuple(f"{name}." for name in (*around.spec.services, *(o.service for o in around.observed.values())))
    names = {*around.vault.names(), *around.own.names()}
    return sorted(name for name in names if not name.startswith(services))
