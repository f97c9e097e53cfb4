"""How secrets stay out of IPython's history database, which keeps inputs, and outputs where asked to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlox.matching import Matcher

_TABLES = (
    (
        "SELECT rowid, source, source_raw FROM history WHERE session = ?",
        "UPDATE history SET source = ?, source_raw = ? WHERE rowid = ?",
    ),
    (
        "SELECT rowid, output FROM output_history WHERE session = ?",
        "UPDATE output_history SET output = ? WHERE rowid = ?",
    ),
)


class History:
    """The guard of one shell's history: of what is about to be written, and of a cell that made its value known."""

    def __init__(self, shell: InteractiveShell, matcher: Callable[[], Matcher]) -> None:
        self._shell = shell
        self._matcher = matcher
        self._manager: Any = getattr(shell, "history_manager", None)
        self._mended: Matcher | None = None

    def register(self) -> None:
        """Redact from now on."""
        if self._manager is not None:
            self._write = self._manager.writeout_cache
            self._manager.writeout_cache = self._redacted_write
            self._shell.events.register("post_run_cell", self._mend)

    def unregister(self) -> None:
        """Write as it is."""
        if self._manager is not None:
            self._shell.events.unregister("post_run_cell", self._mend)
            if vars(self._manager).get("writeout_cache") == self._redacted_write:
                del self._manager.writeout_cache

    def _redacted_write(self, *arguments: Any, **named: Any) -> Any:
        """``HistoryManager.writeout_cache``; the caches hold tuples of a line's number and texts."""
        manager, redacted = self._manager, self._matcher().redacted
        for lock, cache in (
            (manager.db_input_cache_lock, manager.db_input_cache),
            (manager.db_output_cache_lock, manager.db_output_cache),
        ):
            with lock:
                cache[:] = [tuple(redacted(each) if isinstance(each, str) else each for each in row) for row in cache]
        return self._write(*arguments, **named)

    def _mend(self, result: Any) -> None:
        """Where a cell made values known, or named one, write what this session has kept of them anew.

        Another thread may have written the cell in the moment in which it was not redacted yet.
        """
        matcher, manager = self._matcher(), self._manager
        texts = (result.info.raw_cell, manager.output_hist_reprs.get(result.execution_count))
        if not manager.enabled or (matcher is self._mended and not any(matcher.places(text or "") for text in texts)):
            return
        self._mended = matcher
        manager.writeout_cache()
        with suppress(sqlite3.Error), manager.db:  # a history that cannot be written was not written before
            manager.db.execute("PRAGMA secure_delete = ON")  # overwrite what is replaced
            for read, write in _TABLES:
                rows = manager.db.execute(read, (manager.session_number,)).fetchall()
                named = [(row, texts) for row, *texts in rows if any(map(matcher.places, texts))]
                manager.db.executemany(write, [(*map(matcher.redacted, texts), row) for row, texts in named])
