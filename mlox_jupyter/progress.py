"""How long work shows itself below a cell: one display that is updated, a line a service."""

from __future__ import annotations

import html
import threading
import time
import uuid
from typing import TYPE_CHECKING

from mlox.protocols import Event

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

SHOWN_S = 0.1
"""How often the display is updated at most; what ends a service's work is shown at once."""

MARKS = {"done": "✓", "failed": "✗", "warning": "!"}


class LiveLines:
    """One display of a Jupyter front end. It may be told of events from any thread, also after the cell has ended.

    It appears with the first event. :meth:`finish` empties it, since the value of the cell says the same.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._publisher = shell.display_pub
        self._id = f"mlox-{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        self._lines: dict[str, str] = {}
        self._begun = False
        self._finished = False
        self._shown = 0.0
        self._later: threading.Timer | None = None

    def __call__(self, event: Event) -> None:
        """Show the event: at once, or a moment later where the last one is only just shown."""
        with self._lock:
            mark = MARKS.get(event.kind, "…")
            share = f" {event.fraction:.0%}" if event.fraction is not None and event.kind not in MARKS else ""
            self._lines.pop("", None)  # what is said of no service holds until the next event
            self._lines[event.service] = f"{mark} {_told(event)}{share}"
            wait_s = self._shown + SHOWN_S - time.monotonic()
            if event.kind in MARKS or wait_s <= 0:
                self._show()
            elif self._later is None:
                self._later = threading.Timer(wait_s, self._show_later)
                self._later.daemon = True
                self._later.start()

    def finish(self) -> None:
        """Empty the display; later events are not shown."""
        with self._lock:
            self._lines.clear()
            self._show()
            self._finished = True

    def _show_later(self) -> None:
        with self._lock:
            self._show()

    def _show(self) -> None:
        """Show all lines; whoever calls holds the lock."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._finished or not (self._lines or self._begun):
            return
        text = "\n".join(self._lines.values())
        body = f'<div class="mlox" style="white-space:pre-wrap;opacity:.8">{html.escape(text)}</div>' if text else ""
        data = {"text/plain": text, "text/html": body}
        self._publisher.publish(data=data, metadata={}, transient={"display_id": self._id}, update=self._begun)
        self._begun = True
        self._shown = time.monotonic()


class PlainLines:
    """Lines on standard output, for a terminal, or where nobody looks and they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Print the event."""
        with self._lock:
            print(_told(event), flush=True)

    def finish(self) -> None:
        """Nothing is left to do."""


class Silence:
    """No progress: nobody looks, or it was not wanted. A notebook that runs headless keeps the same outputs."""

    def __call__(self, event: Event) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Nothing is left to do."""


def _told(event: Event) -> str:
    return f"{event.service}: {event.message}" if event.service else event.message


Progress = LiveLines | PlainLines | Silence
