"""Steps from one table to another, each a plain function; nothing is computed before the end asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from .files import write
from .schema import Schema

Transform = Callable[[pl.LazyFrame], pl.LazyFrame]


class StepError(Exception):
    """A step failed; the cause says why."""


@dataclass(frozen=True)
class Step:
    """A function from a lazy table to a lazy table; what comes out is checked by ``gives``, where that is said."""

    name: str
    apply: Transform
    gives: Schema | None = None

    def __call__(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """What the step makes of ``frame``.

        Raises:
            StepError: it fails, or what it makes is not what it gives.
        """
        try:
            made = self.apply(frame)
            if isinstance(made, pl.LazyFrame):
                made.collect_schema()  # a column that is not there is told here, and not at the end
                return self.gives.check(made) if self.gives is not None else made
        except (pl.exceptions.PolarsError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise StepError(f"step {self.name}: {error}") from error
        raise StepError(f"step {self.name}: it gave {type(made).__name__}, not a LazyFrame")


@dataclass(frozen=True)
class Pipeline:
    """Steps one after the other; it cannot be changed, ``then`` gives a longer one.

    Example::

        pipeline = Pipeline().then(only_active).then(add_rates, gives=RATES)
        pipeline.write(scan("calls/*.parquet"), "rates.parquet")
    """

    steps: tuple[Step, ...] = field(default=())

    def then(self, step: Step | Transform, *, name: str = "", gives: Schema | None = None) -> Pipeline:
        """This pipeline with a step more: a function, or a :class:`Step`."""
        if not isinstance(step, Step):
            step = Step(name or getattr(step, "__name__", "step"), step, gives)
        return replace(self, steps=(*self.steps, step))

    def __call__(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The lazy table behind the last step; of the rows only what schemas check has been looked at.

        Raises:
            StepError: a step fails.
        """
        for step in self.steps:
            frame = step(frame)
        return frame

    def run(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """The table behind the last step, in memory; it is computed in a stream."""
        return self(frame).collect(engine="streaming")

    def write(self, frame: pl.LazyFrame, path: str | Path) -> Path:
        """The same into a file, without ever holding all of it."""
        return write(self(frame), path)

    def timed(self, frame: pl.LazyFrame) -> tuple[pl.DataFrame, dict[str, float]]:
        """The table in memory, and the seconds of each step, which are computed one by one for it: to find the slow."""
        seconds: dict[str, float] = {}
        for step in self.steps:
            began = time.perf_counter()
            frame = step(frame).collect(engine="streaming").lazy()
            seconds[step.name] = time.perf_counter() - began
        return frame.collect(), seconds
