"""What a plan means for data that people have: what stays where it is, and what is gone afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlox.errors import MloxError
from mlox.values import Deployed
from mlox.values.saved import saved_at

if TYPE_CHECKING:
    from mlox.plan import Plan
    from mlox.specs import CatalogService
    from mlox.stack import Stack


def stays(stack: Stack, done: Deployed) -> tuple[str, ...]:
    """Who could use a provider that just came up, and does not, since nothing moves unasked."""
    from mlox.resolve import could_use

    around = stack.surroundings()
    fresh = [action.service for action in done.plan.actions if action.kind == "create"]
    entries = {name: around.service(name) for name in around.spec.services}
    pairs = [
        (*pair, provider)
        for provider in fresh
        if provider in entries
        for pair in could_use(around.spec, entries, provider)
    ]
    return tuple(
        f"{name} stays on its own {need}, and its data cannot be moved to {provider} yet; a second one there: "
        f"{{mlox}} up {around.spec.services[name].service} --as NAME --needs {need}={provider}"
        if _has_data(entries[name], need)
        else f"{name} stays without {provider}; for its {need}, write {need}: {provider} into mlox.yaml, then: "
        f"{{mlox}} up {name}"
        for name, need, provider in pairs
        if name not in fresh
    )


def _has_data(service: CatalogService, need: str) -> bool:
    """Whether a service that meets a need by itself has data of its own for that."""
    return any("${dir." in text for text in (service.needs[need].embedded or {}).values())


def left_behind(stack: Stack, plan: Plan) -> tuple[str, ...]:
    """Whose data a plan leaves where it is, because somebody has wired it otherwise in ``mlox.yaml``."""
    from mlox.specs import EMBEDDED

    moved = [
        (action.service, reason.field.removeprefix("needs."), reason.after.split()[0])
        for action in plan.actions
        for reason in action.reasons
        if reason.field.startswith("needs.") and reason.before == EMBEDDED and reason.after
    ]
    if not moved:
        return ()
    around = stack.surroundings()
    return tuple(
        f"{name} begins empty in {provider}: what it has stays in its own {need}, and is there again with embedded in "
        "mlox.yaml"
        for name, need, provider in moved
        if _has_data(around.service(name), need)
    )


def what_goes(stack: Stack, plan: Plan) -> str:
    """The question before a purge: which data, how much of it, where else some lies, and the last backup of it."""
    leaving = {action.service for action in plan.actions if not action.about.forwards}
    rows = stack.status(*leaving).services
    data = [f"{row.name}: {(row.disk_bytes or 0) / 1e6:.1f} MB in {row.data_path or 'no folder'}" for row in rows]
    around = stack.surroundings()
    data += [
        f"{g} of {a.service}" for a in plan.actions for g in a.about.grants if g.revoke and g.provider not in leaving
    ]
    others = (o for o in around.observed.values() if o.service not in leaving)
    data += [f"with it {grant} of {o.service}" for o in others for grant in o.unit.grants if grant.provider in leaving]
    told = "; ".join((*data, *_saved(stack, [row.name for row in rows])))
    return f"This deletes the data of {', '.join(row.name for row in rows)} for good ({told})."


def _saved(stack: Stack, names: list[str]) -> list[str]:
    """When each service was saved last, where its backups are by default."""
    try:
        backups = stack.backups(*names).backups
    except MloxError as error:
        return [f"backups cannot be looked at: {error.problem}"]
    latest = {backup.service: backup for backup in reversed(backups)}
    if not latest:
        return ["no backup"]
    return [
        f"last backup of {name}: {saved_at(latest[name])}" if name in latest else f"no backup of {name}"
        for name in names
    ]
