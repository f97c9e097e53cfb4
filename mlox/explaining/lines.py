"""Which lines of a log matter: those that tell of an error, without their repetitions, and the last ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST = 10
TAIL = 4

_ERROR = re.compile(
    r"\b(error|fatal|critical|panic|exception|failed|failure|cannot|can't|could not|denied|refused|unable|invalid"
    r"|no such|already in use|out of memory|killed|abort(ed|ing)?|bad directive)\b|\w(Error|Exception)\b|^mlox: ",
    re.IGNORECASE,
)
_FRAME = re.compile(r"^\s+\S|^Traceback \(most recent call last\)|^(During handling|The above exception)")
_COUNT = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)


def telling_lines(log: Sequence[str], *, ended: bool, most: int = MOST) -> tuple[str, ...]:
    """At most ``most`` lines of ``log``, in order: lines about errors and, where the process ``ended``, its last ones.

    Frames of a traceback are left out, its last line is kept; of lines that differ in numbers alone, the last one.

    Example:
        >>> telling_lines(["1 ready", "2 Error: no disk", "3 Error: no disk", "4 bye"], ended=False)
        ('3 Error: no disk',)
    """
    lines = [line.rstrip() for line in log if line.strip() and not _FRAME.match(line)]
    tail = len(lines) - (TAIL if ended else 0)
    latest: dict[str, int] = {}
    for index, line in enumerate(lines):
        if index >= tail or _ERROR.search(line):
            latest[_COUNT.sub("#", line)] = index
    chosen = sorted(latest.values())[-most:]
    return tuple(lines[index] for index in chosen or range(max(0, len(lines) - TAIL), len(lines)))
