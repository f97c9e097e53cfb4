"""How an engine is opened, and what is said where it cannot be.

What is upstream here and not asked of a real engine: an engine answers ``GET /version`` with ``ApiVersion`` and
``MinAPIVersion`` (Docker Engine API, "SystemVersion"); an error is ``{"message": ...}`` with its status; a full disk is
told as ``no space left on device`` (the system's own words, passed on); one that is gone closes its connections.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from mlox.backends.docker.contexts import Address
from mlox.backends.docker.engine import Engine
from mlox.errors import CommandError, MloxError, RequirementError

Answers = dict[str, tuple[int, object]]
NEW: Answers = {"/version": (200, {"ApiVersion": "1.99", "MinAPIVersion": "1.24"})}


@contextlib.contextmanager
def speaking(answers: Answers) -> Iterator[Address]:
    """An HTTP server on a socket that answers like an engine; a path without an answer ends the connection."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = next((each for each in answers if self.path.partition("?")[0].endswith(each)), None)
            if path is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            status, value = answers[path]
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = f"{folder}/engine.sock"
        with ThreadingUnixStreamServer(path, Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield Address(f"unix://{path}", "DOCKER_HOST")
            server.shutdown()
            thread.join()


def refusal(engine: Engine, doing: str = "list") -> MloxError:
    with contextlib.closing(engine), pytest.raises(MloxError) as caught:
        with engine.asked(doing) as api:
            api.containers()
    assert "\n" not in caught.value.problem
    assert caught.value.hint
    return caught.value


def test_nothing_of_docker_py_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, mlox, mlox.backends.docker.facts, mlox.backends.docker.images, mlox.backends.docker.leasing\n"
        "from mlox.backends.docker.engine import Engine\n"
        "Engine()\n"
        "print([name for name in ('docker', 'requests', 'urllib3') if name in sys.modules])"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_an_engine_it_is_told_what_was_tried_and_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlox.backends.docker.contexts.SOCKET", "unix:///nonexistent/docker.sock")
    error = refusal(Engine(environment={"XDG_RUNTIME_DIR": "/nonexistent/1000"}))
    assert isinstance(error, RequirementError)
    assert error.problem == (
        "no container engine answers at unix:///nonexistent/docker.sock (the default), nor where these usually listen: "
        "rootless Docker, Podman, Colima, Docker Desktop, OrbStack, Rancher Desktop"
    )
    assert (error.hint or "").startswith("Start Docker")


def test_an_engine_that_somebody_chose_and_that_does_not_run() -> None:
    error = refusal(Engine(environment={"DOCKER_HOST": "tcp://127.0.0.1:1"}))
    assert error.problem == "no container engine answers at tcp://127.0.0.1:1 (DOCKER_HOST)"
    assert "DOCKER_HOST" in (error.hint or "")


def test_who_may_not_use_the_socket_is_told_of_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(_: Address) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mlox.backends.docker.engine.knock", refusing)
    error = refusal(Engine(Address("unix:///var/run/docker.sock", "the default", said=False)))
    assert "permission denied" in error.problem
    assert "group docker" in (error.hint or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_socket_of_somebody_else_is_really_refused() -> None:
    code = (
        "import os, sys; from mlox.backends.docker.contexts import Address; from mlox.backends.docker.engine import *\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: Engine(Address(sys.argv[1], 'DOCKER_HOST')).client\n"
        "except MloxError as error: print(error.problem, error.hint)"
    )
    with speaking(NEW) as address:
        done = subprocess.run((sys.executable, "-c", code, address.url), capture_output=True, text=True, check=True)
    assert "permission denied Join the group docker" in done.stdout


@pytest.mark.parametrize("version", ["1.40", "1.9", ""])
def test_an_engine_that_is_too_old(version: str) -> None:
    with speaking({"/version": (200, {"ApiVersion": version})}) as address:
        error = refusal(Engine(address))
    assert "1.41 is needed" in error.problem
    assert "Docker 20.10" in (error.hint or "")


def test_the_newest_version_that_both_sides_know_is_spoken() -> None:
    with speaking(NEW) as address, contextlib.closing(Engine(address)) as engine:
        assert engine.api.api_version == "1.45"


@pytest.mark.parametrize(
    ("status", "said", "kind", "hint"),
    [
        (500, "write /data/tmp/x: no space left on device", RequirementError, "docker system prune"),
        (403, "authorization denied by plugin", RequirementError, "Ask who runs that engine"),
        (409, "conflict", CommandError, "Mend what it says"),
        (500, "", CommandError, "Mend what it says"),
    ],
)
def test_what_an_engine_refuses_is_told_in_its_words(status: int, said: str, kind: type[MloxError], hint: str) -> None:
    with speaking({**NEW, "/containers/json": (status, {"message": said})}) as address:
        error = refusal(Engine(address), "start db")
    assert type(error) is kind
    assert error.problem.startswith("start db: ")
    assert said in error.problem
    assert hint in (error.hint or "")


def test_an_engine_that_dies_meanwhile() -> None:
    with speaking(NEW) as address:
        error = refusal(Engine(address), "start db")
    assert isinstance(error, RequirementError)
    assert "did not answer any more, on: start db" in error.problem
    assert "goes on from there" in (error.hint or "")


def test_something_else_that_listens_there_is_no_engine() -> None:
    with speaking({"/version": (404, {"message": "page not found"})}) as address:
        error = refusal(Engine(address))
    assert "no container engine answers" in error.problem


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo 'ada@lab: Permission denied (publickey).' >&2; exit 255", "is not reached: ada@lab: Permission denied"),
        ("exit 0", "is not reached: no answer in time"),
        (None, "needs ssh: No such file"),
    ],
)
def test_ssh_that_does_not_get_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str | None, problem: str
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/nonexistent")
    if script is not None:
        (tmp_path / "ssh").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "ssh").chmod(0o755)
    error = refusal(Engine(Address("ssh://ada@lab", "DOCKER_HOST")))
    assert isinstance(error, RequirementError)
    assert problem in error.problem


def test_proxies_and_other_authorities_of_the_environment_do_not_come_between(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    with speaking({**NEW, "/containers/json": (200, [])}) as address, contextlib.closing(Engine(address)) as engine:
        with engine.asked("list") as api:
            assert api.containers() == []


def test_a_proxy_is_used_for_an_engine_elsewhere_and_not_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        asked: list[bytes] = []

        def answer() -> None:
            connection, _ = proxy.accept()
            with connection:
                asked.append(connection.recv(4096).splitlines()[0])

        thread = threading.Thread(target=answer)
        thread.start()
        refusal(Engine(Address("tcp://engine.invalid:2375", "DOCKER_HOST")))
        thread.join(10)
        assert asked == [b"GET http://engine.invalid:2375/version HTTP/1.1"]
        proxy.settimeout(0.2)
        refusal(Engine(Address("tcp://127.0.0.1:1", "DOCKER_HOST")))
        with pytest.raises(TimeoutError):
            proxy.accept()


def test_a_closed_engine_opens_again() -> None:
    with speaking({**NEW, "/containers/json": (200, [])}) as address:
        engine = Engine(address)
        for _ in range(2):
            with engine.asked("list") as api:
                assert api.containers() == []
            engine.close()
    assert Path(address.url.removeprefix("unix://")).exists() is False
