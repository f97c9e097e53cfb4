"""How an explanation of a service comes about: everything is looked at, and what it means is told by the pure part."""

from __future__ import annotations

import contextlib
import os
import time
from functools import partial
from pathlib import Path

from mlox.documents import line_of
from mlox.errors import MloxError, SecretError, SecretNotFoundError, UnknownNameError
from mlox.explaining import Case, Records, Setting, Sight, Wire, settings
from mlox.plan import Plan
from mlox.protocols import Health, Observed, Question
from mlox.resolve import lock_key
from mlox.secret import Secret, mask
from mlox.specs import EMBEDDED
from mlox.stack.forwarding import refuse_forwarders
from mlox.stack.operations import plan_up, starting
from mlox.stack.rows import service_rows
from mlox.stack.surroundings import Surroundings

LINES = 400
"""How many of the last lines of a log are looked through."""


def case_of(around: Surroundings, name: str) -> Case:
    """All that an explanation of a service needs; changes nothing.

    Raises:
        UnknownNameError: the stack has no such service.
    """
    check_known(around, name)
    units = _units(around, name)
    refusal, plan = _planned(around, name)
    secrets, lost, unread = _secrets(around, units)
    written = around.spec.services.get(name)
    server = written.server if written is not None else units[0].unit.server
    return Case(
        name,
        tuple(_sight(around, unit, secrets) for unit in units),
        service=written.service if written is not None else units[0].unit.catalog,
        server=server,
        listed=written is not None or bool(units[0].unit.forwards),
        refusal=refusal,
        differs=_differs(plan, name),
        wires=_wires(around, name, units),
        users=_users(around, name),
        lost=lost,
        unread=unread,
        disk_free_bytes=around.backend(server).facts(Question()).disk_free_bytes,
        now=time.time(),
    )


def check_known(around: Surroundings, name: str) -> None:
    """Raise an :class:`UnknownNameError` for what is no service of the stack; the hint says what it is else."""
    known = {*around.spec.services, *(o.service for o in around.observed.values())}
    if name in known:
        return
    where = f"{around.spec.name}: "
    if name in around.catalog.names():
        raise UnknownNameError(
            f"{where}no service {name!r} in this stack; the catalog has it", hint=f"Start it: mlox up {name}."
        )
    if around.spec.id and name in {*around.vault.names(), *around.own.names()}:
        raise UnknownNameError(f"{where}{name!r} is a secret, not a service", hint=f"See: mlox secrets get {name}.")
    raise UnknownNameError.among("service", name, known, where=where)


def origins(
    around: Surroundings, name: str, *, unprofiled: Surroundings, profile: tuple[str, str]
) -> tuple[Setting, ...]:
    """Every value of a service with its origin.

    Args:
        unprofiled: the same without a profile. ``profile``: its name and how it was chosen, or two empty texts.

    Raises:
        UnknownNameError: the stack has no such service.
    """
    check_known(around, name)
    refuse_forwarders(around, (name,))
    units = _units(around, name)
    used, written = around.spec.services.get(name), unprofiled.spec.services.get(name)
    kind = used.service if used is not None else units[0].unit.catalog
    entry = around.catalog.get(kind).service
    over: frozenset[str] = frozenset()
    if profile[0]:
        laid = around.spec.profiles[profile[0]]
        options = (f"options.{key}" for key in laid.options.get(name, {}))
        over = frozenset([*options, *(["server"] if name in laid.servers else [])])
    path = around.catalog.path(kind)
    server = used.server if used is not None else units[0].unit.server
    pins = around.workspace.lock.read()
    return settings(
        Records(
            name,
            entry,
            written,
            used,
            line=partial(_line, around.workspace.path, "services", name),
            catalog_line=partial(_line, path),
            catalog_file=path.name if path is not None else kind,
            profile=f"profile {profile[0]} ({profile[1]})",
            over=over,
            units=tuple(o.unit for o in units),
            found=None if units else around.found_version(server, entry),
            pinned=any(lock_key(o.unit.software.packages) in pins for o in units if o.unit.software.packages),
            store=around.store.name,
            shared=(around.vault.name, around.store.shared()) if around.spec.id else ("", frozenset()),
            home=f"the data home{': MLOX_DATA_HOME' if os.environ.get('MLOX_DATA_HOME') else ' of this machine'}",
            stored={s.name: s.version for s in around.store.describe()} if around.spec.id else {},
        )
    )


def _units(around: Surroundings, name: str) -> tuple[Observed, ...]:
    return tuple(o for o in around.observed.values() if o.service == name)


