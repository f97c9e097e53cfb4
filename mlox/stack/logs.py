"""What services wrote, secrets masked, and which of it is wanted."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mlox.errors import UsageError
from mlox.protocols import Line, Observed
from mlox.secret import Secret, mask
from mlox.stack.operations import secrets_of, units_of
from mlox.stack.rows import chosen_names
from mlox.stack.surroundings import Surroundings
from mlox.values.logs import LogLine, Logs

LINES = 100
"""How many lines of a unit are shown where nobody says."""

SEARCHED = 100_000
"""How many of the last lines of a unit are looked through for those that are wanted."""

_WRITTEN = re.compile(
    r"[\[(]?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|GMT|[+-]\d\d:?\d\d)?(?![\w:])"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: the last ``lines`` of each unit, of those that ``grep`` finds and that are not older than ``since``.

    ``since`` is seconds since the epoch. The expression is searched in what is shown, where secrets are masked.
    """

    lines: int | None = None
    grep: re.Pattern[str] | None = None
    since: float | None = None

    @property
    def read(self) -> int:
        """How many of the last lines have to be read for it."""
        return SEARCHED if self.grep is not None or self.since is not None else self.shown

    @property
    def shown(self) -> int:
        """How many are shown at most."""
        return self.lines if self.lines is not None else SEARCHED if self.since is not None else LINES

    def takes(self, line: LogLine) -> bool:
        """Whether a line is among them."""
        if self.since is not None and (line.at is None or line.at < self.since):
            return False
        return self.grep is None or self.grep.search(line.text) is not None

    def of(self, lines: Iterable[LogLine]) -> list[LogLine]:
        """Those of one unit."""
        found = [line for line in lines if self.takes(line)]
        return found[-self.shown :] if self.shown > 0 else []


def read_logs(around: Surroundings, names: Sequence[str], wanted: Wanted) -> Logs:
    """The last lines of services; without names, of all that there are.

    Raises:
        UnknownNameError: there is no such service.
        UsageError: a time is asked for, and a service that was named writes none.
    """
    chosen = named(around, names)
    parts: dict[str, list[LogLine]] = {}
    untimed = []
    for name in chosen:
        secrets = secrets_of(around, name)
        for o in units_of(around, name):
            lines = around.backends[o.unit.server].logs(o.stack, o.service, o.name, lines=wanted.read)
            told = list(timed(masked(o, line, secrets) for line in lines))
            label = told[0].label if told else name
            if wanted.since is not None and told and all(line.at is None for line in told):
                untimed.append(label)
            parts[LogLine(name, o.name, "").label] = wanted.of(told)
    if untimed and names:
        raise UsageError(
            f"--since: the lines of {untimed[0]} have no time", hint="Leave --since out, or name other services."
        )
    notes = (f"left out, since their lines have no time: {', '.join(untimed)}",) if untimed else ()
    return Logs(chosen, tuple(parts), tuple(in_order(parts)), notes)


def named(around: Surroundings, names: Sequence[str]) -> tuple[str, ...]:
    """The services that are meant: these, or all that there is anything of.

    Raises:
        UnknownNameError: there is no such service.
    """
    for name in names:
        units_of(around, name)
    there = {o.service for o in around.observed.values()}
    return tuple(names) or tuple(name for name in chosen_names(around, None) if name in there)


def masked(seen: Observed, line: str, secrets: Sequence[Secret]) -> LogLine:
    """A line of a unit without the secrets that the unit knows."""
    return LogLine(seen.service, seen.name, mask(line, secrets), line.at if isinstance(line, Line) else None)


def timed(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """The same lines with their times: the back end's, else the one that stands in the line, or in one before it."""
    last: float | None = None
    for line in lines:
        last = time_of(line, last)
        yield replace(line, at=last)


def time_of(line: LogLine, before: float | None) -> float | None:
    """When a line was written: as the back end says, or the line, or as the one ``before`` it."""
    written = line.at if line.at is not None else written_at(line.text)
    return written if written is not None else before


def written_at(text: str) -> float | None:
    """The time that a line begins with, in seconds since the epoch: ISO 8601, in this machine's zone if it names none.

    Example:
        >>> written_at("2026-11-22 15:00:00.250 UTC [12] LOG:  ready"), written_at("ready at 2026-11-22")
        (1795359600.25, None)
    """
    match = _WRITTEN.match(text)
    if match is None:
        return None
    zone = (match[3] or "").replace("UTC", "Z").replace("GMT", "Z").replace("Z", "+00:00")
    if zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    try:
        return datetime.fromisoformat(f"{match[1]}{zone}").timestamp() + float(f"0.{match[2] or 0}")
    except (ValueError, OverflowError):
        return None


def in_order(parts: Mapping[str, Sequence[LogLine]]) -> Iterator[LogLine]:
    """The lines of all units: by time where each line has one, else one unit after the other."""
    if all(line.at is not None for lines in parts.values() for line in lines):
        return heapq.merge(*parts.values(), key=lambda line: line.at or 0.0)
    return (line for lines in parts.values() for line in lines)
