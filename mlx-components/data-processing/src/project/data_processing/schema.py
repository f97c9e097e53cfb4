"""What the columns of a table have to be: types, gaps, bounds, keys. All that is wrong is told at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

DType = pl.DataType | type[pl.DataType]


class SchemaError(ValueError):
    """A table is not what it should be; ``problems`` are lines."""

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join((f"{name} is not what it should be:", *(f"  {line}" for line in problems))))


@dataclass(frozen=True)
class Column:
    """``nullable``: it may have gaps. ``minimum`` and ``maximum`` are allowed themselves; ``choices`` are all.

    A number that is no number (NaN) is beyond every bound.
    """

    dtype: DType
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def wrong(self, name: str) -> dict[str, pl.Expr]:
        """What can be wrong with the values: how many rows it is, in words with ``{}`` for them."""
        column = pl.col(name)
        counts: dict[str, pl.Expr] = {}
        if not self.nullable:
            counts[f"{name}: {{}} rows have no value"] = column.null_count()
        if self.minimum is not None or self.maximum is not None:
            within = pl.lit(value=True)
            if self.minimum is not None:
                within &= column >= self.minimum
            if self.maximum is not None:
                within &= column <= self.maximum
            if self.dtype in (pl.Float32, pl.Float64):
                within &= column.is_not_nan()
            bounds = f"{_shown(self.minimum)} to {_shown(self.maximum)}"
            counts[f"{name}: {{}} rows are not within {bounds}"] = (~within).sum()
        if self.choices:
            counts[f"{name}: {{}} rows are none of {', '.join(self.choices)}"] = (
                ~column.cast(pl.String).is_in(self.choices)
            ).sum()
        return counts


@dataclass(frozen=True)
class Schema:
    """The columns of a table. ``unique`` are those that tell its rows apart; ``others``: there may be further columns.

    Example::

        CALLS = Schema("calls", {"customer": Column(pl.Int64), "minutes": Column(pl.Float64, minimum=0)})
        CALLS.check(scan("calls.csv"))
    """

    name: str
    columns: Mapping[str, Column]
    unique: tuple[str, ...] = ()
    others: bool = False

    def check(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """``frame`` with the columns in the order of the schema, once all its rows are checked, in a stream.

        Raises:
            SchemaError: columns are missing, too many or of other types, or rows are wrong.
        """
        there = frame.collect_schema()
        problems = self._columns(there)
        if problems:
            raise SchemaError(self.name, problems)
        counts = {told: count for name, column in self.columns.items() for told, count in column.wrong(name).items()}
        if self.unique:
            key = pl.struct(self.unique)
            counts[f"{', '.join(self.unique)}: {{}} rows are there already"] = pl.len() - key.n_unique()
        exprs = [count.alias(str(number)) for number, count in enumerate(counts.values())]
        found = frame.select(exprs).collect(engine="streaming").row(0) if exprs else ()
        if problems := [told.format(number) for told, number in zip(counts, found, strict=True) if number]:
            raise SchemaError(self.name, problems)
        return frame.select([*self.columns, *(name for name in there.names() if name not in self.columns)])

    def _columns(self, there: pl.Schema) -> list[str]:
        problems = []
        for name, column in self.columns.items():
            if name not in there:
                near = difflib.get_close_matches(name, [one for one in there if one not in self.columns], n=1)
                problems.append(f"{name}: there is no such column{f'; is it {near[0]}?' if near else ''}")
            elif there[name] != column.dtype:
                problems.append(f"{name}: is {there[name]}, not {column.dtype}")
        if not self.others:
            problems += [f"{name}: is not in the schema" for name in there if name not in self.columns]
        return problems


def _shown(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:g}"
