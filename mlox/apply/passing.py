"""How far a stream of data is, told while it passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from mlox.protocols import Emit, Event

TELL_S = 0.5
"""How often it is told."""


def passed(
    chunks: Iterable[bytes], service: str, what: str, emit: Emit, check: Callable[[], None], whole: int = 0
) -> Iterator[bytes]:
    """Hand ``chunks`` on, and tell how many of ``whole`` bytes (0: nobody knows) have passed.

    Args:
        check: raises where the stack is no longer ours.
    """
    count, told = 0, time.monotonic()
    emit(Event(service, f"{what}: {whole / 1e6:.1f} MB", fraction=0.0) if whole else Event(service, what))
    for chunk in chunks:
        count += len(chunk)
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            check()
            fraction = min(count / whole, 1.0) if whole else None
            emit(Event(service, f"{what}: {count / 1e6:.1f} MB", kind="wait", fraction=fraction))
        yield chunk
