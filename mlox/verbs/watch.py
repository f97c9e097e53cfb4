"""The verb that runs the alert rules of mlox.yaml: watch."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from mlox.errors import UsageError
from mlox.values import Notice, Planned, Value
from mlox.values.logs import Stream
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.alerts import Failure
    from mlox.plan import Plan
    from mlox.stack import Stack
    from mlox.values.alerts import Watched


@verb("watch", group="stack")
def watch(
    ctx: Context,
    *,
    once: Annotated[bool, "look once, tell what changed, and show how every alert stands"] = False,
    interval: Annotated[str | None, "how often it looks, such as 30s or 2m; by default 15s"] = None,
    detach_: Annotated[bool, "watch in the background, supervised; it goes on when this shell ends"] = False,
    off: Annotated[bool, "stop the watcher in the background"] = False,
) -> Value:
    """Run the alert rules of mlox.yaml: tell when an alert begins and when it ends, until interrupted.

    Rules and whom to tell (notebooks, a webhook, mail) stand below alerts: in mlox.yaml, and are read at each look. One
    watcher a workspace. In the background it is started again when it is killed, and stops with the last service.
    """
    chosen = [flag for flag, given in (("--once", once), ("--detach", detach_), ("--off", off)) if given]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other", hint="Leave one of them out.")
    if interval is not None and (once or off):
        raise UsageError(f"--interval says nothing with {chosen[0]}", hint="Leave it out.")
    every_s = _seconds(interval) if interval is not None else None
    stack = ctx.stack()
    stack.workspace.read()
    if off:
        return _off(ctx, stack)
    if detach_:
        return _detached(ctx, stack, every_s)
    if once or ctx.dry_run:
        return stack.watch_once(remember=not ctx.dry_run)
    looks = stack.watch(interval_s=every_s)
    lines = _looks(looks) if ctx.as_json else _lines(looks)
    return Stream(lines, asked="watch", instead="Look once with --once, or leave it to the background with --detach.")


@dataclass(frozen=True, slots=True)
class Told:
    """A line of a watcher's log, and the look that it came from."""

    text: str
    seen: Watched

    def to_json(self) -> dict[str, Any]:
        """The look."""
        return self.seen.to_json()


def _looks(looks: Generator[Watched]) -> Generator[Told]:
    with contextlib.closing(looks):
        for seen in looks:
            yield Told("", seen)


def _lines(looks: Generator[Watched]) -> Generator[Told]:
    """What changed, a line each; a problem that stays is told once."""
    failing: dict[str, Failure] = {}
    problem = ""
    with contextlib.closing(looks):
        for number, seen in enumerate(looks):
            if number == 0:
                yield Told(f"watching: {seen.rules} rule{'' if seen.rules == 1 else 's'}", seen)
            if not seen.problem or seen.problem != problem:
                yield from (Told(line, seen) for line in seen.lines_of_log(failing))
            problem, failing = seen.problem, dict(seen.failures)


def _detached(ctx: Context, stack: Stack, interval_s: float | None) -> Value:
    if ctx.dry_run:
        return Planned(stack.plan_watch(interval_s=interval_s), notes=("nothing was changed",), by="")
    plan = stack.keep_watching(interval_s=interval_s, emit=ctx.emit)
    told = _told(stack)
    first = "watching in the background" if plan else "nothing to do: a watcher runs in the background"
    lines = (first, f"told: {', '.join(told) or 'nobody, see tell: below alerts: in mlox.yaml'}")
    return Notice((*lines, "stop it: {mlox} watch --off"), _json(plan, "running", told))


def _off(ctx: Context, stack: Stack) -> Value:
    if ctx.dry_run:
        return Planned(stack.plan_unwatch(), notes=("nothing was changed",), by="")
    plan = stack.stop_watching(emit=ctx.emit)
    said = "the watcher is stopped; nobody is told of alerts" if plan else "no watcher runs in the background"
    return Notice((said,), _json(plan, "none", ()))


def _json(plan: Plan, watcher: str, told: tuple[str, ...]) -> dict[str, object]:
    return {"watcher": watcher, "actions": plan.to_json()["actions"], "told": list(told)}


def _told(stack: Stack) -> tuple[str, ...]:
    from mlox.stack.telling import receivers

    tell = stack.spec().alerts.tell
    return (*(("notebooks",) if tell.notebook else ()), *receivers(tell))


def _seconds(text: str) -> float:
    """An interval: ``30s``, ``1m30s``, or seconds.

    Raises:
        UsageError: it is none, or shorter than a second.
    """
    from mlox.specs.amounts import seconds
    from mlox.stack.watching import SHORTEST_S

    try:
        found = seconds(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError:
        raise UsageError(f"--interval takes a time, not {text!r}", hint="Write it like 30s or 2m.") from None
    if found < SHORTEST_S:
        raise UsageError(f"--interval {text} is shorter than {SHORTEST_S:g} s", hint="Write it like 30s or 2m.")
    return found
