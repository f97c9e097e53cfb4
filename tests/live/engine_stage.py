"""A container engine and a registry of the tests' own: real ones, with nothing of anybody else's in them."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlox.backends.docker.contexts import Address, answers, find
from mlox.backends.docker.engine import Engine
from tests.live.docker_stage import mortal_engine
from tests.live.engine.daemons import Daemons, connect
from tests.live.engine.go import NoGoError
from tests.live.engine.images import NoImageError, need_image
from tests.live.native_stage import free_port, until

PATIENCE_S = 60
STOCK = ("busybox:1", "debian:bookworm-slim", "python:3.11-slim", "redis:7", "postgres:15")


@contextlib.contextmanager
def daemon() -> Iterator[Daemons]:
    """A new engine, to be killed and started again; at the end it is gone with all that it had."""
    with tempfile.TemporaryDirectory(prefix="mlox-dockerd-", dir="/tmp") as folder:
        with mortal_engine(Path(folder)) as made:
            yield made


def opened(daemons: Daemons) -> Engine:
    """That engine, as mlox asks it."""
    return Engine(Address(daemons.host, "the tests"))


def usual_engine() -> Engine:
    """The engine that the docker command would use, or ``MLOX_TEST_DOCKER_HOST``; skips where none answers."""
    said = os.environ.get("MLOX_TEST_DOCKER_HOST")
    address = Address(said, "MLOX_TEST_DOCKER_HOST") if said else find(os.environ, Path.home())[0]
    if not answers(address):
        pytest.skip(f"no container engine answers at {address.url}")
    _stock(address.url)
    return Engine(address)


@functools.cache
def _stock(url: str) -> None:
    """Have the images there that tests start."""
    with contextlib.closing(connect(url, timeout_s=600)) as client:
        try:
            for name in STOCK:
                need_image(client, name)
        except (NoImageError, NoGoError) as error:
            pytest.skip(str(error))


@contextlib.contextmanager
def registry() -> Iterator[str]:
    """A registry of one's own on loopback, as ``127.0.0.1:port``."""
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed")
    with tempfile.TemporaryDirectory(prefix="mlox-registry-", dir="/tmp") as folder:
        place = f"127.0.0.1:{free_port()}"
        settings = Path(folder) / "registry.yml"
        settings.write_text(
            f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: {place}}}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        )
        process = subprocess.Popen(("docker-registry", "serve", str(settings)), stderr=subprocess.DEVNULL)
        try:
            until(lambda: _is_up(f"http://{place}/v2/"), PATIENCE_S)
            yield place
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def publish(engine: Engine, name: str, content: bytes = b"hello", *, layers: int = 1) -> str:
    """Put a new image into a registry, and answer its digest; the engine has nothing of it afterwards."""
    api = engine.api
    for number in range(layers):
        source = name if number else None
        with contextlib.closing(_context(content, number, source)) as stream:
            for line in api.build(fileobj=stream, custom_context=True, tag=name, rm=True, decode=True):
                assert "error" not in line, line
    for line in api.push(name, stream=True, decode=True):
        assert "error" not in line, line
    (pin,) = api.inspect_image(name)["RepoDigests"]
    api.remove_image(name, force=True)
    return str(pin).rpartition("@")[2]


def _context(content: bytes, number: int, source: str | None) -> io.BytesIO:
    stream = io.BytesIO()
    recipe = f'FROM {source or "scratch"}\nCOPY file /file{number}\nCMD ["/file0"]\n'.encode()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, each in (("Dockerfile", recipe), ("file", content + str(number).encode())):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(each), int(time.time())
            archive.addfile(entry, io.BytesIO(each))
    stream.seek(0)
    return stream


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
