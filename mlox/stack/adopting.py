"""What runs, as `mlox.yaml` would have to say it: read from the intent in the annotations; no machine is touched."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mlox.documents import REMOVED, edited
from mlox.errors import UnknownNameError, UsageError
from mlox.plan import Plan
from mlox.protocols import Observed
from mlox.resolve import check_options, read_option
from mlox.specs import EMBEDDED, CatalogService, ServiceSpec, StackSpec
from mlox.stack.forwarding import refuse_forwarders
from mlox.stack.joining import with_service
from mlox.stack.operations import plan_up, units_of
from mlox.stack.surroundings import Surroundings
from mlox.values import plan_rows
from mlox.workspace import SPEC, Workspace

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Adoption:
    """What has to be written of each service, how the file changes by that, and what differs all the same."""

    changes: Mapping[str, Values]
    diff: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)


def adoption(around: Surroundings, names: Collection[str] = ()) -> Adoption:
    """What `mlox.yaml` lacks of what runs; ``names`` chooses, and takes what is stopped as well.

    Raises:
        UnknownNameError: there is no such service, or the catalog does not know what it is.
        UsageError: nothing is there of a service that is named, or its annotation cannot be read.
        SpecError, WiringError: what runs cannot be written.
    """
    there = _chosen(around, names)
    spec = around.spec
    changes: dict[str, Values] = {}
    for name, first in there.items():
        entry = _entry(around, name, first)
        ran = _as_it_ran(first, entry)
        written = spec.services.get(name)
        values = _new(ran, entry) if written is None else _changed(ran, written, entry)
        if values:
            changes[name] = values
            spec = with_service(spec, name, ran)
    if not changes:
        return Adoption({})
    left = tuple(f"{service}: {why}" for _, service, _, why in plan_rows(_plan(around, spec, changes), detail=False))
    return Adoption(changes, _diff(around.workspace, changes), left)


def write(workspace: Workspace, adopted: Adoption) -> None:
    """Write it into `mlox.yaml`; comments and all else stay."""
    for name, values in adopted.changes.items():
        workspace.put_service(name, values)


def _chosen(around: Surroundings, names: Collection[str]) -> dict[str, Observed]:
    """One unit of each service that is meant: what runs, or is named, and of that what it needs."""
    refuse_forwarders(around, names)
    for name in names:
        if not units_of(around, name):
            raise UsageError(f"there is nothing of {name} on a server", hint=f"Start it: mlox up {name}.")
    first: dict[str, Observed] = {}
    for o in around.observed.values():
        if not o.unit.forwards:
            first.setdefault(o.service, o)
    waiting = list(names) or [o.service for o in first.values() if o.state != "stopped"]
    chosen: dict[str, Observed] = {}
    while waiting:
        name = waiting.pop(0)
        if name in chosen or name not in first:
            continue
        chosen[name] = first[name]
        needed = _needs(dict(first[name].unit.intent)).values()
        waiting += [other for other in needed if other not in around.spec.services]
    return {name: chosen[name] for name in sorted(chosen, key=list(first).index)}


def _entry(around: Surroundings, name: str, seen: Observed) -> CatalogService:
    if not seen.unit.intent:
        raise UsageError(
            f"what {name} was meant to be cannot be read: {seen.note or 'its annotation says nothing'}",
            hint=f"Write it into {SPEC} yourself, then: mlox up {name}.",
        )
    kind = seen.unit.catalog
    if kind not in around.catalog.names():
        raise UnknownNameError(
            f"{name} runs as {kind!r}, which the catalog does not know; nothing was written",
            hint=f"Bring services/{kind}.yaml here, from where it was started.",
        )
    return around.catalog.get(kind).service


def _as_it_ran(seen: Observed, entry: CatalogService) -> Values:
    """The service as a spec has it; of options those that differ from what the catalog says by itself."""
    intent = dict(seen.unit.intent)
    options = {}
    for key, spec in entry.options.items():
        text = intent.get(f"options.{key}")
        value = read_option(spec, text, where=f"{seen.service}: option {key!r}") if text is not None else None
        if value is not None and value != spec.default:
            options[key] = value
    return {
        "service": entry.name,
        "version": intent.get("version", seen.unit.version),
        "needs": _needs(intent),
        "options": options,
        "ports": {key.removeprefix("ports."): int(text) for key, text in intent.items() if key.startswith("ports.")},
        "server": intent.get("server", seen.unit.server),
    }


def _needs(intent: Mapping[str, str]) -> dict[str, str]:
    found = {key.removeprefix("needs."): text.split()[0] for key, text in intent.items() if key.startswith("needs.")}
    return {need: provider for need, provider in found.items() if provider}


def _new(ran: Values, entry: CatalogService) -> Values:
    """What is written of a service that is not there yet."""
    check_options(entry, ran["options"], where=entry.name)
    return {key: value for key, value in ran.items() if value not in ({}, None) and (key, value) != ("server", "local")}


def _changed(ran: Values, written: ServiceSpec, entry: CatalogService) -> Values:
    """Only what differs of one that is."""
    values: Values = {}
    if written.service != ran["service"]:
        values["service"] = ran["service"]
    for key in ("version", "server"):
        if getattr(written, key) != ran[key]:
            values[key] = ran[key]
    defaults = {key: spec.default for key, spec in entry.options.items()}
    for section, usual in (("needs", {}), ("options", defaults), ("ports", {})):
        here, there = dict(getattr(written, section)), ran[section]
        changed = {key: value for key, value in there.items() if here.get(key, usual.get(key)) != value}
        gone = {key: REMOVED for key, value in here.items() if key not in there and value != usual.get(key)}
        if changed or gone:
            values[section] = {**changed, **gone}
    return values


def _plan(around: Surroundings, spec: StackSpec, changes: Collection[str]) -> Plan:
    needed = {p for name in changes for p in spec.services[name].needs.values() if p != EMBEDDED}
    return plan_up(around, spec, (*changes, *sorted(needed - set(changes))), prune=False)


def _diff(workspace: Workspace, changes: Mapping[str, Values]) -> tuple[str, ...]:
    before = workspace.path.read_text("utf-8")
    after = edited(before, {"services": changes}, source=SPEC)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), SPEC, SPEC, lineterm="", n=1)
    return tuple(line for line in lines if not line.startswith(("---", "+++", "@@")))
