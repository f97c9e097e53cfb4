"""How commands run and files are written on this machine."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from mlox.errors import CommandError
from mlox.protocols import Completed, Write
from mlox.transports.becoming import start_as
from mlox.transports.relaying import lend_terminal, relay

SHOWN_LINES = 10
GRACE_S = 2.0
KILLED_S = 0.2

_PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class LocalTransport:
    r"""Acts on this machine; implements :class:`mlox.protocols.Transport`.

    A command has a session of its own, so that an interrupt of a notebook kernel reaches it only through here, where
    its whole process group is ended. As another account it does not see this process's environment, which may hold
    the user's credentials, and starts in ``/``.

    Example:
        >>> LocalTransport().run(("echo", "hello")).stdout
        'hello\n'
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout_s: float = 60,
        environment: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> Completed:
        """Run to the end; see :meth:`mlox.protocols.Transport.run`."""
        with self._lock:  # no abort may come between the start of a command and our knowing it
            stdin = subprocess.PIPE if input is not None else None
            process = _spawn(argv, subprocess.PIPE, environment, account, stdin=stdin)
            self._running.add(process)
        with self._known(process), _ended(process):
            try:
                stdout, stderr = process.communicate(input, timeout=timeout_s)
            except subprocess.TimeoutExpired as e:
                seen = _text(e.stdout) + _text(e.stderr)
                raise CommandError(
                    f"{shown(argv)} took longer than {timeout_s:g} s and was ended{last_lines(seen)}",
                    hint="Look at its last output, or give it more time.",
                ) from e
            with self._lock:
                if process not in self._running:
                    raise CommandError(
                        f"{shown(argv)} was ended on request", hint="Run the same command again to go on."
                    )
        return Completed(process.returncode, _text(stdout), _text(stderr))

    def stream(self, argv: Sequence[str]) -> Iterator[str]:
        """Lines as they come; see :meth:`mlox.protocols.Transport.stream`.

        Raises:
            CommandError: there is no such program, or it ended by itself with a failure.
        """
        with tempfile.TemporaryFile() as errors:
            process = _spawn(argv, errors, None, None, stdin=None)
            with _ended(process):
                for line in process.stdout or ():
                    yield _text(line).rstrip("\r\n")
                process.wait()
            if process.returncode:
                errors.seek(0)
                raise CommandError(
                    f"{shown(argv)} ended with exit code {process.returncode}{last_lines(_text(errors.read()))}"
                )

    def attach(
        self,
        argv: Sequence[str],
        *,
        input: int | None = None,
        write: Write | None = None,
        environment: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> int:
        """Run with somebody who reads along; see :meth:`mlox.protocols.Transport.attach`."""
        if write is None:
            return lend_terminal(_spawn(argv, None, environment, account, stdin=None, stdout=None, session=False))
        with self._lock:
            process = _spawn(argv, subprocess.PIPE, environment, account, stdin=input)
            self._running.add(process)
        with self._known(process), _ended(process):
            code = relay(process, write)
            with self._lock:
                if process not in self._running:
                    raise CommandError(f"{shown(argv)} was ended on request", hint="Run the same command again.")
        return code

    def put(self, content: bytes, path: Path, *, mode: int, account: str | None = None) -> None:
        """Write a file in one step; its folder must exist. See :meth:`mlox.protocols.Transport.put`."""
        handle, name = tempfile.mkstemp(prefix=".mlox-", dir=path.parent)
        staged = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                if account is not None and os.geteuid() == 0:
                    entry = _entry(account)
                    os.fchown(handle, entry.pw_uid, entry.pw_gid)
                file.write(content)
                file.flush()
                os.fchmod(handle, mode)
                os.fsync(handle)
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)

    def get(self, path: Path) -> bytes:
        """The content of a file; see :meth:`mlox.protocols.Transport.get`."""
        return path.read_bytes()

    def abort(self) -> None:
        """End what :meth:`run` waits for, now; see :meth:`mlox.protocols.Transport.abort`."""
        with self._lock:
            ended, self._running = self._running, set()
        for process in ended:
            _signal(process, signal.SIGTERM)
        for process in ended:
            _end_group(process)

    @contextlib.contextmanager
    def _known(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)


def shown(argv: Sequence[str]) -> str:
    """A command for a message, cut where it is long."""
    text = shlex.join(argv)
    return text if len(text) <= 200 else f"{text[:197]}..."


def last_lines(output: str, count: int = SHOWN_LINES) -> str:
    """The end of an output for the end of a problem: empty, or a colon and the lines below it."""
    lines = [line for line in output.splitlines() if line.strip()][-count:]
    return "".join([":", *(f"\n  {line}" for line in lines)]) if lines else ""


def _spawn(
    argv: Sequence[str],
    stderr: int | IO[bytes] | None,
    environment: Mapping[str, str] | None,
    account: str | None,
    *,
    stdin: int | None,
    stdout: int | None = subprocess.PIPE,
    session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a command; without a ``session`` of its own it stays at our terminal, and None is what that has."""
    entry = _entry(account) if account is not None else None
    switch = entry is not None and entry.pw_uid != os.geteuid()
    if switch and os.geteuid() != 0:
        raise CommandError(f"only root can run {shown(argv)} as {account}", hint="Run it as yourself, or as root.")
    base = {**_PLAIN, "HOME": entry.pw_dir} if switch and entry is not None else dict(os.environ)

    around = {**base, **(environment or {})}
    settings: dict[str, Any] = {
        "stdin": subprocess.DEVNULL if stdin is None and session else stdin,
        "stdout": stdout,
        "stderr": stderr,
        "start_new_session": session,
    }
    try:
        if switch and entry is not None:
            return start_as(entry, argv, around, **settings)
        return subprocess.Popen(list(argv), env=around, **settings)
    except OSError as e:
        raise CommandError(
            f"{shown(argv)} cannot be run: {e.strerror or e}", hint=f"Install {argv[0]}, or put it on the PATH."
        ) from e


def _entry(account: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(account)
    except KeyError as e:
        raise CommandError(f"there is no account {account!r} on this machine", hint=f"Create {account!r} first.") from e


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens inside, afterwards the command's whole group is gone unless it ended by itself."""
    try:
        yield
    finally:
        if process.poll() is None:
            _end_group(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if process.stderr is not None:
            process.stderr.close()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a command and everything in its process group: politely, then for good; waits a moment for the last one."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        _signal(process, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    deadline = time.monotonic() + KILLED_S
    while _signal(process, 0) and time.monotonic() < deadline:
        time.sleep(0.005)


def _signal(process: subprocess.Popen[bytes], sign: int) -> bool:
    """Tell the command's whole group; answers whether there was one."""
    try:
        os.killpg(process.pid, sign)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _text(output: bytes | str | None) -> str:
    if isinstance(output, bytes):
        return output.decode("utf-8", errors="replace")
    return output or ""
