"""What was done to a stack, as its servers remember it, the latest first."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from mlox.errors import UnknownNameError, UsageError
from mlox.protocols import Entry, Step
from mlox.stack.surroundings import Surroundings
from mlox.values import Table

SHOWN = 20
"""How many entries are shown, where nobody says how many."""

_PORT = re.compile(r" at (?:port )?\S*\d")
_PASSING = ("secrets.", "ports.", "state:", "grants.")
"""Reasons with what differs between runs: versions of secrets, ports; or with what the kind of action says already."""


@dataclass(frozen=True, slots=True, repr=False)
class History(Table):
    """The entries as they were made, and a row for each."""

    entries: tuple[Entry, ...] = ()


def history(around: Surroundings, name: str | None = None, *, limit: int | None = None) -> History:
    """All that is remembered of a stack, or of one service.

    Raises:
        UnknownNameError: nothing of that name is, or was. UsageError: ``limit`` is less than one.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"--limit takes a number from 1 on, not {limit}", hint="Leave it out, or say 1.")
    everything = _entries(around)
    known = {step.service for entry in everything for step in entry.steps} | set(around.spec.services)
    if name is not None and name not in known:
        raise UnknownNameError.among("service", name, known, where=f"{around.spec.name}: ")
    chosen = [entry for entry in everything if name is None or name in {step.service for step in entry.steps}]
    latest = tuple(reversed(chosen))[: limit or SHOWN]
    more = len(chosen) - len(latest)
    return History(
        ("when", "who", "what", "came to", "plan"),
        tuple(_row(entry) for entry in latest),
        {"history": [asdict(entry) for entry in latest]},
        detailed=frozenset({"when", "who", "plan"}),
        empty="nothing was done yet" if name is None else f"nothing was done to {name} yet",
        notes=(f"{more} more: {{mlox}} history --limit {len(chosen)}",) if more else (),
        entries=latest,
    )


def _entries(around: Surroundings) -> list[Entry]:
    """Every entry once, the oldest first; what nobody works on any more was interrupted."""
    if around.spec.id is None:
        return []
    found: dict[str, Entry] = {}
    for backend in around.backends.values():
        holder = backend.holder(around.spec.id)
        for entry in backend.history(around.spec.id):
            lost = entry.outcome == "under way" and (holder is None or holder.token != entry.token)
            found[entry.id] = replace(entry, outcome="interrupted") if lost else entry
    return sorted(found.values(), key=lambda entry: entry.at)


def _row(entry: Entry) -> tuple[str, ...]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at))
    failed = "; ".join(f"{name}: {problem}" for name, problem in entry.failures)
    came_to = f"{entry.outcome}: {', '.join(dict(entry.failures))}" if failed else entry.outcome
    who = f"{entry.user} on {entry.host} ({entry.program})"
    return (when, who, "; ".join(_told(entry.steps)), came_to, f"{entry.digest} {failed}".strip())


def _told(steps: Iterable[Step]) -> list[str]:
    """``create redis, mlflow``: services by what happened to them, and why, where a setting changed."""
    kinds: dict[str, dict[str, None]] = {}
    for step in steps:
        settings = [_PORT.sub("", each) for each in step.reasons if not each.startswith(_PASSING)]
        why = f" ({', '.join(settings)})" if settings and step.kind in ("update", "replace") else ""
        kinds.setdefault(step.kind, {})[f"{step.service}{why}"] = None
    return [f"{kind} {', '.join(services)}" for kind, services in kinds.items()]
