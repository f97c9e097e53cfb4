"""A container engine and a registry of the tests' own: real ones, with nothing of anybody else's in them.

The engine has no bridge and touches no firewall, so that it gets in nobody's way; where there is no dockerd, or its
user may not start one, the engine that the docker command would use does.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from mlox.backends.docker.contexts import Address, answers, find
from mlox.backends.docker.engine import Engine
from mlox.errors import RequirementError
from tests.live.native_stage import free_port, until

PATIENCE_S = 60


@dataclass
class Daemon:
    """A dockerd that a test may end and start again."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Address:
        return Address(f"unix://{self.folder}/docker.sock", "the tests")

    def start(self) -> None:
        argv = (
            *("dockerd", "-H", self.address.url, "--data-root", f"{self.folder}/data"),
            *("--exec-root", f"{self.folder}/exec", "--pidfile", f"{self.folder}/dockerd.pid"),
            *("--bridge=none", "--iptables=false", "--ip-forward=false"),
        )
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        until(lambda: self._answers(self.process), PATIENCE_S)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE_S)
            self.process = None
        if how == signal.SIGKILL:  # as a machine's end would; what is left of it keeps the next one from starting
            noted = self.folder / "exec" / "containerd" / "containerd.pid"
            with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
                left = psutil.Process(int(noted.read_text()))
                if any(str(self.folder) in word for word in left.cmdline()):
                    left.kill()
            noted.unlink(missing_ok=True)  # where nobody reaps it, dockerd would take it for alive

    def _answers(self, process: subprocess.Popen[bytes] | None) -> bool:
        assert process is not None
        assert process.poll() is None, (self.folder / "log").read_text()[-2000:]
        with contextlib.closing(Engine(self.address)) as engine:
            try:
                return bool(engine.api.ping())
            except RequirementError:
                return False


@contextlib.contextmanager
def daemon() -> Iterator[Daemon]:
    """A new engine; at the end it is gone with all that it had."""
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.skip("there is no dockerd that these tests may start")
    folder = Path(tempfile.mkdtemp(prefix="mlox-dockerd-", dir="/tmp"))
    made = Daemon(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        made.stop(signal.SIGKILL)
        for line in Path("/proc/mounts").read_text().splitlines():
            if line.split()[1].startswith(f"{folder}/"):
                subprocess.run(("umount", "-l", line.split()[1]), check=False)
        shutil.rmtree(folder, ignore_errors=True)


def usual_engine() -> Engine:
    """The engine that the docker command would use, or ``MLOX_TEST_DOCKER_HOST``; skips where none answers."""
    said = os.environ.get("MLOX_TEST_DOCKER_HOST")
    address = Address(said, "MLOX_TEST_DOCKER_HOST") if said else find(os.environ, Path.home())[0]
    if not answers(address):
        pytest.skip(f"no container engine answers at {address.url}")
    return Engine(address)


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
