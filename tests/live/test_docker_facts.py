"""What is told of a real engine: its machine, its ports, and where its containers reach us."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator

import psutil
import pytest

from mlox.backends.docker.contexts import Address
from mlox.backends.docker.engine import Engine
from mlox.backends.docker.facts import UNKNOWN_BYTES, is_this_machine, look
from mlox.protocols import Question
from tests.live.engine.daemons import Daemons
from tests.live.engine.images import need_image
from tests.live.engine_stage import daemon, opened, usual_engine
from tests.live.native_stage import free_port

pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture(scope="module")
def daemons() -> Iterator[Daemons]:
    with daemon() as made:
        yield made


@pytest.fixture
def engine(daemons: Daemons) -> Iterator[Engine]:
    with contextlib.closing(opened(daemons)) as made:
        yield made


def test_memory_disk_and_ports_of_an_engine_of_this_machine(engine: Engine, daemons: Daemons) -> None:
    free = free_port()
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        facts = look(engine, Question(frozenset({free, taken})))
    assert facts.ports_taken == {taken}
    assert facts.memory_bytes == pytest.approx(psutil.virtual_memory().total, rel=0.1)
    assert 0 < facts.memory_free_bytes <= facts.memory_bytes
    assert facts.disk_free_bytes == pytest.approx(shutil.disk_usage(facts.home).free, rel=0.1)
    assert facts.gateway == str(next(daemons.network.hosts()))
    assert facts.programs == {}


def test_an_engine_behind_another_address_is_taken_for_a_stranger(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Address, "here", False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        facts = look(engine, Question(frozenset({server.getsockname()[1]})))
    assert (facts.ports_taken, facts.disk_free_bytes, facts.gateway) == (frozenset(), UNKNOWN_BYTES, "")
    assert facts.memory_free_bytes == facts.memory_bytes


def test_a_container_reaches_us_at_the_gateway() -> None:
    with contextlib.closing(usual_engine()) as engine:
        facts = look(engine, Question())
        if not is_this_machine(engine.api.info()):
            assert facts.gateway == ""
            pytest.skip("this engine is not on this machine")
        with socket.create_server((facts.gateway, 0)) as server:
            image = need_image(engine.client, "busybox:1")
            number = server.getsockname()[1]
            argv = ["sh", "-c", f"echo hello | nc -w 5 {facts.gateway} {number}"]
            container = engine.client.containers.create(image, argv)
            try:
                container.start()
                server.settimeout(20)
                with server.accept()[0] as connection:
                    assert connection.recv(16) == b"hello\n"
            finally:
                container.remove(force=True)


def test_published_ports_are_taken() -> None:
    with contextlib.closing(usual_engine()) as engine:
        image = need_image(engine.client, "busybox:1")
        number = free_port()
        container = engine.client.containers.run(
            image, ["sleep", "60"], ports={"80/tcp": ("127.0.0.1", number)}, detach=True
        )
        try:
            assert number in look(engine, Question()).ports_taken
        finally:
            container.remove(force=True)
        assert number not in look(engine, Question(frozenset({number}))).ports_taken
