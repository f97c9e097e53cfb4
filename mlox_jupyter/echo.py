"""How secrets stay out of the log of whatever runs the kernel: ipykernel writes there what subprocesses print."""

from __future__ import annotations

import atexit
import codecs
import os
import select
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlox.matching import COLOURS

if TYPE_CHECKING:
    from mlox.matching import Matcher

QUIET_S = 0.5
"""How long the end of a text is held back that may be the beginning of a value."""

COPY = "_original_stdstream_copy"
"""Where ipykernel keeps the descriptor of the real standard output; without it there is nothing to guard."""


class Echo:
    """A pipe in front of the kernel's real standard output and error, whose reader redacts."""

    def __init__(self, matcher: Callable[[], Matcher]) -> None:
        self._matcher = matcher
        self._guarded: list[tuple[Any, int, int, threading.Thread]] = []

    def register(self) -> None:
        """Guard both from now on."""
        for stream in (sys.stdout, sys.stderr):
            real = getattr(stream, COPY, None)
            if isinstance(real, int):
                reading, writing = os.pipe()
                thread = threading.Thread(target=self._copy, args=(reading, real), name="mlox-echo", daemon=True)
                thread.start()
                setattr(stream, COPY, writing)
                self._guarded.append((stream, real, writing, thread))
        atexit.register(self.unregister)  # before ipykernel closes its streams

    def unregister(self) -> None:
        """Let them write as they do."""
        atexit.unregister(self.unregister)
        while self._guarded:
            stream, real, writing, thread = self._guarded.pop()
            setattr(stream, COPY, real)
            os.close(writing)
            thread.join(2 * QUIET_S)  # a fork of the kernel may keep its end of the pipe open

    def _copy(self, reading: int, real: int) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        held, ended = "", False
        with os.fdopen(reading, "rb", buffering=0) as pipe, os.fdopen(os.dup(real), "wb", buffering=0) as out:
            while not ended:
                quiet = not select.select([pipe], [], [], QUIET_S if held else None)[0]
                content = b"" if quiet else pipe.read(1 << 16)
                ended = not quiet and not content
                ready, held = self._matcher().cut(held + decoder.decode(content, final=ended))
                if quiet or ended:
                    ready, held = ready + self._matcher().redacted(held, COLOURS), ""
                out.write(ready.encode("utf-8", "surrogateescape"))
