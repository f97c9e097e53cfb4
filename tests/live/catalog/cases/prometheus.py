"""Prometheus: samples that a client pushes, found again by a query."""

from tests.live.catalog.case import Case
from tests.live.engine.images import PROMETHEUS

WRITE = """
import base64, os, time, mlox
from prometheus_remote_writer import RemoteWriter
service = mlox.get("prometheus")
address = service.client().url
now = int(time.time() * 1000)
samples = {"values": [0.5, 0.25, 0.125], "timestamps": [now - 20000, now - 10000, now]}
writer = RemoteWriter(url=f"{address}/api/v1/write")
writer.send([{"metric": {"__name__": "training_loss", "run": "churn ü"}, **samples}])
"""
READ = """
import mlox
client = mlox.get("prometheus").client()
(found,) = client.custom_query('training_loss[1d]')
print(sorted(found["metric"].items()), found["values"])
"""

CASE = Case(
    WRITE,
    READ,
    packages=("prometheus-api-client==0.7.2", "prometheus-remote-writer==1.1.3"),
    images={"prometheus": PROMETHEUS},
)
