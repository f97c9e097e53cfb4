"""Feast: definitions applied from afar, latest values written and read, features at the time of a label from a file."""

from tests.live.catalog.case import Case
from tests.live.engine.images import FEAST_IMAGE

WRITE = """
import pathlib
import mlox
import pandas as pd
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Int64
store = mlox.get("feast").client()
times = pd.to_datetime(["2026-01-01", "2026-02-01", "2026-01-15"], utc=True)
frame = pd.DataFrame({"user": ["ann", "ann", "bob"], "event_timestamp": times, "visits": [1, 5, 3]})
file = pathlib.Path("users.parquet").absolute()
frame.to_parquet(file)
user = Entity(name="user", join_keys=["user"], value_type=ValueType.STRING)
source = FileSource(path=str(file), timestamp_field="event_timestamp")
fields = [Field(name="visits", dtype=Int64)]
store.apply([user, FeatureView(name="users", entities=[user], schema=fields, source=source)])
store.write_to_online_store("users", frame)
"""
READ = """
import mlox
import pandas as pd
store = mlox.get("feast").client()
latest = store.get_online_features(["users:visits"], [{"user": "ann"}, {"user": "bob"}, {"user": "eve"}]).to_dict()
assert latest["visits"] == [5, 3, None], latest
labels = pd.DataFrame({"user": ["ann"], "event_timestamp": pd.to_datetime(["2026-01-20"], utc=True)})
then = store.get_historical_features(labels, ["users:visits"]).to_df()["visits"].tolist()
assert then == [1], then
print([view.name for view in store.list_feature_views()], sorted(latest.items()), then)
"""

CASE = Case(WRITE, READ, packages=("feast[grpcio]==0.67.0",), images={"feast": FEAST_IMAGE})
