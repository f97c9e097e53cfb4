"""Tables in files: scanned lazily, written in a stream, so that neither has to fit in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

_READ = ("CSV (.csv, .csv.gz)", "Parquet (.parquet)", "JSON lines (.jsonl, .ndjson)")


def scan(path: str | Path, *, schema: Mapping[str, pl.DataType | type[pl.DataType]] | None = None) -> pl.LazyFrame:
    """The table in a file, or in all files of a pattern such as ``data/*.parquet``; nothing is read yet.

    ``schema`` are types for columns of text files, where the first rows would mislead, such as codes that begin with 0.

    Raises:
        FileNotFoundError: there is no such file. ValueError: its format is none that can be scanned.
    """
    where = Path(path)
    found = sorted(where.parent.glob(where.name)) if any(sign in where.name for sign in "*?[") else [where]
    if not found or not all(one.is_file() for one in found):
        raise FileNotFoundError(f"there is no file {where}")
    kinds = {_kind(one) for one in found}
    if len(kinds) > 1:
        raise ValueError(f"{where} are files of several formats: {', '.join(sorted(kinds))}")
    kind = kinds.pop()
    if kind == "parquet":
        return pl.scan_parquet(found)
    if kind == "csv":
        return pl.scan_csv(found, schema_overrides=schema, try_parse_dates=True)
    return pl.scan_ndjson(found, schema_overrides=schema)


def write(frame: pl.LazyFrame, path: str | Path) -> Path:
    """Write a table in a stream, and in one step: a reader sees the old file or the new one.

    Raises:
        ValueError: the format is none that can be written.
    """
    target = Path(path)
    kind = _kind(target)
    if kind == "csv" and target.suffix != ".csv":
        raise ValueError(f"{target}: CSV is written without compression; take Parquet")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.new{target.suffix}")
    try:
        if kind == "parquet":
            frame.sink_parquet(temporary)
        elif kind == "csv":
            frame.sink_csv(temporary)
        else:
            frame.sink_ndjson(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".parquet"]:
        return "parquet"
    if suffixes[-1:] == [".csv"] or suffixes[-2:] == [".csv", ".gz"]:
        return "csv"
    if suffixes[-1:] in ([".jsonl"], [".ndjson"]):
        return "ndjson"
    raise ValueError(f"{path} is none of {', '.join(_READ)}")
