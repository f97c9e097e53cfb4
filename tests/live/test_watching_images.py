"""Whether the images of what watches the stack, and of the registry, keep upstream's contract."""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Callable

import pytest
from docker.models.containers import Container

from tests.live.docker_stage import Engine
from tests.live.engine.images import COLLECTOR, PROMETHEUS, REGISTRY
from tests.live.image_facts import Facts, made_when_asked, told
from tests.live.support import until
from tests.live.test_engine_images import does, owner, says, start

__all__ = ["start"]

pytestmark = [pytest.mark.xdist_group("engine"), pytest.mark.slow, pytest.mark.timeout(1800)]

IMAGES = {
    PROMETHEUS: Facts(
        ("/bin/prometheus",),
        (
            *("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
            "--web.console.libraries=/usr/share/prometheus/console_libraries",
            "--web.console.templates=/usr/share/prometheus/consoles",
        ),
        *("/prometheus", ("/prometheus",), ("9090/tcp",)),
        user="nobody",
    ),
    COLLECTOR: Facts(
        *(("/otelcol",), ("--config", "/etc/otelcol/config.yaml"), "", ()),
        ("4317/tcp", "4318/tcp", "55679/tcp"),
        user="10001:10001",
    ),
    REGISTRY: Facts(
        ("/entrypoint.sh",), ("/etc/docker/registry/config.yml",), "", ("/var/lib/registry",), ("5000/tcp",)
    ),
}


@pytest.mark.parametrize("name", made_when_asked(IMAGES))
def test_an_image_says_of_itself_what_upstream_says(engine: Engine, name: str) -> None:
    assert told(engine, name) == IMAGES[name]


def test_prometheus_runs_as_nobody_with_the_programs_of_busybox(start: Callable[..., Container]) -> None:
    server = start(PROMETHEUS)
    until(lambda: does(server, "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9090/-/ready"), 60)
    assert owner(server) == "65534"
    asked = "printf 'GET /-/ready HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 9090"
    assert says(server, "sh", "-c", asked).startswith("HTTP/1.0 200")
    assert "version 2.42.0" in says(server, "promtool", "--version")


def test_the_registry_serves_a_file_of_its_configuration_and_runs_programs(start: Callable[..., Container]) -> None:
    assert "2.8.2" in says(start(REGISTRY, "sh", "-c", "sleep 60"), "registry", "--version")
    server = start(REGISTRY, ports={"5000/tcp": ("127.0.0.1", None)})
    server.reload()
    (published,) = server.ports["5000/tcp"] or [{}]

    def listed() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/v2/_catalog", timeout=5) as answer:
            return bool(answer.read() == b'{"repositories":[]}\n')
        return False

    address = f"http://127.0.0.1:{published['HostPort']}"
    until(listed, 30)


@pytest.mark.exhaustive
def test_the_collector_takes_otlp_in_and_has_no_shell(start: Callable[..., Container]) -> None:
    server = start(COLLECTOR, ports={"4318/tcp": ("127.0.0.1", None)})
    server.reload()
    (published,) = server.ports["4318/tcp"] or [{}]
    address = f"http://127.0.0.1:{published['HostPort']}/v1/traces"
    asked = urllib.request.Request(address, b"{}", {"Content-Type": "application/json"})

    def taken() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(asked, timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    until(taken, 60)
    assert not does(server, "sh", "-c", "true")
