"""Why a real service fails: Redis and MLflow, broken in earnest, and what the first line of the explanation says."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from tests.live.support import Project, data_home, project, until
from tests.live.test_bad_days import somebody_else


def why(shop: Project, name: str) -> dict[str, Any]:
    """The explanation, as JSON."""
    return shop.json("why", name)


def until_it_is(shop: Project, name: str, cause: str) -> dict[str, Any]:
    """The explanation, as soon as it names that cause."""
    found: dict[str, Any] = {}

    def look() -> bool:
        found.update(why(shop, name))
        return bool(found["cause"] == cause)

    try:
        until(look)
    except AssertionError as error:
        raise AssertionError(found) from error
    return found


def server_of(shop: Project, word: str) -> psutil.Process:
    """The service's process: the oldest that has that word in its command."""
    return min(shop.runs(word), key=lambda process: process.create_time())


def test_a_redis_that_is_killed_again_and_again(shop: Project) -> None:
    shop.done("up", "redis")
    assert why(shop, "redis")["cause"] == "well"
    for _ in range(2):
        process = server_of(shop, "redis-server")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        until(lambda: shop.runs("redis-server") and shop.row("redis")["status"] == "running")
    found = why(shop, "redis")
    assert (found["cause"], found["well"]) == ("restarted", True)
    assert "it was killed (SIGKILL)" in found["problem"]
    assert "it was started again 2 times" in found["detail"]


def test_a_redis_that_was_stopped_and_one_whose_supervisor_was_killed(shop: Project) -> None:
    shop.done("up", "redis")
    (supervisor,) = (process for process in shop.processes() if "supervisor.supervisord" in process.cmdline())
    supervisor.kill()
    supervisor.wait(10)
    found = why(shop, "redis")
    assert (found["cause"], found["step"]) == ("orphaned", "mlox up redis")
    process = server_of(shop, "redis-server")
    process.kill()
    until(lambda: not shop.runs("redis-server"))
    assert why(shop, "redis")["cause"] == "supervisor-gone"
    (entry,) = shop.data.glob("units/redis.server.conf")
    os.utime(entry, (1, 1))  # as if it had been started before the machine was
    assert why(shop, "redis")["cause"] == "reboot"
    shop.done("up", "redis")
    shop.done("down", "redis")
    found = why(shop, "redis")
    assert (found["cause"], found["problem"]) == (
        "stopped",
        "redis was stopped on request (mlox down); its data is kept.",
    )
    shop.done("up", "redis")
    assert why(shop, "redis")["cause"] == "well"


def test_a_wrong_configuration(shop: Project) -> None:
    """Somebody damages the file that mlox wrote, and Redis cannot start again."""
    shop.done("up", "redis")
    password = shop.password("redis")
    (path,) = shop.data.glob("services/redis/config/redis.conf")
    path.write_text(path.read_text() + "appendfsync sometimes\n")
    server_of(shop, "redis-server").kill()
    found = until_it_is(shop, "redis", "configuration")
    assert found["problem"].endswith("its configuration is wrong, says its log.")
    assert ">>> 'appendfsync sometimes'" in found["evidence"]
    assert password not in str(found)
    assert shop.row("redis")["status"] in ("starting", "unhealthy")


def steal(number: int) -> socket.socket:
    """The port, as soon as the kernel gives it: the connections of a killed server may hold it for a moment."""
    found: list[socket.socket] = []

    def look() -> bool:
        with contextlib.suppress(OSError):
            found.append(socket.create_server(("127.0.0.1", number)))
        return bool(found)

    until(look)
    return found[0]


def test_a_port_that_is_stolen(shop: Project) -> None:
    """While Redis is down for a moment somebody else takes its port and answers there."""
    shop.done("up", "redis")
    number = int(shop.row("redis")["ports"]["redis"].rpartition(":")[2])
    process = server_of(shop, "redis-server")
    supervised = psutil.Process(process.ppid())
    supervised.suspend()
    process.kill()
    until(lambda: not psutil.pid_exists(process.pid) or process.status() == psutil.STATUS_ZOMBIE)
    with steal(number):
        supervised.resume()
        found = until_it_is(shop, "redis", "port-taken")
        assert found["problem"].endswith("another program holds its port.")
        assert f"port {number} (redis) is held by process {os.getpid()}" in found["detail"][0]
        said = shop.mlox("restart", "redis")
        assert said.code == 0, said
        assert shop.row("redis")["ports"]["redis"] != f"127.0.0.1:{number}"
    assert why(shop, "redis")["cause"] == "well"


