"""What of a TOML fragment stands in a file in another place: one key of TOML has several."""

from __future__ import annotations

import tomllib
from collections.abc import Hashable
from dataclasses import replace

from mlox.components.merge.formats.pieces import Body, Piece

DataPath = tuple[str, ...]


def missing_tables(text: str, there: Body, wanted: Body) -> tuple[Body, tuple[DataPath, ...]]:
    """The fragment without what has a value elsewhere in ``text``, and the paths of that.

    Elsewhere: as a dotted key, in an inline table, in a table of its own, or where a value above it is no table.
    """
    data = tomllib.loads(text.removeprefix("\ufeff"))
    known = {(table.key, line.key) for table in there.pieces for line in _lines(table)}
    heads = {table.key for table in there.pieces}
    elsewhere: list[DataPath] = []
    tables: list[Piece] = []
    for table in wanted.pieces:
        path = _path(table.key)
        lines = _lines(table)
        away = [line for line in lines if (table.key, line.key) not in known and _stands(data, path + _path(line.key))]
        elsewhere += [path + _path(line.key) for line in away]
        left = tuple(line for line in lines if line not in away)
        if table.key in heads or left or not _stands(data, path):
            kept = replace(table.value, pieces=left) if isinstance(table.value, Body) else table.value
            tables.append(replace(table, value=kept))
        elif not lines and not isinstance(value_at(data, path), dict):
            elsewhere.append(path)
    return replace(wanted, pieces=tuple(tables)), tuple(elsewhere)


def differs(text: str, fragment: str, path: DataPath) -> bool:
    """Whether the values at a path are not the same."""
    return value_at(tomllib.loads(text.removeprefix("\ufeff")), path) != value_at(tomllib.loads(fragment), path)


def value_at(data: object, path: DataPath) -> object:
    """What stands at a path; None where nothing does."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _lines(table: Piece) -> tuple[Piece, ...]:
    return table.value.pieces if isinstance(table.value, Body) and table.group is None else ()


def _path(key: Hashable) -> DataPath:
    return tuple(map(str, key)) if isinstance(key, tuple) else (str(key),)


def _stands(data: object, path: DataPath) -> bool:
    """Whether there is a value at a path, or one above it that is no table."""
    for name in path:
        if not isinstance(data, dict):
            return True
        if name not in data:
            return False
        data = data[name]
    return True
