"""How a stack is watched: look, evaluate, remember, tell; again and again, one watcher a workspace."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from mlox.alerts import Alert, Memory, changed, evaluate, memory_file, remembered
from mlox.errors import LockedError, MloxError, UnknownNameError, UsageError
from mlox.journal import write_atomic
from mlox.specs import StackSpec
from mlox.stack.sighting import backup_ages, sights
from mlox.stack.surroundings import Surroundings
from mlox.stack.telling import deliver, receivers
from mlox.stack.watched import lock, lock_file
from mlox.values.alerts import Watched
from mlox.values.stats import ServiceStats

INTERVAL_S = 15.0
"""How often a watcher looks, where nobody says otherwise."""

SHORTEST_S = 1.0

BACKUPS_S = 60.0
"""How often the place for backups is asked at most."""

TRIES, PAUSE_S = 10, 0.05
"""How often, and after how long, the lock is asked for again."""

Look = Callable[[], Surroundings]
Measure = Callable[[Surroundings], Sequence[ServiceStats]]


def check_rules(spec: StackSpec) -> None:
    """Refuse where there is nothing to watch, or a rule is about nothing.

    Raises:
        UsageError: there are no rules. UnknownNameError: a rule names a service that there is not.
    """
    if not spec.alerts.rules:
        raise UsageError(
            "mlox.yaml has no alert rules", hint="Write one, such as: alerts: {rules: {down: {when: unhealthy}}}."
        )
    for name, rule in spec.alerts.rules.items():
        if rule.service is not None and rule.service not in spec.services:
            where = f"mlox.yaml: alerts.rules.{name}.service: "
            raise UnknownNameError.among("service", rule.service, spec.services, where=where)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Alone among the watchers of a workspace; whoever is killed holds it no longer.

    Raises:
        LockedError: another watcher runs.
    """
    path = lock_file(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if not _locked(file):
            file.seek(0)
            who = file.read(20).decode("ascii", "replace").strip()
            raise LockedError(
                f"a watcher of this stack runs already{f', in process {who}' if who else ''}",
                hint="See what it sees: mlox status; or stop it: mlox watch --off.",
            )
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        yield


def _locked(file: IO[bytes]) -> bool:
    """Take the lock; who only looks whether somebody has it has it for a moment."""
    for _ in range(TRIES):
        if lock(file):
            return True
        time.sleep(PAUSE_S)
    return False


class Watch:
    """One watcher of a workspace.

    Args:
        look: reads what is written, anew. ``measure``: asks the servers how every service stands.
        remembers: whether it keeps what it saw, and tells it; else it only looks.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        look: Look,
        measure: Measure,
        *,
        interval_s: float = INTERVAL_S,
        remembers: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.interval_s = interval_s
        self._look = look
        self._measure = measure
        self._remembers = remembers
        self._clock = clock
        self._memory: Memory | None = None
        self._ages: tuple[float, dict[str, float] | str] | None = None

    def once(self) -> Watched:
        """Look, evaluate, remember, tell; what cannot be read of ``mlox.yaml`` is in the result."""
        now = self._clock()
        try:
            around = self._look()
            busy = around.holder is not None
            rows = self._measure(around)
            busy = busy or replace(around).holder is not None
        except MloxError as error:
            return Watched(now, problem=error.problem)
        path = memory_file(around.workspace.root)
        before = self._memory or remembered(path)
        found = sights(around.spec, rows, self._backup_ages(around, now), busy=busy)
        alerts = around.spec.alerts
        unbroken = before.is_fresh(now, self.interval_s)
        stack = around.spec.id or around.spec.name
        after = evaluate(stack, alerts.rules, before.alerts, found, now, unbroken=unbroken)
        memory = before.with_told(after.notifications, receivers(alerts.tell))
        memory = replace(
            memory, alerts=after.alerts, looked=now, interval_s=self.interval_s, notebook=alerts.tell.notebook
        )
        if self._remembers:
            remember(path, memory)
            memory = deliver(around, memory, now, lambda state: remember(path, state))
            self._memory = memory
        turned: tuple[Alert, ...] = changed(before.alerts, after.alerts)
        return Watched(now, after.alerts, turned, after.notifications, memory.failures, len(alerts.rules))

    def forever(self) -> Iterator[Watched]:
        """Look at once, then every ``interval_s`` seconds, until the caller stops."""
        due = time.monotonic()
        while True:
            yield self.once()
            due = max(due + self.interval_s, time.monotonic())
            time.sleep(max(due - time.monotonic(), 0.0))

    def _backup_ages(self, around: Surroundings, now: float) -> dict[str, float] | str | None:
        if not any(rule.condition.measure == "backup" for rule in around.spec.alerts.rules.values()):
            return None
        if self._ages is None or now - self._ages[0] >= BACKUPS_S:
            found = backup_ages(around)
            self._ages = (now, found if isinstance(found, str) else dict(found))
        return self._ages[1]


def remember(path: Path, memory: Memory) -> None:
    """Keep it for the next watcher; where that cannot be written, that one may tell the same again."""
    with contextlib.suppress(OSError):
        write_atomic(path, memory.to_bytes(), mode=0o600)
