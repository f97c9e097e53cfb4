"""What a notebook is told of alerts: below the next cell, once, that one fires or is resolved; quiet otherwise.

A watcher writes what it tells beside the workspace; here that file is looked at after each cell. Nothing is shown where
nobody looks, since outputs are compared there.
"""

from __future__ import annotations

import html
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mlox_jupyter.kernel import in_terminal, somebody_there
from mlox_jupyter.redaction import written_here

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlox.alerts import Memory, Notification

Stamp = tuple[str, int, int]


class AlertNotices:
    """The notices of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._stamp: Stamp | None = None
        self._shown: set[str] = set()

    def register(self) -> None:
        """Look after each cell from now on."""
        self._shell.events.register("post_run_cell", self.look)

    def unregister(self) -> None:
        """Look no longer."""
        self._shell.events.unregister("post_run_cell", self.look)

    def look(self, *_: object) -> None:
        """Show what is new; of what was told before this kernel looked for the first time, only what still fires."""
        if not somebody_there(self._shell):
            return
        path = _file()
        stamp = _stamp(path) if path is not None else None
        if path is None or stamp is None or stamp == self._stamp:
            return
        from mlox.alerts import remembered

        memory = remembered(path)
        known = self._stamp is not None and self._stamp[0] == stamp[0]
        self._stamp = stamp
        new = [note for note in memory.latest if note.id not in self._shown]
        self._shown = {note.id for note in memory.latest}
        told = new if known else _still_firing(new, memory)
        if told and memory.notebook:
            self._show(told)

    def _show(self, notes: list[Notification]) -> None:
        text = "\n".join(f"alert {note.sentence}" for note in notes)
        data = {"text/plain": text}
        if not in_terminal(self._shell):
            data["text/html"] = f'<div class="mlox" style="white-space:pre-wrap">{html.escape(text)}</div>'
        self._shell.display_pub.publish(data=data, metadata={})


def _still_firing(notes: list[Notification], memory: Memory) -> list[Notification]:
    """The last word on each alert that fires."""
    fresh = memory.is_fresh(time.time())
    firing = {alert.key for alert in memory.alerts if fresh and alert.state == "firing"}
    last = {(note.rule, note.subject): note for note in notes if (note.rule, note.subject) in firing}
    return [note for note in last.values() if note.status == "firing"]


def _file() -> Path | None:
    """What the watcher of the workspace here, or above, remembers."""
    from mlox.alerts import memory_file

    written = written_here()
    return memory_file(written.parent) if written is not None else None


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path), found.st_mtime_ns, found.st_ino
