"""The OpenTelemetry Collector: spans, a metric and a log of the SDK, read back from the files that it keeps."""

from tests.live.catalog.case import Case
from tests.live.collector_stage import path_with_otelcol
from tests.live.engine.images import COLLECTOR

WRITE = """
import logging, mlox
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
service = mlox.get("otel-collector")
service.use()
traces = TracerProvider()
traces.add_span_processor(SimpleSpanProcessor(service.client()))
with traces.get_tracer("train").start_as_current_span("epoch ü", attributes={"loss": 0.25}):
    pass
metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
metrics.get_meter("train").create_counter("rows").add(4711, {"split": "test"})
metrics.shutdown()
logs = LoggerProvider()
logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter()))
logs.get_logger("train").emit(body="converged", severity_text="INFO")
logs.shutdown()
"""
READ = """
import io, json, tarfile, mlox
service = mlox.get("otel-collector")

def file(name):
    if service.status().backend == "native":
        return service.exec(["sh", "-c", f"cat $OTEL_FILES/{name}"]).stdout
    import docker  # the image has no shell: the engine reads the file
    of_stack = {"label": f"mlox.stack={mlox.Stack().id}"}
    (container,) = [c for c in docker.from_env().containers.list(filters=of_stack) if "otel-collector" in c.name]
    parts, _ = container.get_archive(f"/var/lib/otelcol/{name}")
    return tarfile.open(fileobj=io.BytesIO(b"".join(parts))).extractfile(name).read().decode()

def rows(name):
    return [json.loads(line) for line in file(name).splitlines()]

(spans,) = rows("traces.jsonl")
(numbers,) = rows("metrics.jsonl")
(words,) = rows("logs.jsonl")
span = spans["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
number = numbers["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
word = words["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
print(span["traceId"], span["name"], span["attributes"], number["name"], number["sum"]["dataPoints"][0]["asInt"])
print(word["body"], word["severityText"])
"""

CASE = Case(
    WRITE,
    READ,
    packages=("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2"),
    images={"otel-collector": COLLECTOR},
    path=path_with_otelcol,
    heavy=dict.fromkeys(("native", "docker"), "the collector is built"),
)
