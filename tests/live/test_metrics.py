"""Metrics on their way: an SDK gives them to the collector, which pushes them to the stack's Prometheus, logged in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlox.catalog import Catalog
from tests.live import docker_stage
from tests.live.catalog.clients import python_with
from tests.live.collector_stage import path_with_otelcol
from tests.live.engine.images import COLLECTOR, PROMETHEUS
from tests.live.support import Project, project, until

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("engine"),
]

PACKAGES = (
    *("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2"),
    "prometheus-api-client==0.7.2",
)
COUNT = """
import mlox
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
mlox.get("otel-collector").use()
metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
metrics.get_meter("train").create_counter("rows").add(4711, {"split": "test"})
seconds = metrics.get_meter("serve").create_histogram("http.server.request.duration", "s")
seconds.record(0.02, {"http.response.status_code": 200})
metrics.shutdown()
"""
ASK = """
import mlox
print([row["value"][1] for row in mlox.get("prometheus").client().custom_query('rows_total{split="test"}')])
"""
CHARTS = """
import json, sys, mlox
client = mlox.get("prometheus").client()
print(json.dumps([len(client.custom_query(asked)) for asked in json.loads(sys.argv[1])]))
"""


@pytest.fixture(params=["local", "docker"])
def watched(request: pytest.FixtureRequest, tmp_path: Path, data_home: Path) -> Iterator[Project]:
    """A stack with a collector that is wired to its Prometheus."""
    with path_with_otelcol() as path, docker_stage.engine() as engine:
        for image in (PROMETHEUS, COLLECTOR):
            engine.image(image)
        with project(tmp_path / "demo", data_home, PATH=path, DOCKER_HOST=engine.host) as made:
            made.done("init", "demo")
            engine.owns(made.id)
            for name in ("prometheus", "otel-collector"):
                made.done("add", name, "--on", request.param)
            made.done("up")
            yield made


def test_they_arrive_in_prometheus(watched: Project) -> None:
    python = str(python_with(PACKAGES))
    counted = watched.run(python, "-c", COUNT)
    assert counted.code == 0, counted

    def arrived() -> bool:
        asked = watched.run(python, "-c", ASK)
        assert asked.code == 0, asked
        return asked.out.strip() == "['4711']"

    until(arrived, 60)


def test_every_chart_of_grafana_gets_an_answer(watched: Project) -> None:
    """Grafana itself runs on no test machine; what its dashboard asks Prometheus for is asked here."""
    files = Catalog().get("grafana").service.units["server"].files
    expressions = re.findall(r'"expr": "(.+?)"[,}]', files["stack.json"].content)
    # Two samples lie in each window of a rate; of the histogram there is one.
    asked = [re.sub(r"rate\((http\w+)\[\$__rate_interval\]\)", r"\1", text) for text in expressions]
    asked = [text.replace("$__rate_interval", "1m") for text in asked]
    assert len(asked) == 6
    python = str(python_with(PACKAGES))
    assert watched.run(python, "-c", COUNT).code == 0

    def answered() -> bool:
        said = watched.run(python, "-c", CHARTS, json.dumps(asked))
        assert said.code == 0, said
        return all(json.loads(said.out))

    until(answered, 90)
