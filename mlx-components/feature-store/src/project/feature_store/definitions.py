"""What a table of features is: whose they are, since when they hold, and of which types, read from a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float64, Int64, PrimitiveFeastType, String, UnixTimestamp


@dataclass(frozen=True)
class FeatureTable:
    """One table of features.

    ``entity`` is the column that tells whose features a row holds, ``timestamp`` the column that tells since when.
    Features older than ``ttl`` no longer count; None: they always do.
    """

    name: str
    entity: str
    entity_type: PrimitiveFeastType
    features: Mapping[str, PrimitiveFeastType]
    timestamp: str = "event_timestamp"
    ttl: timedelta | None = None

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        name: str,
        *,
        entity: str,
        timestamp: str = "event_timestamp",
        ttl: timedelta | None = None,
    ) -> FeatureTable:
        """The table in a DataFrame: every column but the entity and the timestamp is a feature.

        Raises:
            ValueError: the frame is empty, lacks a column, or has a column that no feature can be made of.
        """
        missing = [column for column in (entity, timestamp) if column not in frame.columns]
        if missing:
            raise ValueError(f"{name}: the frame has no column {' or '.join(missing)}")
        if frame.empty:
            raise ValueError(f"{name}: the frame has no rows")
        if not pd.api.types.is_datetime64_any_dtype(frame[timestamp]):
            raise ValueError(f"{name}: {timestamp} holds {frame[timestamp].dtype}, not times: see pandas.to_datetime")
        if frame[[entity, timestamp]].isna().any(axis=None):
            raise ValueError(f"{name}: {entity} and {timestamp} have to be there in every row")
        if frame.duplicated([entity, timestamp]).any():
            raise ValueError(f"{name}: two rows have the same {entity} and {timestamp}")
        types = {str(column): _feast_type(frame[column], name) for column in frame.columns if column != timestamp}
        entity_type = types.pop(entity)
        if entity_type not in (Int64, String):
            raise ValueError(f"{name}: {entity} holds {frame[entity].dtype}; an entity is a whole number or a text")
        if not types:
            raise ValueError(f"{name}: the frame has no column beside {entity} and {timestamp}")
        return cls(name, entity, entity_type, types, timestamp, ttl)

    def objects(self, path: Path) -> tuple[Entity, FeatureView]:
        """The same in Feast's words; ``path`` is the Parquet file with the history."""
        value_type = ValueType.INT64 if self.entity_type == Int64 else ValueType.STRING
        entity = Entity(name=self.entity, join_keys=[self.entity], value_type=value_type)
        source = FileSource(name=f"{self.name}_history", path=str(path), timestamp_field=self.timestamp)
        schema = [Field(name=self.entity, dtype=self.entity_type)]
        schema += [Field(name=name, dtype=dtype) for name, dtype in self.features.items()]
        view = FeatureView(name=self.name, entities=[entity], schema=schema, source=source, ttl=self.ttl)
        return entity, view


def _feast_type(column: pd.Series, table: str) -> PrimitiveFeastType:
    kinds = {"i": Int64, "u": Int64, "f": Float64, "b": Bool, "M": UnixTimestamp, "O": String}
    kind = kinds.get(column.dtype.kind)
    if kind is None or (kind == String and not column.dropna().map(lambda value: isinstance(value, str)).all()):
        raise ValueError(f"{table}: no feature can be made of {column.name}, which holds {column.dtype}")
    return kind
