"""Verbs that look again and again: stats, and what ``--watch`` means everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from mlox.errors import UsageError
from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

INTERVAL_S = 2.0
LEAST_S = 0.1

Watch = Annotated[bool, "look again and again until interrupted; with --json an object on a line for each look"]
Interval = Annotated[str | None, "with --watch, the time between two looks, as in 5s; by default 2s"]


@verb("stats", group="stack")
def stats(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services; none means all"] = (),
    *,
    watch: Watch = False,
    interval: Interval = None,
) -> Value:
    """Show what services use: CPU (100 % is one core), memory, disk, restarts, how long their probes take."""
    from mlox.stack.measuring import Meter

    stack = ctx.stack()
    stack.workspace.read()
    meter = Meter()

    def look() -> Value:
        return meter.look(stack.surroundings(), names)

    return watched(look, interval, watch=watch, changes=False)


def watched(look: Callable[[], Value], interval: str | None, *, watch: bool, changes: bool) -> Value:
    """One look, or with ``--watch`` one after the other; see :class:`mlox.values.live.Live`.

    Raises:
        UsageError: the interval is none, or there is one without ``--watch``.
    """
    if not watch:
        if interval is not None:
            raise UsageError("--interval is for --watch", hint="Add --watch, or leave --interval out.")
        return look()
    from mlox.values.live import Live, every

    return Live(every(interval_s(interval), look), changes=changes)


def interval_s(interval: str | None) -> float:
    """How many seconds lie between two looks.

    Raises:
        UsageError: it is no duration, or too short.

    Example:
        >>> interval_s("500ms"), interval_s("5"), interval_s(None)
        (0.5, 5.0, 2.0)
    """
    if interval is None:
        return INTERVAL_S
    found = duration("--interval", interval)
    if found < LEAST_S:
        raise UsageError(f"--interval {interval}: it is too short", hint="Write at least 100ms, as in --interval 2s.")
    return found


def duration(option: str, value: str) -> float:
    """A duration in seconds, as Compose writes it; a bare number is seconds.

    Raises:
        UsageError: it is none.
    """
    from mlox.specs.amounts import seconds

    try:
        return seconds(float(value) if value.replace(".", "", 1).isdecimal() else value)
    except ValueError:
        raise UsageError(f"{option} {value}: not a duration", hint=f"Write it as in {option} 30s or 5m.") from None