def _sight(around: Surroundings, seen: Observed, secrets: list[Secret] | None) -> Sight:
    backend = around.backends[seen.unit.server]
    seen = backend.measure(seen)
    alive = seen.state in ("running", "starting")
    health = backend.probe(seen.unit) if alive else Health(False, seen.note)
    lines: tuple[str, ...] = ()
    if secrets is not None:
        lines = backend.logs(seen.stack, seen.service, seen.name, lines=LINES)
    return Sight(seen, health, backend.examine(seen.unit), tuple(mask(line, secrets or []) for line in lines))


def _planned(around: Surroundings, name: str) -> tuple[MloxError | None, Plan | None]:
    """What ``up NAME`` would do, or what it would say against it."""
    if name not in around.spec.services:
        return None, None
    try:
        spec, chosen = starting(around, (name,), ())
        return None, plan_up(around, spec, chosen, False)
    except MloxError as error:
        return error, None


def _differs(plan: Plan | None, name: str) -> tuple[str, ...]:
    changes = [a for a in plan.actions if a.service == name and a.kind in ("update", "replace")] if plan else []
    told = (str(r) for a in changes for r in a.reasons if not r.field.startswith(("ports.", "secrets.")))
    return tuple(dict.fromkeys(told)) or (("a port or a secret",) if changes else ())


def _secrets(around: Surroundings, units: tuple[Observed, ...]) -> tuple[list[Secret] | None, tuple[str, ...], str]:
    """The secrets to mask, None where they cannot be read; the names of the lost ones; why they cannot be read."""
    found: list[Secret] = []
    lost: list[str] = []
    for ref in {(ref.name, ref.version): ref for o in units for ref in o.unit.secrets if ref.version}.values():
        try:
            found.append(around.store.get(ref.name, ref.version))
        except SecretNotFoundError:
            lost.append(ref.name)
        except SecretError as error:
            return None, (), error.problem
    return found, tuple(sorted(lost)), ""


def _wires(around: Surroundings, name: str, units: tuple[Observed, ...]) -> tuple[Wire, ...]:
    """The needs of a service as they are wired; what is still open is left out."""
    written = around.spec.services.get(name)
    intent = around.intent(name)
    kind = written.service if written is not None else units[0].unit.catalog
    ran = {key.removeprefix("needs."): value.split()[0] for key, value in intent.items() if key.startswith("needs.")}
    needs = {**ran, **(written.needs if written is not None else {})}
    if units and units[0].unit.forwards:
        needs = {"target": units[0].unit.forwards[0]}
    ways = _ways(around, units)
    providers = {provider for provider in needs.values() if provider != EMBEDDED}
    words: dict[str, str] = {}
    asks: dict[str, str] = {}
    offers: dict[str, tuple[str, ...]] = {}
    with contextlib.suppress(MloxError):  # a catalog file is gone or broken, here and below: the plan's refusal says it
        words = {row.name: row.status for row in service_rows(around, providers)} if providers else {}
    with contextlib.suppress(MloxError):
        asks = {key: need.capability for key, need in around.catalog.get(kind).service.needs.items()}
    for other in around.spec.services:
        with contextlib.suppress(MloxError):
            offers[other] = tuple(around.service(other).provides)
    wires = []
    for need, provider in needs.items():
        others = tuple(o for o, has in offers.items() if asks.get(need) in has and o not in (provider, name))
        line = _line(around.workspace.path, "services", name, "needs", need)
        word = words.get(provider, "absent") if provider in providers else ""
        wires.append(Wire(need, provider, word, line, others, ways.get(provider, "")))
    return tuple(wires)


def _ways(around: Surroundings, units: tuple[Observed, ...]) -> dict[str, str]:
    """The forwarders that these units reach their providers by, by the provider."""
    after = {name for o in units for name in o.unit.after}
    return {o.unit.forwards[0]: o.service for o in around.observed.values() if o.unit.forwards and o.service in after}


def _users(around: Surroundings, name: str) -> tuple[str, ...]:
    derived = {o.service for o in around.observed.values() if o.unit.forwards}
    if name in derived:
        return tuple(sorted({o.service for o in around.observed.values() if name in o.unit.after}))
    return tuple(
        f"{other} ({need})"
        for other, service in around.spec.services.items()
        for need, provider in service.needs.items()
        if provider == name
    )


def _line(path: Path | None, *location: str) -> int | None:
    """The line in which exactly that key stands in a file, or None."""
    try:
        text = path.read_text("utf-8") if path is not None else ""
    except OSError:
        return None
    return line_of(text, location, whole=True)
