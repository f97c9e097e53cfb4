"""How long something takes, and where the time goes."""

from __future__ import annotations

import contextlib
import cProfile
import io
import logging
import pstats
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger(__name__)

Order = Literal["cumulative", "tottime", "ncalls"]


@dataclass
class Took:
    """What was measured; ``seconds`` of the wall's clock, ``cpu_seconds`` of this process in all its threads."""

    name: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@contextlib.contextmanager
def timed(name: str, told: Callable[[Took], None] | None = None) -> Iterator[Took]:
    """Measure a block, or as a decorator each call of a function; ``told`` hears of it, else the log does.

    A block that fails is measured too.

    Example::

        with timed("load") as took:
            frame = load()
        print(took.seconds)
    """
    took = Took(name)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield took
    finally:
        took.seconds, took.cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        if told is not None:
            told(took)
        else:
            fields = {"seconds": round(took.seconds, 6), "cpu_seconds": round(took.cpu_seconds, 6)}
            logger.info("%s took %.3f s", name, took.seconds, extra=fields)


@contextlib.contextmanager
def profiled(told: Callable[[str], None], *, order: Order = "cumulative", lines: int = 20) -> Iterator[None]:
    """Profile a block by calls, and tell the ``lines`` that took most; about twice as slow while it measures."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        text = io.StringIO()
        pstats.Stats(profile, stream=text).strip_dirs().sort_stats(order).print_stats(lines)
        told(text.getvalue().strip())
