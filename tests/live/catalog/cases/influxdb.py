"""InfluxDB: points with tags and fields of several kinds, read by a query."""

from functools import partial

from tests.live.catalog.case import Case
from tests.live.engine.images import INFLUXDB_IMAGE
from tests.live.engine.influx import INFLUXD
from tests.live.program_stage import path_with

WRITE = """
import mlox
from influxdb_client import Point
from influxdb_client.client.write_api import SYNCHRONOUS
client = mlox.get("influxdb").client()
points = [
    Point("loss").tag("run", f"ü {i % 7}").field("value", i / 8).field("epoch", i).time(1_700_000_000_000_000_000 + i)
    for i in range(5000)
]
client.write_api(write_options=SYNCHRONOUS).write("main", record=points)
"""
READ = """
import hashlib, mlox
client = mlox.get("influxdb").client()
tables = client.query_api().query('from(bucket: "main") |> range(start: 2020-01-01T00:00:00Z)')
rows = sorted(
    (str(r.get_time()), r.get_field(), r.get_value(), r.values["run"]) for table in tables for r in table.records
)
print(len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())
"""

CASE = Case(
    WRITE,
    READ,
    packages=("influxdb-client==1.50.0",),
    images={"influxdb": INFLUXDB_IMAGE},
    path=partial(path_with, INFLUXD),
    heavy=dict.fromkeys(("native", "docker"), "influxd is built, and Rust for it"),
)
