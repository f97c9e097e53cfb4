"""Training, validation and test data that know nothing of each other: by group, or by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

import polars as pl

_STEPS = 10_000


@dataclass(frozen=True)
class Split:
    """Three lazy tables; ``dropped`` is what is in none of them."""

    training: pl.LazyFrame
    validation: pl.LazyFrame
    test: pl.LazyFrame
    dropped: pl.LazyFrame

    def sizes(self) -> dict[str, int]:
        """The rows of each, counted together."""
        parts = {"training": self.training, "validation": self.validation, "test": self.test, "dropped": self.dropped}
        counts = pl.collect_all([part.select(pl.len()) for part in parts.values()])
        return {name: int(count.item()) for name, count in zip(parts, counts, strict=True)}


def split_by_group(
    frame: pl.LazyFrame,
    by: str | Sequence[str],
    *,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> Split:
    """All rows of a group, such as a customer, are in the same part; with the same ``seed`` always in the same one.

    A group's part is told by a hash of its name alone: rows that come later change none of those that were there. So
    the shares are of groups, and about right. Rows without a name are dropped.

    Raises:
        ValueError: the shares are none. LookupError: there is no such column.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise ValueError(f"validation {validation:g} and test {test:g} leave nothing for training, or are no shares")
    names = [by] if isinstance(by, str) else list(by)
    _has(frame, names)
    key = pl.concat_str([_named(pl.col(name)) for name in names])
    # Once for each group, and by a hash that no release of Polars changes.
    place = key.map_batches(lambda groups: _places(groups, seed), return_dtype=pl.Int32, is_elementwise=True)
    placed = frame.with_columns(place.alias("__place"))
    ends = round(test * _STEPS), round((test + validation) * _STEPS)
    at = pl.col("__place")
    return _parts(placed, at >= ends[1], (at >= ends[0]) & (at < ends[1]), at < ends[0])


def split_by_time(
    frame: pl.LazyFrame,
    column: str,
    *,
    validation_from: datetime,
    test_from: datetime,
    gap: timedelta = timedelta(0),
    group: str | None = None,
) -> Split:
    """What is before ``validation_from`` is for training, what is from ``test_from`` on for the test.

    ``gap`` is dropped before each border: what is known of a row, such as a sum over 30 days, must not reach over it.
    With ``group``, who is in an earlier part is dropped from later ones, so that nothing is recognised. Rows without a
    time are dropped.

    Raises:
        ValueError: the borders are in the wrong order. LookupError: there is no such column.
    """
    if validation_from > test_from or gap < timedelta(0):
        raise ValueError(f"validation from {validation_from} and test from {test_from} are no borders, with gap {gap}")
    _has(frame, [column, *([group] if group else [])])
    time = pl.col(column)
    training = time < validation_from - gap
    validation = (time >= validation_from) & (time < test_from - gap)
    test = time >= test_from
    if group is not None:
        names = pl.col(group)
        frame = frame.with_columns(
            training.any().over(names).alias("__trained"), validation.any().over(names).alias("__validated")
        )
        validation &= ~pl.col("__trained")
        # Who was dropped from the validation was in the training.
        test &= ~pl.col("__trained") & ~pl.col("__validated")
    return _parts(frame, training, validation, test)


def _parts(frame: pl.LazyFrame, training: pl.Expr, validation: pl.Expr, test: pl.Expr) -> Split:
    own = pl.selectors.exclude("__place", "__trained", "__validated")
    training, validation, test = (part.fill_null(value=False) for part in (training, validation, test))
    parts = [frame.filter(part).select(own) for part in (training, validation, test, ~(training | validation | test))]
    return Split(*parts)


def _named(column: pl.Expr) -> pl.Expr:
    """With its length before it, so that ``ab`` and ``c`` are not ``a`` and ``bc``; a gap stays one."""
    text = column.cast(pl.String)
    return pl.concat_str([text.str.len_bytes().cast(pl.String), pl.lit(":"), text])


def _places(groups: pl.Series, seed: int) -> pl.Series:
    names = groups.unique()
    salt = seed.to_bytes(16, "little", signed=True)
    places = [
        None if name is None else int.from_bytes(blake2b(name.encode(), digest_size=8, salt=salt).digest()) % _STEPS
        for name in names
    ]
    return groups.replace_strict(names, pl.Series(places, dtype=pl.Int32), return_dtype=pl.Int32)


def _has(frame: pl.LazyFrame, names: Sequence[str]) -> None:
    there = frame.collect_schema().names()
    if missing := [name for name in names if name not in there]:
        raise LookupError(f"there is no column {missing[0]}; there are: {', '.join(there)}")
