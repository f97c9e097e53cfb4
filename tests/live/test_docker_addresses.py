"""An engine over TCP and over SSH: the same verbs, and a refusal where nobody here would reach a port."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live import ssh_stage
from tests.live.docker_stage import Engine
from tests.live.support import Project, data_home, project, until

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("engine")]

COUNTING = """\
name: counting
version: "1"
summary: counts, and listens nowhere
options: {first: {type: integer, default: 1, help: where it begins}}
data: {data: {path: /data}}
units:
  server:
    stateful: true
    image: busybox:1
    init: true
    command: [sh, -c, "n=$1; while true; do echo count $n | tee -a /data/lines; n=$((n+1)); sleep 0.2; done", sh,
              "${option.first}"]
    probe: {exec: [test, -s, /data/lines], start_timeout_s: 60}
    stop_grace_period_s: 2
"""


def test_a_service_lives_on_an_engine_over_tcp(engine: Engine, tmp_path: Path) -> None:
    engine.image("redis:7")
    with relay(engine) as url, on_engine(engine, tmp_path, DOCKER_HOST=url) as shop:
        shop.done("up", "redis", "--on", "docker")
        port, password = shop.row("redis")["ports"]["redis"].rpartition(":")[2], shop.password("redis")
        ask = ("env", f"REDISCLI_AUTH={password}", "redis-cli", "-p", port)
        assert shop.run(*ask, "SET", "whose", "ours").out.strip() == "OK"
        assert shop.json("up")["actions"] == []
        assert "PONG" in shop.done("exec", "redis", "--", "redis-cli", "ping")
        assert "Ready to accept connections" in shop.done("logs", "redis")
        shop.done("down")
        shop.done("up")
        assert shop.run(*ask, "GET", "whose").out.strip() == "ours"
        shop.done("down", "--purge", "-y")


def test_an_engine_over_ssh_runs_what_listens_nowhere(engine: Engine, tmp_path: Path) -> None:
    engine.image("busybox:1")
    engine.image("redis:7")
    with lent(engine, tmp_path / "far") as surroundings, on_engine(engine, tmp_path, **surroundings) as shop:
        refused = shop.mlox("up", "redis", "--on", "docker", "--json")
        assert refused.code == 1
        assert "the loopback of another machine" in refused.error()["problem"]
        assert "redis" not in (shop.folder / "mlox.yaml").read_text()
        (shop.folder / "services").mkdir()
        (shop.folder / "services" / "counting.yaml").write_text(COUNTING)
        shop.done("up", "counting", "--on", "docker")
        assert shop.json("up")["actions"] == []
        assert "count 1" in shop.done("exec", "counting", "--", "head", "-1", "/data/lines")
        assert until(lambda: "count 3" in shop.done("logs", "counting"))
        shop.done("up", "counting", "--set", "first=500")
        assert until(lambda: "count 5" in shop.done("exec", "counting", "--", "tail", "-1", "/data/lines"))
        assert [entry["outcome"] for entry in shop.json("history")["history"]] == ["done", "done"]
        shop.done("down", "--purge", "-y")


@contextmanager
def on_engine(engine: Engine, folder: Path, **environment: str) -> Iterator[Project]:
    """A workspace whose engine is where the environment says; nothing of it is left on the real one."""
    with data_home() as home, project(folder / "shop", home, **environment) as shop:
        shop.done("init", "demo")
        engine.owns(shop.id)
        yield shop
        assert engine.sweep(shop.id) == []


@contextmanager
def relay(engine: Engine) -> Iterator[str]:
    """The engine's socket on a port of loopback; both ways, until both sides have hung up."""
    path = engine.host.removeprefix("unix://")
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with ThreadPoolExecutor(max_workers=64) as pumps:
            while not ended.is_set():
                here, _ = server.accept()
                pumps.submit(pass_on, here, path)

    ended = threading.Event()
    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    finally:
        ended.set()
        socket.create_connection(server.getsockname()).close()
        accepting.join()
        server.close()


def pass_on(here: socket.socket, path: str) -> None:
    """One connection, both ways, until both sides have hung up."""
    with here, socket.socket(socket.AF_UNIX) as there:
        there.connect(path)
        back = threading.Thread(target=pump, args=(there, here))
        back.start()
        pump(here, there)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on bytes, and the end of them: an attached stream is closed on one side first."""
    with contextlib.suppress(OSError):  # the other side hung up
        while chunk := source.recv(1 << 16):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def lent(engine: Engine, folder: Path) -> Iterator[dict[str, str]]:
    """A server of SSH on loopback that lends the engine; the variables with which ``ssh`` finds it.

    The system's ``ssh`` reads the settings of the user's real home: one in front of it on the PATH has them from here.
    """
    with ssh_stage.server(folder) as made:
        (folder / "ssh").write_text(
            f"#!/bin/sh\nexec {ssh_stage.found('ssh')} -F none -i {shlex.quote(str(made.key))} -o IdentitiesOnly=yes "
            f'-o UserKnownHostsFile={shlex.quote(str(made.known))} "$@"\n'
        )
        (folder / "ssh").chmod(0o755)
        path = engine.host.removeprefix("unix://")
        address = f"ssh://{made.user}@127.0.0.1:{made.port}{path}"
        yield {"DOCKER_HOST": address, "PATH": f"{folder}:{os.environ['PATH']}"}
