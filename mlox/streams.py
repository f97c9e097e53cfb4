"""Bytes on their way through several pieces of work at once, part by part: nobody holds the whole of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from mlox.errors import Cancelled

T = TypeVar("T")

AHEAD = 8
"""How many parts may wait for whoever is slower."""

LOOK_S = 0.1


def pulled(work: Callable[[Callable[[bytes], None]], None]) -> Iterator[bytes]:
    """What ``work`` passes on, while it runs beside; what it raises is raised here, at the end.

    Where nobody wants the rest, the next part that it passes on raises :class:`~mlox.errors.Cancelled` in it.

    Example:
        >>> b"".join(pulled(lambda write: [write(b"one "), write(b"two")]))
        b'one two'
    """
    parts: queue.Queue[bytes | None] = queue.Queue(AHEAD)
    ended = threading.Event()

    def pass_on(part: bytes | None) -> None:
        if not _handed(parts, part, ended.is_set):
            raise Cancelled("nobody wants the rest", hint="Run the same command again.")

    def run() -> None:
        try:
            work(pass_on)
        finally:
            if not ended.is_set():
                pass_on(None)

    with ThreadPoolExecutor(1, thread_name_prefix="mlox-stream") as pool:
        done = pool.submit(run)
        try:
            while (part := parts.get()) is not None:
                yield part
        finally:
            ended.set()
    done.result()


class Followed(Generic[T]):
    """Parts that pass, and beside them work that reads the same ones.

    Args:
        chunks: the parts. ``work``: reads all of them.

    Example:
        >>> followed = Followed([b"one", b"two"], lambda chunks: sum(map(len, chunks)))
        >>> list(followed), followed.result
        ([b'one', b'two'], 6)
    """

    def __init__(self, chunks: Iterable[bytes], work: Callable[[Iterable[bytes]], T]) -> None:
        self._chunks = chunks
        self._work = work
        self._done: Future[T] = Future()

    def __iter__(self) -> Iterator[bytes]:
        """The parts; what ``work`` raises is raised between them, or at the end."""
        parts: queue.Queue[bytes | None] = queue.Queue(AHEAD)
        ended = threading.Event()

        def given() -> Iterator[bytes]:
            while (part := parts.get()) is not None:
                yield part
            if ended.is_set():
                raise Cancelled("the stream was cut off", hint="Run the same command again.")

        with ThreadPoolExecutor(1, thread_name_prefix="mlox-stream") as pool:
            self._done = pool.submit(lambda: self._work(given()))
            try:
                for chunk in self._chunks:
                    _handed(parts, chunk, self._done.done)
                    yield chunk
            except BaseException:
                ended.set()
                raise
            finally:
                _handed(parts, None, self._done.done)
        self._done.result()

    @property
    def result(self) -> T:
        """What ``work`` returned, once all parts have passed."""
        return self._done.result()


def _handed(parts: queue.Queue[bytes | None], part: bytes | None, ended: Callable[[], bool]) -> bool:
    """Whether there was room for a part before somebody ``ended`` it."""
    while not ended():
        try:
            parts.put(part, timeout=LOOK_S)
        except queue.Full:
            continue
        return True
    return False
