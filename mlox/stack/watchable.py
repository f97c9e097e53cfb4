"""How a stack is watched for alerts: a part of :class:`~mlox.stack.stack.Stack`; each call loads what it needs."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mlox.plan import Plan
from mlox.protocols import Emit, silent
from mlox.stack.surroundings import Surroundings
from mlox.workspace import Workspace

if TYPE_CHECKING:
    from mlox.alerts import Alerts
    from mlox.stack.watching import Watch
    from mlox.values.alerts import Watched


class Watchable:
    """The calls for alerts."""

    workspace: Workspace
    _profile: str | None

    def surroundings(self) -> Surroundings:
        """What a plan depends on, read now."""
        raise NotImplementedError

    def _held(self, *, emit: Emit = silent) -> AbstractContextManager[Surroundings]:
        raise NotImplementedError

    def alerts(self) -> Alerts:
        """How the alerts stand, as the watcher of this machine saw them last; ``.watcher`` says whether one runs."""
        from mlox.stack.watched import standing_alerts

        return standing_alerts(self.surroundings())

    def watch(self, *, interval_s: float | None = None, remember: bool = True) -> Generator[Watched, None, None]:
        """Look at the services again and again, and tell what begins and what ends; a value for each look.

        Args:
            interval_s: how often, in seconds. ``remember``: else it only looks, tells nobody and keeps nothing.

        Raises:
            UsageError, UnknownNameError: there is nothing to watch.
            LockedError: a watcher of this workspace runs already.
        """
        from mlox.stack.watching import alone, check_rules

        check_rules(self.surroundings().spec)
        watch = self._watch(interval_s, remember)
        with alone(self.workspace.root) if remember else contextlib.nullcontext():
            yield from watch.forever()

    def watch_once(self, *, remember: bool = True) -> Watched:
        """The same, once."""
        looks = self.watch(remember=remember)
        try:
            return next(looks)
        finally:
            looks.close()  # which gives the lock back

    def plan_watch(self, *, interval_s: float | None = None) -> Plan:
        """What :meth:`keep_watching` would do; touches nothing."""
        from mlox.stack.watcher import plan_watch
        from mlox.stack.watching import INTERVAL_S

        return plan_watch(self.surroundings(), interval_s or INTERVAL_S, self._profile)

    def keep_watching(self, *, interval_s: float | None = None, emit: Emit = silent) -> Plan:
        """Start a watcher on this machine that goes on when this process ends; what was done, nothing where one runs.

        Raises:
            UsageError, UnknownNameError: there is nothing to watch.
            LockedError: a watcher of this workspace runs in front of somebody.
            SecretError: what it needs to tell cannot be read without the environment of this process.
        """
        from mlox.stack.watched import find_watcher
        from mlox.stack.watcher import carry_out, plan_watch
        from mlox.stack.watching import INTERVAL_S, alone

        with self._held(emit=emit) as around:
            plan = plan_watch(around, interval_s or INTERVAL_S, self._profile)
            there = find_watcher(around)
            if plan and (there is None or there.state == "stopped"):
                with alone(self.workspace.root):
                    pass  # nobody else does
            carry_out(plan, around, emit)
        return plan

    def plan_unwatch(self) -> Plan:
        """What :meth:`stop_watching` would do; touches nothing."""
        from mlox.stack.watcher import plan_unwatch

        return plan_unwatch(self.surroundings())

    def stop_watching(self, *, emit: Emit = silent) -> Plan:
        """End the watcher of this machine and forget what it saw; what was done, nothing where there is none."""
        from mlox.stack.watched import forget
        from mlox.stack.watcher import carry_out, plan_unwatch

        with self._held(emit=emit) as around:
            plan = plan_unwatch(around)
            carry_out(plan, around, emit)
            if plan:
                forget(self.workspace.root)
        return plan

    def _watch(self, interval_s: float | None, remember: bool) -> Watch:
        from mlox.stack.measuring import Meter
        from mlox.stack.watching import INTERVAL_S, Watch

        meter = Meter()
        return Watch(
            self.surroundings,
            lambda around: meter.look(around).services,
            interval_s=interval_s or INTERVAL_S,
            remembers=remember,
        )
