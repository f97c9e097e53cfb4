"""An engine behind SSH: the system's ``ssh`` lends its socket as one of this machine, as long as this process lives.

``ssh`` itself honours all of ``~/.ssh/config``, agents and known hosts. docker-py's own ways do not, or start one
``ssh`` for each connection, over which a command cannot be told that there is no more input.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlox.errors import RequirementError

FAR = "/var/run/docker.sock"
READY = b"mlox-reached\n"
OPEN_S = 20.0
CLOSE_S = 2.0
PART = 4096


@dataclass(frozen=True, slots=True)
class _Tunnel:
    """An ``ssh`` that runs, its input and output, and the folder with its socket.

    It ends when its input does: when this process does, at last.
    """

    folder: Path
    process: subprocess.Popen[bytes]
    line: socket.socket

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/engine.sock"

    def reached(self) -> bool:
        """Whether what we say comes back, behind whatever a shell there says first."""
        heard, deadline = b"", time.monotonic() + OPEN_S
        with contextlib.suppress(OSError):  # it has ended, or does not answer in time
            self.line.sendall(READY)
            while READY not in heard and (left := deadline - time.monotonic()) > 0:
                self.line.settimeout(left)
                part = self.line.recv(PART)
                if not part:
                    break
                heard += part
        return READY in heard

    def close(self) -> None:
        self.line.close()
        try:
            self.process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


_OPEN: dict[tuple[int, str], _Tunnel] = {}
_LOCK = threading.Lock()


def through(url: str) -> str:
    """The address on this machine by which the engine at ``url`` is reached; one tunnel for all that ask.

    Args:
        url: ``ssh://[user@]host[:port][/path/of/the/socket]``.

    Raises:
        RequirementError: there is no ``ssh``, or it does not get there; its last words are in the message.
    """
    key = (os.getpid(), url)
    with _LOCK:
        known = _OPEN.get(key)
        if known is None or known.process.poll() is not None:
            if known is not None:
                known.close()
            _OPEN[key] = known = _opened(url)
        return known.url


def command(url: str, here: Path) -> tuple[str, ...]:
    """What is run: a shell's ``cat`` there shows that all is ready, and ends when our end of it is closed.

    Example:
        >>> command("ssh://ada@lab:2222", Path("/run/here.sock"))[-9:]
        ('-L', '/run/here.sock:/var/run/docker.sock', '-p', '2222', '-l', 'ada', '--', 'lab', 'cat')
    """
    parts = urlsplit(url)
    far = parts.path if parts.path.strip("/") else FAR
    settings = ("BatchMode=yes", "ExitOnForwardFailure=yes", "ControlPath=none", f"ConnectTimeout={OPEN_S / 2:.0f}")
    return (
        *("ssh", "-T", "-x", "-a"),
        *(word for setting in settings for word in ("-o", setting)),
        *("-L", f"{here}:{far}"),
        *(("-p", str(parts.port)) if parts.port else ()),
        *(("-l", parts.username) if parts.username else ()),
        *("--", parts.hostname or "", "cat"),
    )


def _opened(url: str) -> _Tunnel:
    folder = Path(tempfile.mkdtemp(prefix="mlox-ssh-"))
    said = folder / "ssh.log"
    ours, its = socket.socketpair()
    try:
        with its, said.open("wb") as log:
            process = subprocess.Popen(
                command(url, folder / "engine.sock"),
                stdin=its.fileno(),
                stdout=its.fileno(),
                stderr=log,
                start_new_session=True,  # Ctrl-C is for this process, which then needs the engine to tidy up
            )
    except OSError as error:
        ours.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise RequirementError(f"the engine at {url} needs ssh: {error.strerror}", hint="Install OpenSSH.") from None
    tunnel = _Tunnel(folder, process, ours)
    if not tunnel.reached():
        words = said.read_text(errors="replace").strip().splitlines()
        tunnel.close()
        raise RequirementError(
            f"the container engine at {url} is not reached: {words[-1] if words else 'no answer in time'}",
            hint=f"Try `ssh {urlsplit(url).netloc}` by itself; the agent has to know the key (ssh-add).",
        )
    atexit.register(_at_exit(tunnel))
    return tunnel


def _at_exit(tunnel: _Tunnel) -> Callable[[], None]:
    opener = os.getpid()

    def close() -> None:
        if os.getpid() == opener:  # a fork has only a copy of it
            tunnel.close()

    return close
