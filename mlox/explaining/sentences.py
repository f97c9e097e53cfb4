"""What explanations are put together from: what became of a unit, how and when it ended, which lines to show."""

from __future__ import annotations

from datetime import UTC, datetime

from mlox.explaining.case import Sight
from mlox.explaining.lines import telling_lines
from mlox.protocols import Ending

GIVEN_UP_S = 120
"""A stop so soon after the process had ended by itself was that of an ``up`` that gave it up."""


def given_up(sight: Sight) -> bool:
    """Whether the process had ended by itself, and was not stopped by somebody who wanted it stopped."""
    endings = sight.findings.endings
    if not endings or not endings[-1].asked:
        return bool(endings)
    before: Ending | None = endings[-2] if len(endings) > 1 and not endings[-2].asked else None
    times = (before.at if before else None, endings[-1].at)
    return before is not None and times[0] is not None and times[1] is not None and times[1] - times[0] < GIVEN_UP_S


def by_itself(sight: Sight) -> str:
    """How the process ended by itself last, also where an ``up`` gave it up afterwards; empty where it was stopped."""
    own = [ending.how for ending in sight.findings.endings if not ending.asked]
    return own[-1] if own and given_up(sight) else ""


def fate(sight: Sight) -> str:
    """What became of it, for the begin of a sentence."""
    state = sight.seen.state
    if state == "running":
        return "runs, but does not answer"
    if state == "starting":
        return "ends as soon as it is started" if sight.seen.restarts else "is starting, and does not answer"
    how = by_itself(sight)
    died = "died at start" if state == "stopped" else "died"
    return f"{died} ({how})" if how else died


def meaning(how: str) -> str:
    """``exit status 3`` and ``terminated by SIGKILL`` in a sentence."""
    if "SIGKILL" in how:
        return "it was killed (SIGKILL), by somebody or by the system for want of memory"
    if "SIGSEGV" in how or "SIGABRT" in how or "SIGBUS" in how:
        return f"its program crashed ({how})"
    if "SIG" in how:
        return f"it was ended from outside ({how})"
    return f"its process ended by itself ({how})" if how else "its process ended by itself"


def times(sight: Sight) -> tuple[str, ...]:
    """When, how often, and what the probe says; never in the text that has to be the same on every run."""
    told = [sight.seen.edge] if sight.seen.edge else []
    if sight.seen.state == "running" and not sight.health.healthy and sight.health.detail:
        told.append(f"its probe: {sight.health.detail}")
    if sight.seen.since is not None:
        told.append(f"its process began {_at(sight.seen.since)}")
    if sight.seen.restarts:
        told.append(f"it was started again {sight.seen.restarts} times")
    if sight.last is not None and sight.last.at is not None:
        told.append(f"its process last ended {_at(sight.last.at)} ({sight.last.how})")
    return tuple(told)


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def evidence(sight: Sight) -> tuple[str, ...]:
    """The lines of its log that matter."""
    return telling_lines(sight.log, ended=sight.seen.state in ("failed", "stopped", "starting"))
