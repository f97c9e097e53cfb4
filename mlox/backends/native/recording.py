"""The history of a native stack: a file beside its units, a line an entry, replaced as a whole."""

from __future__ import annotations

import contextlib

from mlox.backends.native.layout import Place, writing
from mlox.protocols import Entry, Transport, with_entry


def record(place: Place, entry: Entry, transport: Transport) -> None:
    """Keep an entry; see :meth:`mlox.protocols.Recording.record`."""
    with writing(place.folder):
        place.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        text = "".join(f"{each.to_line()}\n" for each in with_entry(history(place), entry))
        transport.put(text.encode(), place.history, mode=0o600)


def history(place: Place) -> tuple[Entry, ...]:
    """All entries; see :meth:`mlox.protocols.Recording.history`."""
    try:
        lines = place.history.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return tuple(entry for line in lines if (entry := Entry.from_line(line)) is not None)


def forget(place: Place) -> None:
    """Remove it; see :meth:`mlox.protocols.Recording.forget`."""
    with writing(place.folder):
        place.history.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            place.folder.rmdir()
