"""How features are built and read: the history for training, the latest values for serving."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import feast
import pandas as pd

from .definitions import FeatureTable
from .settings import Settings

LABEL_TIME = "event_timestamp"
"""The column that tells the time of a label; Feast's own name for it."""


class FeatureStore:
    """The features of this project.

    Example::

        store = FeatureStore()
        store.build("customers", frame, entity="customer_id")
        store.online("customers", {"customer_id": [1, 2]})  # the latest values, one row for each entity
        store.offline("customers", labels)                  # the values that held at each label's time
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()
        self.feast = feast.FeatureStore(config=self.settings.repo_config())

    def build(
        self,
        name: str,
        frame: pd.DataFrame,
        *,
        entity: str,
        timestamp: str = "event_timestamp",
        ttl: timedelta | None = None,
    ) -> FeatureTable:
        """Make ``frame`` the history of a table of features, and serve its latest values online.

        Building a table again replaces its history; online, entities that are not in it any more keep their last
        values. Times without a zone are taken as UTC.

        Raises:
            ValueError: no table can be made of the frame; nothing was changed.
        """
        table = FeatureTable.of(frame, name, entity=entity, timestamp=timestamp, ttl=ttl)
        path = self._history(name)
        times = pd.to_datetime(frame[timestamp], utc=True)
        self._write(frame.assign(**{timestamp: times}), path)
        self.feast.apply(list(table.objects(path)))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self.feast.materialize(times.min(), times.max() + timedelta(seconds=1), feature_views=[name])
        return table

    def tables(self) -> dict[str, list[str]]:
        """The names of the features, by table."""
        views = self.feast.list_feature_views()
        return {view.name: [field.name for field in view.features] for view in sorted(views, key=lambda v: v.name)}

    def online(self, features: str | Sequence[str], entities: Mapping[str, Sequence[object]]) -> pd.DataFrame:
        """The latest values, one row for each entity, in the order of ``entities``; what is not known is empty.

        ``features`` is a table, or a list of ``table:feature``. ``entities`` is ``{"customer_id": [1, 2]}``.

        Raises:
            ValueError: there is no such table or feature.
        """
        wanted = self._references(features)
        found = self.feast.get_online_features(wanted, dict(entities)).to_df()
        return found[[*entities, *map(_feature, wanted)]]

    def offline(self, features: str | Sequence[str], labels: pd.DataFrame) -> pd.DataFrame:
        """``labels`` with the values that held at the time of each of its rows: nothing from later leaks in.

        ``labels`` has the entity's column and ``event_timestamp``. Its rows and its other columns stay as they are;
        where no value held yet, it is empty.

        Raises:
            ValueError: there is no such table or feature, or ``labels`` lacks a column or has one of a feature's name.
        """
        wanted = self._references(features)
        entities = sorted({entity for view in self._views(wanted) for entity in view.join_keys})
        keys = [*entities, LABEL_TIME]
        if missing := [column for column in keys if column not in labels.columns]:
            raise ValueError(f"the labels have no column {' or '.join(missing)}")
        if twice := [name for name in map(_feature, wanted) if name in labels.columns]:
            raise ValueError(f"the labels have a column {twice[0]} already, which is a feature")
        timed = labels.assign(**{LABEL_TIME: pd.to_datetime(labels[LABEL_TIME], utc=True)})
        # Feast leaves out rows that are older than every value of their entity.
        found = self.feast.get_historical_features(timed[keys].drop_duplicates(), wanted).to_df()
        return timed.merge(found[[*keys, *map(_feature, wanted)]], how="left", on=keys)

    def _views(self, references: Sequence[str]) -> list[feast.FeatureView]:
        return [self.feast.get_feature_view(name) for name in sorted({one.partition(":")[0] for one in references})]

    def _references(self, features: str | Sequence[str]) -> list[str]:
        tables = self.tables()
        if isinstance(features, str) and features in tables:
            return [f"{features}:{name}" for name in tables[features]]
        known = {f"{table}:{name}" for table, names in tables.items() for name in names}
        wanted = [features] if isinstance(features, str) else list(features)
        if unknown := [one for one in wanted if one not in known]:
            told = ", ".join(tables) or "none yet"
            raise ValueError(f"there is no table or feature {unknown[0]!r}; the tables are: {told}")
        return wanted

    def _history(self, name: str) -> Path:
        return self.settings.folder / "history" / f"{name}.parquet"

    def _write(self, frame: pd.DataFrame, path: Path) -> None:
        """In one step, so that a reader sees the old history or the new."""
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.settings.folder / ".gitignore").write_text("*\n", "utf-8")
        temporary = path.with_suffix(".new")
        frame.to_parquet(temporary, index=False)
        temporary.replace(path)


def _feature(reference: str) -> str:
    return reference.partition(":")[2]
