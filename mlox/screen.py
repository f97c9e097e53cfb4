"""How a shell shows what goes on: a block that is drawn again in its place, else one block after the other."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from mlox.values import shown
from mlox.values.live import Live
from mlox.values.logs import LogLine, Logs, Stream, prefix, width_of

CLEAR_LINE, CLEAR_BELOW = "\r\033[K", "\r\033[J"

PALETTE = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
"""The colours of names, as SGR has them: none that a light or a dark screen has as its own."""

Clock = Callable[[], str]


def now() -> str:
    """The time here, for a reader."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def show(live: Live, out: TextIO, *, as_json: bool, clock: Clock = now) -> None:
    """Show each look until somebody interrupts, which is the way to end it.

    In a terminal a look takes the place of the one before; elsewhere each is a block below the time, without those that
    say nothing new; with ``as_json`` each is an object on a line of its own.
    """
    terminal = out.isatty() and not as_json
    block = Block(out)
    before = ""
    try:
        for look in live.looks:
            if as_json:
                print(json.dumps(look.to_json(), default=str), file=out, flush=True)
                continue
            text = shown(look, "shell", detail=True)
            if terminal:
                block.draw(f"{clock()}  every look takes the place of the last one; Ctrl-C ends it\n{text}")
            elif text != before or not live.changes:
                print(f"{clock()}\n{text}\n", file=out, flush=True)
            before = text
    except KeyboardInterrupt:
        if terminal:
            print(CLEAR_LINE, end="", file=out, flush=True)  # where the terminal shows ^C
        elif not as_json:
            out.flush()


def follow(stream: Stream, out: TextIO, *, as_json: bool) -> None:
    """Print lines as they come, until they end or somebody interrupts."""
    width, colours = width_of(stream.labels), Colours(out)
    with contextlib.closing(stream.lines) as lines:
        for line in lines:
            before = colours.before(line, width) if isinstance(line, LogLine) else ""
            print(json.dumps(line.to_json()) if as_json else f"{before}{line.text}", file=out, flush=True)


def print_logs(logs: Logs, out: TextIO) -> None:
    """Print the lines that there are, names in colour in a terminal."""
    width, colours = width_of(logs.labels), Colours(out)
    for line in logs.lines:
        print(f"{colours.before(line, width)}{line.text}", file=out)
    for note in logs.notes:
        print(note, file=sys.stderr)


class Colours:
    """The names before lines, each in a colour of its own in a terminal; without any where NO_COLOR is set.

    Source: https://no-color.org
    """

    def __init__(self, out: TextIO) -> None:
        self._on = out.isatty() and not os.environ.get("NO_COLOR")
        self._known: dict[str, int] = {}

    def before(self, line: LogLine, width: int) -> str:
        """What stands before a line; nothing where only one service is shown."""
        if not width:
            return ""
        if not self._on:
            return prefix(line, width)
        number = self._known.setdefault(line.service, len(self._known))
        return f"\033[{PALETTE[number % len(PALETTE)]}m{prefix(line, width)}\033[0m"


class Block:
    """Lines of a terminal that are drawn again in their place; nothing of the terminal is switched over for it.

    What does not fit on the screen is left out: a line that is scrolled out cannot be drawn again.
    """

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self._lines = 0

    def draw(self, text: str) -> None:
        """Put ``text`` where the last one was."""
        width, height = shutil.get_terminal_size()
        lines = [line[: max(width - 1, 1)] for line in text.splitlines()]
        room = max(height - 1, 2)
        if len(lines) > room:
            lines = [*lines[: room - 1], f"... and {len(lines) - room + 1} more lines"]
        up = f"\033[{self._lines}A" if self._lines else ""
        self.out.write(f"{up}{CLEAR_BELOW}" + "".join(f"{line}\n" for line in lines))
        self.out.flush()
        self._lines = len(lines)
