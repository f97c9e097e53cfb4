"""What is in the columns of a table: gaps, values, bounds; for a look before and an alarm after."""

from __future__ import annotations

import polars as pl


def profile(frame: pl.LazyFrame) -> pl.DataFrame:
    """A row for each column: type, rows, share of gaps, distinct values (estimated), least, greatest, mean, deviation.

    Least and greatest are texts, since the columns have all types. One pass, in a stream.
    """
    schema = frame.collect_schema()
    exprs = [
        expr.alias(f"{number}.{name}")
        for number, (column, dtype) in enumerate(schema.items())
        for name, expr in _measures(column, dtype).items()
    ]
    found = frame.select(pl.len().alias("rows"), *exprs).collect(engine="streaming").row(0, named=True)
    rows = found["rows"]
    lines = []
    for number, (column, dtype) in enumerate(schema.items()):
        gaps = found[f"{number}.gaps"]
        lines.append(
            {
                "column": column,
                "type": str(dtype),
                "rows": rows,
                "gaps": gaps / rows if rows else 0.0,
                "distinct": found.get(f"{number}.distinct"),
                "least": _text(found.get(f"{number}.least")),
                "greatest": _text(found.get(f"{number}.greatest")),
                "mean": found.get(f"{number}.mean"),
                "deviation": found.get(f"{number}.deviation"),
            }
        )
    types = {"column": pl.String, "type": pl.String, "rows": pl.Int64, "gaps": pl.Float64, "distinct": pl.Int64}
    types |= {"least": pl.String, "greatest": pl.String, "mean": pl.Float64, "deviation": pl.Float64}
    return pl.DataFrame(lines, schema=types)


def _measures(column: str, dtype: pl.DataType) -> dict[str, pl.Expr]:
    values = pl.col(column)
    measures = {"gaps": values.null_count()}
    if dtype.is_nested():
        return measures
    measures["distinct"] = values.approx_n_unique()
    if dtype.is_numeric() or dtype.is_temporal() or dtype == pl.String:
        measures |= {"least": values.min(), "greatest": values.max()}
    if dtype.is_numeric() or dtype == pl.Boolean:
        numbers = values.cast(pl.Float64)
        measures |= {"mean": numbers.mean(), "deviation": numbers.std()}
    return measures


def _text(value: object) -> str | None:
    return None if value is None else str(value)
