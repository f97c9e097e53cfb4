"""How what runs differs from what is written, and from how mlox made it; a look that changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Literal

from mlox.errors import MloxError, SecretError
from mlox.plan import Plan, Reason
from mlox.protocols import Observed
from mlox.resolve import with_providers
from mlox.secret import Secret
from mlox.stack.operations import plan_up, starting, units_of
from mlox.stack.surroundings import Surroundings
from mlox.values import Table, steady

LOOKS_AT_ONCE = 8

Kind = Literal["setting", "state", "absent", "unlisted", "file", "environment", "command", "supervisor", "port", "plan"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: of which unit, what, how it is here, and how it is written, where that says more."""

    service: str
    unit: str
    kind: Kind
    what: str
    here: str
    written: str = ""

    @property
    def how(self) -> str:
        """Both sides in a few words."""
        return f"{self.here} runs, {self.written} is written" if self.kind == "setting" else self.here


@dataclass(frozen=True, slots=True, repr=False)
class Drifted(Table):
    """What differs, a row each; nothing where all is as it is written."""

    differences: tuple[Difference, ...] = ()


def drift(around: Surroundings, names: Collection[str] = (), *, differs_is: int = 0) -> Drifted:
    """Every difference of a stack; ``names`` chooses.

    Args:
        differs_is: the exit code where there is one.

    Raises:
        UnknownNameError: there is no such service.
    """
    for name in names:
        units_of(around, name)
    unread: set[str] = set()
    everything = (*_planned(around, names), *_unlisted(around), *_by_hand(around, unread))
    chosen = tuple(each for each in everything if not names or each.service in names)
    rows = tuple((_label(each), each.what, _steadily(each), each.how) for each in chosen)
    told = ", ".join(sorted(unread & set(names or unread)))
    notes = (f"not compared, since its secrets cannot be read: {told}",) if told else ()
    return Drifted(
        ("service", "what", "differs", "exactly"),
        tuple(
            (name, what, exact, "") if plain == exact else (name, what, plain, exact)
            for name, what, plain, exact in rows
        ),
        {"differences": [asdict(each) for each in chosen], "unread": sorted(unread)},
        detailed=frozenset({"exactly"}),
        empty="all runs as it is written",
        notes=notes,
        code=differs_is if chosen else 0,
        differences=chosen,
    )


def _label(difference: Difference) -> str:
    return difference.service if difference.unit in ("", "server") else f"{difference.service}.{difference.unit}"


def _steadily(difference: Difference) -> str:
    """The same on every run: without ports and versions of secrets."""
    if difference.kind == "port":
        return "somebody else listens there"
    if difference.kind != "setting":
        return difference.here.partition(": ")[0] if difference.kind == "state" else difference.here
    reason = steady(Reason(difference.what, difference.here, difference.written))
    if reason.before == reason.after:
        return "differs"
    return f"{reason.before} runs, {reason.after} is written"


def _planned(around: Surroundings, names: Collection[str]) -> Iterator[Difference]:
    """What `up` would change, and what it says where it cannot be planned."""
    plans: dict[str, Plan] = {}
    try:
        plans[""] = plan_up(around, *starting(around, (), ()), prune=False)
    except MloxError:
        needs = {name: service.needs for name, service in around.spec.services.items()}
        for name in around.spec.services:
            services = {each: around.spec.services[each] for each in with_providers((name,), needs)}
            alone = replace(around, spec=around.spec.model_copy(update={"services": services}))
            try:
                plans[name] = plan_up(alone, *starting(alone, (), ()), prune=False)
            except MloxError as error:
                if not names or name in names:
                    yield Difference(name, "", "plan", "plan", error.problem)
    told: set[str] = set()
    for plan in plans.values():
        yield from (each for action in plan.actions if action.key not in told for each in _of(plan, action.key, around))
        told |= {action.key for action in plan.actions}


def _of(plan: Plan, key: str, around: Surroundings) -> Iterator[Difference]:
    action = next(each for each in plan.actions if each.key == key)
    there = around.observed.get(key)
    if there is None:
        yield Difference(action.service, action.unit, "absent", "state", "not there", "running")
        return
    if there.state not in ("running", "starting"):
        how = f"{there.state}{f': {there.note}' if there.note else ''}"
        yield Difference(action.service, action.unit, "state", "state", how, "running")
    for reason in action.reasons:
        if reason.field != "state":
            yield Difference(
                action.service, action.unit, "setting", reason.field, reason.before or "none", reason.after or "none"
            )


def _unlisted(around: Surroundings) -> Iterator[Difference]:
    for o in around.observed.values():
        if o.service not in around.spec.services and o.state != "stopped" and not o.unit.forwards:
            yield Difference(o.service, o.name, "unlisted", "mlox.yaml", "runs, and is not in mlox.yaml")


def _by_hand(around: Surroundings, unread: set[str]) -> Iterable[Difference]:
    """What somebody changed on a server; the services whose secrets cannot be read are added to ``unread``."""

    def look(o: Observed) -> list[Difference]:
        backend = around.backends[o.unit.server]
        secrets, all_read = _secrets(around, o)
        if not all_read:
            unread.add(o.service)
        found = [Difference(o.service, o.name, d.what, d.name, d.how) for d in backend.deviations(o.unit, secrets)]
        if o.state != "stopped":
            holders = backend.examine(o.unit).holders
            found += [
                Difference(o.service, o.name, "port", name, f"{by} listens there") for name, by in holders.items()
            ]
        return found

    with ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="mlox-drift") as pool:
        return [each for found in pool.map(look, around.observed.values()) for each in found]


def _secrets(around: Surroundings, o: Observed) -> tuple[dict[str, Secret], bool]:
    """The secrets of a unit in the versions that run, those that can be read; and whether these are all."""
    found = {}
    for ref in o.unit.secrets:
        with contextlib.suppress(SecretError):
            found[ref.key] = around.store.get(ref.name, ref.version or None)
    return found, len(found) == len(o.unit.secrets)
