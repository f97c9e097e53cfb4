"""A server of SSH on loopback, with keys of its own, that lets the user of the tests in by one key."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.native_stage import free_port
from tests.live.support import until


@dataclass(frozen=True)
class Server:
    """Where it is, and who may come: ``key`` is the file of a private key; ``known`` one with the server's own."""

    folder: Path
    port: int
    user: str

    @property
    def key(self) -> Path:
        """The private key that opens it."""
        return self.folder / "user"

    @property
    def known(self) -> Path:
        """A file as ``~/.ssh/known_hosts``."""
        return self.folder / "known"


@contextmanager
def server(folder: Path, address: str = "127.0.0.1") -> Iterator[Server]:
    """A server of SSH on an address of this machine; the test is skipped where there is no ``sshd``."""
    if missing := [word for word in ("sshd", "ssh-keygen", "ssh") if not found(word)]:
        pytest.skip(f"not on the PATH: {', '.join(missing)}")
    folder.mkdir()
    made = Server(folder, free_port(), getpass.getuser())
    for key in ("host", "user"):
        subprocess.run([found("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    made.known.write_text(f"[{address}]:{made.port} {(folder / 'host.pub').read_text()}")
    (folder / "sshd_config").write_text(
        f"ListenAddress {address}:{made.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it wants it to be there, and does not make it
    running = subprocess.Popen([found("sshd"), "-D", "-e", "-f", folder / "sshd_config"], stderr=subprocess.PIPE)
    try:
        assert until(lambda: answers(address, made.port) or running.poll() is not None)
        assert running.poll() is None, running.communicate()[1]
        yield made
    finally:
        running.terminate()
        running.communicate()


def found(program: str) -> str:
    """Where a program is; those of administrators too."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") or ""


def answers(address: str, port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as client:
        return client.connect_ex((address, port)) == 0
