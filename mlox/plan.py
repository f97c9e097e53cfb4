"""What would change: the ordered actions from desired and observed. Pure; a value that prints, hashes and is JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mlox.errors import UsageError
from mlox.forwarding import idle, ways_of
from mlox.moves import has_data, one_place
from mlox.protocols import Observed
from mlox.units import Unit, digest

Kind = Literal["create", "start", "update", "replace", "stop", "remove"]
Undo = Literal["data", "unit", "none"]

REPLACING = frozenset({"catalog", "version", "backend", "server", "source"})
"""Fields of an intent whose change is not a change of settings: another thing runs afterwards."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One field that differs: ``workers: 2 → 4``."""

    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.field}: {self.before or 'none'} → {self.after or 'none'}"


@dataclass(frozen=True, slots=True)
class Action:
    """One step: what happens to which unit, and why.

    Attributes:
        about: the unit as it will run, or as it stops.
        before: the unit that it takes the place of, and that comes back where the change fails.
        seen: what there was of it when the plan was made, by :func:`look_of`; empty: nothing.
        leaves: the server that ``before`` is on, where that is another one: it ends there.
    """

    kind: Kind
    service: str
    unit: str
    server: str
    about: Unit
    reasons: tuple[Reason, ...] = ()
    before: Unit | None = None
    seen: str = ""
    leaves: str = ""

    @property
    def key(self) -> str:
        """``service.unit``: unique in a stack."""
        return f"{self.service}.{self.unit}"

    @property
    def undo(self) -> Undo:
        """What comes back where it fails: the old unit with its data, the old unit, or nothing."""
        if self.before is None:
            return "none"
        data = self.before.stateful or self.about.stateful
        return "data" if data and not all(r.field.startswith("secrets.") for r in self.reasons) else "unit"

    def to_json(self) -> dict[str, Any]:
        """The object of INTERFACE: kind, service, unit, server, reasons; and what a failure would undo."""
        return {
            "kind": self.kind,
            "service": self.service,
            "unit": self.unit,
            "server": self.server,
            "reasons": [{"field": r.field, "from": r.before, "to": r.after} for r in self.reasons],
            "undo": self.undo,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions, in order, that bring a stack to what is written.

    Attributes:
        stack: the stack's id. ``units``: everything that should run afterwards, also what is not touched.
        seen: a digest of what the plan was made from; ``apply`` looks again and refuses when it differs.
        unlisted: services that run but are not in ``mlox.yaml``.
    """

    stack: str
    actions: tuple[Action, ...] = ()
    units: tuple[Unit, ...] = ()
    seen: str = ""
    unlisted: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits: the same for the same actions, whether a secret was generated meanwhile or not."""
        return digest([[a.kind, a.service, a.unit, a.server, _identity(a)] for a in self.actions])

    def to_json(self) -> dict[str, Any]:
        """The object of INTERFACE: digest, actions, services."""
        units = {unit.service: unit for unit in (*(a.about for a in self.actions), *self.units)}
        services = [
            {"name": name, "service": unit.catalog, "server": unit.server, "version": unit.version}
            for name, unit in sorted(units.items())
        ]
        return {"digest": self.digest, "actions": [a.to_json() for a in self.actions], "services": services}

    def __bool__(self) -> bool:
        return bool(self.actions)

    def __str__(self) -> str:
        lines = [f"{'service':<16} {'action':<8} {'on':<10} why"] if self.actions else ["nothing to do"]
        for action in self.actions:
            label = action.service if action.unit == "server" else f"{action.service}.{action.unit}"
            why = ", ".join(filter(None, (_why(action), *map(str, action.reasons))))
            lines.append(f"{label:<16} {action.kind:<8} {action.server:<10} {why}".rstrip())
        lines += undo_lines(self)
        lines += [f"{name} runs but is not in mlox.yaml (stop it: mlox up --prune)" for name in self.unlisted]
        return "\n".join(lines)


def make_plan(
    stack: str,
    units: Iterable[Unit],
    observed: Iterable[Observed],
    *,
    listed: Collection[str],
    prune: bool = False,
    here: Collection[str] = (),
) -> Plan:
    """The plan of ``up``: whatever of ``units`` is missing, stopped or different; it removes idle forwarders alone.

    Args:
        units: what should run, providers first.
        observed: everything of the stack that there is.
        listed: the services in ``mlox.yaml``; others that run are named, and with ``prune`` stopped.
        here: the servers that are this machine: those of one back end are one place.

    Raises:
        UsageError: a service with data is on another server than ``mlox.yaml`` says.
    """
    seen = tuple(observed)
    actions: list[Action] = []
    kept: list[Unit] = []
    for unit in units:
        of_it = [o for o in seen if o.key == unit.key]
        there = next((o for o in of_it if one_place(o.unit, unit, here)), None)
        away = next((o for o in of_it if not one_place(o.unit, unit, here)), None)
        action, target = _compare(unit, there)
        if away is not None and (there is None or (action is None and not has_data(away.unit))):
            action = _displace(away, target)
        kept.append(target)
        if action is not None:
            actions.append(action)
    strays = [o for o in seen if o.service not in listed and o.state != "stopped" and not o.unit.forwards]
    if prune:
        actions += [_down("stop", o) for o in _consumers_first(strays)]
    actions += [_down("remove", o) for o in idle(seen, kept, strays if prune else ())]
    unlisted = () if prune else tuple(sorted({o.service for o in strays}))
    return Plan(stack, tuple(actions), tuple(kept), fingerprint(seen), unlisted)


def make_down_plan(stack: str, observed: Iterable[Observed], names: Collection[str], *, purge: bool) -> Plan:
    """The plan of ``down``: stop what runs of ``names``, consumers first; with ``purge`` remove it with its data.

    A forwarder has nothing to keep: it is removed with the last service that it is there for.
    """
    seen = sorted((o for o in observed), key=lambda o: o.key)
    ways = ways_of(seen, names)
    chosen = [o for o in seen if o.service in names or o.service in ways]
    leaving = [o for o in chosen if purge or o.unit.forwards or o.state != "stopped"]
    kinds: Mapping[str, Kind] = {o.key: "remove" if purge or o.unit.forwards else "stop" for o in leaving}
    return Plan(stack, tuple(_down(kinds[o.key], o) for o in _consumers_first(leaving)), seen=fingerprint(seen))


def fingerprint(observed: Iterable[Observed]) -> str:
    """A digest of what there is: which units, by which intent, alive or not."""
    return digest(sorted({(o.key, o.unit.server, look_of(o)) for o in observed if not o.unit.watches}))


def look_of(observed: Observed | None) -> str:
    """What a plan is made from, of one unit: its intent, alive or not; empty where it is not there.

    Example:
        >>> look_of(None)
        ''
    """
    return "" if observed is None else f"{observed.digest} {'alive' if observed.state != 'stopped' else 'stopped'}"


def undo_lines(plan: Plan) -> list[str]:
    """What a reader should know of failures, for each service that the plan changes.

    Example:
        >>> undo_lines(Plan("demo-0001"))
        []
    """
    undone = {action.service: action.undo for action in plan.actions if action.undo != "none"}
    with_data = ", its data too (a copy is kept meanwhile)"
    return [
        f"{name}: back to what it is now if that fails{with_data if undo == 'data' else ''}"
        for name, undo in undone.items()
    ]


def _compare(unit: Unit, there: Observed | None) -> tuple[Action | None, Unit]:
    """What has to happen to one unit, and the unit that then runs.

    A unit whose intent is unchanged keeps the text in its annotation, whatever a newer mlox would render, but for its
    grants: they are run inside its providers, as these are now.
    """
    if there is None:
        grants = tuple(Reason(f"grants.{grant.need}", None, str(grant)) for grant in unit.grants)
        return Action("create", unit.service, unit.name, unit.server, unit, grants), unit
    seen, previous, kept = look_of(there), there.previous, replace(there.unit, grants=unit.grants)
    before, after = dict(there.unit.intent), dict(unit.intent)
    reasons = _reasons(before, after)
    if reasons:
        kind: Kind = "replace" if any(before.get(f) != after.get(f) for f in REPLACING) else "update"
        back = None if _rotates(unit, reasons) else previous or there.unit
        return Action(kind, unit.service, unit.name, unit.server, unit, reasons, back, seen), unit
    if there.state in ("running", "starting"):
        if previous is None:
            return None, there.unit
        unsettled = (Reason("update", "not finished", "finished"),)
        return Action("start", unit.service, unit.name, unit.server, kept, unsettled, previous, seen), kept
    target = kept if there.unit.ports == unit.ports else unit
    reasons = _reasons(_ports(there.unit), _ports(unit))
    state = () if there.state == "stopped" else (Reason("state", there.state, "running"),)
    return Action("start", unit.service, unit.name, unit.server, target, (*state, *reasons), previous, seen), target


def _displace(away: Observed, unit: Unit) -> Action:
    """What has to happen to a unit that runs on another server than it should."""
    there = away.unit.server
    if has_data(away.unit):
        raise UsageError(
            f"{unit.service} is on {there} with its data, and mlox.yaml puts it on {unit.server}",
            hint=f"Move it: mlox move {unit.service} --to {unit.server}; or write server: {there} again.",
        )
    moves = (Reason("server", there, unit.server),)
    seen = look_of(away)
    return Action("replace", unit.service, unit.name, unit.server, unit, moves, away.unit, seen, leaves=there)


def _rotates(unit: Unit, reasons: Iterable[Reason]) -> bool:
    """Whether nothing but generated secrets changes: what knows them changes with them, and has its own way back."""
    return {r.field for r in reasons} <= {f"secrets.{ref.key}" for ref in unit.secrets if ref.generate}


def _down(kind: Kind, there: Observed) -> Action:
    return Action(kind, there.service, there.name, there.unit.server, there.unit, seen=look_of(there))


def _ports(unit: Unit) -> dict[str, str]:
    return {f"ports.{port.name}": str(port.number) for port in unit.ports}


def _reasons(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Reason, ...]:
    fields = sorted(set(before) | set(after))
    names = {field: field.removeprefix("options.") for field in fields}
    return tuple(Reason(names[f], before.get(f), after.get(f)) for f in fields if before.get(f) != after.get(f))


def _identity(action: Action) -> object:
    """What enters the digest: the intent and the ports, with generated secrets as pending."""
    fields = dict(action.about.intent)
    fields |= {f"secrets.{ref.key}": f"<generate {ref.name}>" for ref in action.about.secrets if ref.generate}
    return [fields, [[p.name, p.number] for p in action.about.ports]]


def goes(action: Action) -> str:
    """What is gone after a removal: the unit's data, and what it has at providers; empty for any other action."""
    if action.about.forwards:
        return "nobody needs it any more" if action.kind == "remove" else ""
    there = [str(grant) for grant in action.about.grants if grant.revoke]
    return ", and ".join(["with its data", *there]) if action.kind == "remove" else ""


def _why(action: Action) -> str:
    """What is not told by reasons: what runs afterwards, or what goes."""
    if action.kind in ("stop", "remove") or (action.reasons and action.kind != "create"):
        return goes(action)
    ports = ", ".join(f"{port.name} on port {port.number}" for port in action.about.ports)
    return f"{action.about.catalog} {action.about.version}" + (f", {ports}" if ports else "")


def _consumers_first(observed: Sequence[Observed]) -> list[Observed]:
    after: Mapping[str, set[str]] = {o.service: set() for o in observed}
    for o in observed:
        after[o.service].update(o.unit.after)
    return sorted(observed, key=lambda o: (-_depth(o.service, after, ()), o.key))


def _depth(name: str, after: Mapping[str, set[str]], path: tuple[str, ...]) -> int:
    if name not in after or name in path:
        return 0
    return 1 + max((_depth(other, after, (*path, name)) for other in after[name]), default=0)