def test_a_data_folder_that_is_gone(shop: Project) -> None:
    shop.done("up", "redis")
    (folder,) = shop.data.glob("services/redis/data")
    shutil.rmtree(folder)
    found = why(shop, "redis")
    assert (found["cause"], found["detail"]) == ("data-gone", [str(folder)])
    shop.done("restart", "redis")
    assert why(shop, "redis")["cause"] == "well"


def test_a_page_that_dies_at_start_says_why(shop: Project) -> None:
    """Its last lines that matter, the token in them masked; the error of up points to why."""
    code = "print('all', os.environ['TOKEN'], flush=True); print('Error: No space left on device'); sys.exit(1)"
    shop.write_page(code=code)
    said = shop.mlox("up", "page")
    assert "mlox why page" in said.err.splitlines()[-1]
    found = why(shop, "page")
    assert found["cause"] == "disk-full"
    assert found["problem"].startswith("page died at start (exit status 1)")
    assert "Error: No space left on device" in found["evidence"]
    assert "all ***" in found["evidence"]
    assert shop.password("page", "token") not in str(found)


def test_a_page_that_does_not_answer(shop: Project) -> None:
    shop.write_page(wait=1)
    shop.done("up", "page")
    process = server_of(shop, "page.py")
    process.suspend()
    time.sleep(1.2)
    try:
        found = why(shop, "page")
        assert found["cause"] == "unhealthy"
        assert found["problem"] == "page runs, but does not answer its probe."
        assert found["detail"][0].startswith("its probe: GET / on port ")
        assert "what is wrong: mlox why page" in shop.done("status")
    finally:
        process.resume()


def test_a_page_in_a_port_that_somebody_else_answers(shop: Project) -> None:
    shop.write_page()
    with somebody_else(18200):
        shop.done("up", "page")
        port = next(one for one in shop.json("why", "page", "--settings")["settings"] if one["name"] == "ports.http")
    assert (port["note"], port["value"] != "18200") == ("18200 was taken then", True)


def test_an_mlflow_whose_environment_is_gone(tmp_path: Path) -> None:
    """In a data home of its own, since environments are shared."""
    with data_home() as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        shop.done("up", "mlflow")
        assert why(shop, "mlflow")["cause"] == "well"
        (environment,) = (path for path in (home / "environments").iterdir() if path.is_dir())
        shutil.rmtree(environment)
        found = why(shop, "mlflow")
        assert found["cause"] == "well"
        assert "Its Python environment is gone, so it could not start again" in found["problem"]
        for process in shop.runs("mlflow"):
            process.kill()
        found = until_it_is(shop, "mlflow", "environment-gone")
        assert found["problem"].endswith("the Python environment that it runs in is gone.")
        assert found["detail"] == ["it held mlflow[auth]==3.17.2"]
        assert found["step"] in ("mlox restart mlflow", "mlox up mlflow")
        shop.done(*found["step"].split()[1:])
        assert why(shop, "mlflow")["cause"] == "well"


PROVIDER = """\
name: asker
version: "1"
summary: asks a Redis for as long as it lives
needs: {cache: {capability: redis}}
ports: {http: {port: 18300, scheme: http}}
units:
  server:
    native:
      binary: {name: python3, version_argv: [python3, --version], version_pattern: 'Python (.*)'}
      command: [python3, "${dir.config}/ask.py", "${port.http}", "${need.cache.port}"]
    environment: {URL: "${need.cache.url}"}
    files:
      ask.py:
        content: |
          import http.server, socket, sys
          class Page(http.server.BaseHTTPRequestHandler):
              def do_GET(self):
                  socket.create_connection(("127.0.0.1", int(sys.argv[2]))).close()
                  self.send_response(200)
                  self.end_headers()
          http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
    probe: {http: {port: http}, start_timeout_s: 2}
"""


def test_a_provider_that_is_stopped(shop: Project) -> None:
    (shop.folder / "services").mkdir()
    (shop.folder / "services" / "asker.yaml").write_text(PROVIDER)
    shop.done("up", "redis")
    shop.done("up", "asker")
    assert why(shop, "asker")["reasons"][0].startswith(
        "needs cache: met by redis, which is running: written in mlox.yaml"
    )
    assert why(shop, "redis")["reasons"] == ["needed by: asker (cache)"]
    shop.done("down", "redis")
    time.sleep(2.1)
    assert why(shop, "asker")["cause"] == "provider-down"
    found = why(shop, "asker")  # its log has what it made of the first probe
    assert found["problem"] == "asker runs, but does not answer: redis, its cache, is stopped."
    assert "ConnectionRefusedError: [Errno 111] Connection refused" in found["evidence"]
    assert found["step"] == "mlox up redis"
    shop.done("up", "redis")
    assert why(shop, "asker")["cause"] == "well"
