"""What a watcher sees in one look: each service by what ``stats`` says, its server, and its last backup."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from mlox.alerts import Sight
from mlox.errors import MloxError
from mlox.specs import StackSpec
from mlox.stack.surroundings import Surroundings
from mlox.values.stats import ServiceStats

NEVER_SAVED = float("inf")
"""The age of the last backup where there is none."""

BACKUPS = "backups"


def sights(
    spec: StackSpec, rows: Iterable[ServiceStats], ages: Mapping[str, float] | str | None = None, *, busy: bool = False
) -> tuple[Sight, ...]:
    """What was seen of every service that is written, of the servers, and of the place for backups. Pure.

    Args:
        busy: somebody works on the stack: what is starting, he has started.
        ages: how old the last backup of each service is, in seconds; a sentence where that could not be read; None
            where nobody asks.
    """
    found = {row.service: row for row in rows}
    seen = [_service(name, found.get(name), ages, busy) for name in spec.services]
    return (*seen, *_servers(spec, found), *_backups(ages))


def backup_ages(around: Surroundings) -> Mapping[str, float] | str:
    """How old the last backup of each service is, in seconds; or why that cannot be known."""
    from mlox.stack.shelves import backups_of, shelf_of

    try:
        store = shelf_of(around).store
        found = backups_of(store, around.spec.id or "")
    except MloxError as error:
        return error.problem
    now = time.time()
    taken: dict[str, float] = {}
    for backup in found:
        taken[backup.service] = max(backup.taken, taken.get(backup.service, 0.0))
    return {name: now - taken[name] if name in taken else NEVER_SAVED for name in around.spec.services}


def _service(name: str, row: ServiceStats | None, ages: Mapping[str, float] | str | None, busy: bool) -> Sight:
    if row is None or row.state == "absent" or (row.state == "stopped" and not row.note):
        return Sight(name, "down")
    if row.state == "unreachable":
        return Sight(name, "unanswered", healthy=None, why=row.note)
    numbers: dict[str, float | None] = {
        "memory": row.memory_bytes,
        "disk": row.disk_bytes,
        "cpu": row.cpu_percent,
        "restarts": row.restarts,
        "probe": row.probe_ms,
        "backup": ages.get(name) if isinstance(ages, Mapping) else None,
    }
    healthy, why = _health(row, busy)
    return Sight(name, "up", healthy, why, numbers)


def _health(row: ServiceStats, busy: bool) -> tuple[bool | None, str]:
    """Whether it is healthy, and a sentence where it is not; None while it comes up since somebody started it."""
    if row.state in ("running", "ready"):
        return True, ""
    if row.state == "starting" and busy:
        return None, "it is starting"
    word = "it stopped by itself" if row.state == "stopped" else "it does not answer its probe"
    return False, f"{word} ({row.note})" if row.note else word


def _servers(spec: StackSpec, found: Mapping[str, ServiceStats]) -> Iterator[Sight]:
    for server in dict.fromkeys(service.server for service in spec.services.values()):
        rows = [found[name] for name, service in spec.services.items() if service.server == server and name in found]
        away = [row.note for row in rows if row.state == "unreachable"]
        yield Sight(f"server {server}", "unanswered" if away else "up", why=next(iter(away), ""), service=False)


def _backups(ages: Mapping[str, float] | str | None) -> Iterator[Sight]:
    if ages is not None:
        why = ages if isinstance(ages, str) else ""
        yield Sight(BACKUPS, "unanswered" if why else "up", why=why, service=False)
