"""A container that needs a service of this machine: it reaches it by a forwarder, on a real engine."""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import docker
import pytest

from mlox.catalog import Catalog
from mlox.errors import RequirementError
from mlox.protocols import Question
from mlox.resolve import World, resolve
from mlox.secret import Secret
from mlox.specs import CatalogService, StackSpec
from mlox.units import Unit, launch
from tests.live import docker_stage
from tests.live.native_stage import STACK, Stage, alive, free_port, until
from tests.test_plans import made

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("engine")]

PASSWORD = "of-the-cache-4711"
ASKER = CatalogService.model_validate(
    {
        "name": "asker",
        "version": "1",
        "summary": "asks a redis",
        "needs": {"store": {"capability": "redis"}},
        "units": {"server": {"image": "redis:7", "environment": {"URL": "${need.store.url}"}}},
    }
)


@dataclass
class Crossing:
    """Redis as a process, what a container needs to reach it, and an engine for that container."""

    here: Stage
    engine: docker.DockerClient
    redis: Unit
    forwarder: Unit
    asker: Unit

    def ask(self, *words: str, network: str = "bridge") -> tuple[int, str]:
        """``redis-cli`` in a container of its own, by the address that the consumer is given."""
        known = {ref.key: Secret(PASSWORD) for ref in self.asker.secrets}
        url = urlsplit(launch(self.asker, known).environment["URL"])
        assert self.asker.container is not None
        container = self.engine.containers.create(
            "redis:7",
            ["timeout", "20", "redis-cli", "-h", str(url.hostname), "-p", str(url.port), *words],
            environment={"REDISCLI_AUTH": str(url.password)},
            extra_hosts=dict(self.asker.container.hosts),
            network=network,
            labels={"mlox.stack": STACK},
        )
        try:
            container.start()
            code = container.wait(timeout=60)["StatusCode"]
            return code, container.logs().decode().strip()
        finally:
            container.remove(force=True)

    def healthy(self) -> bool:
        return self.here.backend.probe(self.forwarder).healthy


def gateway(engine: docker.DockerClient) -> str:
    """Where containers that ask for host-gateway find this machine."""
    return str(engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"])


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    with docker_stage.engine() as found:
        found.image("redis:7")
        yield found.client


@pytest.fixture
def crossing(here: Stage, engine: docker.DockerClient) -> Crossing:
    port = free_port()
    services = {
        "redis": {"service": "redis", "ports": {"redis": port}},
        "asker": {"service": "asker", "server": "docker", "needs": {"store": "redis"}},
    }
    facts = here.backend.facts(Question(frozenset({port})))
    world = World(
        services={"redis": Catalog().get("redis").service, "asker": ASKER},
        sources={},
        facts={
            "local": replace(facts, programs={"redis-server": "7"}),
            "docker": replace(facts, gateway=gateway(engine)),
        },
        backends={"local": "native", "docker": "docker"},
        here=frozenset({"local", "docker"}),
    )
    spec = StackSpec.model_validate({"name": "churn", "id": STACK, "services": services})
    redis, forwarder, asker = (
        unit.with_secrets(tuple(made(ref) for ref in unit.secrets)) for unit in resolve(spec, ("asker",), world)
    )
    here.known += [forwarder, redis]
    here.up(redis, password=PASSWORD)
    here.up(forwarder)
    return Crossing(here, engine, redis, forwarder, asker)


def test_a_container_reaches_a_process_on_loopback(crossing: Crossing) -> None:
    assert crossing.ask("set", "from", "inside") == (0, "OK")
    assert crossing.ask("get", "from") == (0, "inside")
    name = f"mlox-test-{secrets.token_hex(4)}"
    network: Any = crossing.engine.networks.create(name, labels={"mlox.stack": STACK})
    try:
        assert crossing.ask("get", "from", network=name) == (0, "inside")
    finally:
        network.remove()


def test_it_listens_for_containers_alone_and_says_whether_somebody_is_behind_it(crossing: Crossing) -> None:
    port = crossing.forwarder.ports[0]
    assert crossing.healthy()
    assert crossing.here.backend.deviations(crossing.forwarder, {}) == ()
    assert crossing.here.logs(crossing.forwarder) == f"{port.address}:{port.number} -> 127.0.0.1:{port.number}"
    crossing.here.stop(crossing.redis)
    assert not crossing.healthy()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port.number), timeout=5):
        pass
    crossing.here.up(crossing.redis, password=PASSWORD)
    until(crossing.healthy)
    assert crossing.ask("ping") == (0, "PONG")


def test_it_runs_unprivileged_and_comes_back_after_a_kill(crossing: Crossing) -> None:
    first = crossing.here.pid(crossing.forwarder)
    os.kill(first, signal.SIGKILL)
    until(lambda: not alive(first) and crossing.healthy())
    (process,) = (p for p in crossing.here.processes() if p.pid == crossing.here.pid(crossing.forwarder))
    assert process.pid != first
    if os.geteuid() == 0:
        assert process.username() == "mlox"
    assert crossing.ask("ping") == (0, "PONG")


def test_it_can_be_stopped_and_started_again(crossing: Crossing) -> None:
    crossing.here.stop(crossing.forwarder)
    assert crossing.ask("ping")[0] != 0
    crossing.here.up(crossing.forwarder)
    assert crossing.ask("ping") == (0, "PONG")


def test_a_gateway_whose_port_is_taken_is_refused_in_a_sentence(crossing: Crossing) -> None:
    port = crossing.forwarder.ports[0]
    crossing.here.stop(crossing.forwarder)
    told_where = f"{port.address}:{port.number}, where containers would reach redis, is taken"
    with socket.create_server((port.address, port.number)), pytest.raises(RequirementError, match=told_where) as told:
        crossing.here.start(crossing.forwarder)
    assert f"process {os.getpid()}" in told.value.problem
    assert "ports: {redis: NUMBER}" in (told.value.hint or "")
