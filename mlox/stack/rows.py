"""How services stand right now: what back ends see, and what probes answer, as rows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from mlox.errors import RequirementError
from mlox.leases import Holder
from mlox.protocols import Backend, Health, Observed
from mlox.stack.surroundings import Surroundings
from mlox.values import ServiceRow, StatusWord

PROBES_AT_ONCE = 8


def service_rows(
    around: Surroundings, names: Collection[str] | None = None, *, healthy: Collection[str] = ()
) -> tuple[ServiceRow, ...]:
    """A row for each service that is written or that there is, in the order of ``mlox.yaml``; ``names`` chooses.

    Those of ``healthy`` have just answered their probes, and are not asked again.
    """
    found = {o.service for o in around.observed.values()}
    chosen = chosen_names(around, names)
    holder = around.holder if set(around.spec.services) - found else None
    with ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="mlox-probe") as pool:
        return tuple(pool.map(lambda name: _row(around, name, name in healthy, holder), chosen))


def chosen_names(around: Surroundings, names: Collection[str] | None) -> list[str]:
    """Of all services that are written or that there are the chosen ones, those of ``mlox.yaml`` first."""
    found = {o.service for o in around.observed.values()}
    listed = [*around.spec.services, *sorted(found - set(around.spec.services))]
    return [name for name in listed if names is None or name in names]


def _row(around: Surroundings, name: str, healthy: bool, holder: Holder | None) -> ServiceRow:
    units = [around.backends[o.unit.server].measure(o) for o in around.observed.values() if o.service == name]
    spec = around.spec.services.get(name)
    if spec is not None and not units:
        version = spec.version or around.service(name).version
        coming = holder is not None and holder.is_about_to_start(name)
        word: StatusWord = "starting" if coming else "absent"
        backend = around.spec_of(spec.server).backend
        return ServiceRow(name, spec.service, spec.server, backend, word, version=version)
    first = units[0]
    word = worst([_word(around, o, healthy) for o in units])
    note = "; ".join(dict.fromkeys(o.note for o in units if o.note))
    forwards = first.unit.forwards
    if forwards:
        note = "; ".join(filter(None, (f"{forwards[0]} for {forwards[1]}", note)))
    elif spec is None:
        note = "; ".join(filter(None, (note, "not in mlox.yaml")))
    ports = {}
    if word not in ("stopped", "absent"):
        for o in units:
            for port in o.unit.ports:
                with contextlib.suppress(RequirementError):  # it runs where nobody here reaches it
                    endpoint = around.backends[o.unit.server].endpoint(o.unit, port.name, "process")
                    ports[port.name] = f"{endpoint.host}:{endpoint.port}"
    memory = [o.memory_bytes for o in units if o.memory_bytes is not None]
    disk = [o.disk_bytes for o in units if o.disk_bytes is not None]
    since = [o.since for o in units if o.since is not None]
    return ServiceRow(
        name,
        first.unit.catalog,
        first.unit.server,
        first.unit.backend,
        word,
        url=_url(units, ports),
        ports=ports,
        version=first.unit.version,
        memory_bytes=sum(memory) if memory else None,
        disk_bytes=sum(disk) if disk else None,
        since=max(since) if since else None,
        data_path=next((o.data_path for o in units if o.data_path), None),
        note=note,
        edge=", ".join(filter(None, (o.edge for o in units))),
    )


def _word(around: Surroundings, seen: Observed, healthy: bool) -> StatusWord:
    health = None if healthy else health_of(around.backends[seen.unit.server], seen)
    return word_of(seen, healthy or (health is not None and health.healthy))


def health_of(backend: Backend, seen: Observed) -> Health | None:
    """What its probe answers; None where that says nothing: it does not run, or has no probe."""
    ended = seen.state in ("stopped", "failed", "orphaned")
    return None if ended or seen.unit.probe is None else backend.probe(seen.unit)


def word_of(seen: Observed, healthy: bool | None) -> StatusWord:
    """How a unit stands, with what its probe answered."""
    if seen.state == "stopped":
        return "stopped"
    if seen.state in ("failed", "orphaned"):
        return "unhealthy"
    probe = seen.unit.probe
    if probe is None:
        return "starting" if seen.state == "starting" else "running"
    if healthy:
        return "running"
    young = seen.since is None or time.time() - seen.since < probe.start_timeout_s
    return "starting" if young else "unhealthy"


def worst(words: Iterable[StatusWord]) -> StatusWord:
    """How a service stands whose units stand so."""
    order: tuple[StatusWord, ...] = ("unhealthy", "stopped", "starting", "running")
    found = set(words)
    return next((word for word in order if word in found), "running")


def _url(units: list[Observed], ports: dict[str, str]) -> str | None:
    """The address of the first port that has a scheme, without any credential."""
    for o in units:
        for port in o.unit.ports:
            if port.scheme and port.name in ports:
                return f"{port.scheme}://{ports[port.name]}"
    return None
