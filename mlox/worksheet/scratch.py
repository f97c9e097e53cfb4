"""A stack for one test of a service: a workspace and a data home of its own, worked on as a user does, by commands."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mlox.errors import CommandError, MloxError
from mlox.protocols import Observed
from mlox.stack import Stack
from mlox.stack.surroundings import Surroundings

COMMAND_S = 1800.0


@dataclass(frozen=True, slots=True)
class Said:
    """How a command of mlox ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that it printed."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def why(self) -> str:
        """What it complained."""
        return self.err.strip() or f"exit code {self.code}"


class Scratch:
    """The stack under test: `mlox` is run as a process of its own, so that it can be killed.

    Attributes:
        folder: the workspace. ``home``: the data home; both are removed in the end.
    """

    def __init__(self, top: Path) -> None:
        self.folder = top / "workspace"
        self.home = top / "data"
        self.folder.mkdir(mode=0o700)
        self.home.mkdir(mode=0o711)

    def mlox(self, *words: str, folder: str | None = None) -> Said:
        """Run `mlox` to its end; ``folder`` is where it is typed, where that is not the workspace."""
        process = self._started(words) if folder is None else self._started(("-C", str(self.folder), *words), folder)
        try:
            out, err = process.communicate(timeout=COMMAND_S)
        except subprocess.TimeoutExpired:
            raise CommandError(f"mlox {' '.join(words)} did not end in {COMMAND_S:g} s") from None
        finally:
            _end(process)
        return Said(process.returncode, out, err)

    def done(self, *words: str) -> dict[str, Any]:
        """The object that `mlox --json` prints.

        Raises:
            CommandError: it failed.
        """
        said = self.mlox(*words, "--json")
        if said.code != 0:
            with contextlib.suppress(ValueError, KeyError):
                told = json.loads(said.err)["error"]
                raise CommandError(f"mlox {' '.join(words)}: {told['problem']}", hint=told["hint"])
            raise CommandError(f"mlox {' '.join(words)}: {said.why}")
        return said.json

    def lines(self, *words: str) -> list[tuple[float, str]]:
        """What `mlox` told while it worked, and after how many seconds.

        Raises:
            CommandError: it failed.
        """
        told: list[tuple[float, str]] = []
        began = time.monotonic()
        process = self._started(words)
        try:
            told.extend((time.monotonic() - began, line.rstrip("\n")) for line in process.stderr or ())
            process.wait()
        finally:
            _end(process)
        if process.returncode != 0:
            raise CommandError(f"mlox {' '.join(words)}: {' '.join(line for _, line in told[-3:])}")
        return told

    def kill_at(self, count: int, pause_s: float, *words: str) -> bool:
        """Kill `mlox` once it has told ``count`` lines, ``pause_s`` seconds later; False where it was done by then."""
        process = self._started(words)
        try:
            for _ in range(count):
                if not (process.stderr and process.stderr.readline()):
                    break
            time.sleep(pause_s)
            alive = process.poll() is None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        finally:
            _end(process)
        return alive

    @property
    def stack(self) -> Stack:
        """The stack, as it is written."""
        return Stack(path=self.folder)

    @property
    def around(self) -> Surroundings:
        """What is there, read now from this data home."""
        stack = self.stack
        return Surroundings(stack.workspace, stack.spec(), self.home)

    @property
    def observed(self) -> tuple[Observed, ...]:
        """Every unit that there is."""
        return tuple(self.around.observed.values())

    def processes(self) -> list[psutil.Process]:
        """Everything that was started for the stack on this machine: by its marker, its folder, or its command."""
        identity, found = self.stack.id or "", []
        place = str(self.home / identity)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                marked = process.environ().get("MLOX_UNIT", "").startswith(f"{identity}/")
                words = (process.cwd(), *process.cmdline())
                if (marked and self._ours(process)) or any(place in word for word in words):
                    found.append(process)
        return found

    def snapshot(self) -> dict[str, tuple[int, int, bytes]]:
        """Every file of the workspace and the data home but what services write: mode, time of change, content."""
        seen = {}
        for top in (self.folder, self.home):
            for path in sorted(top.rglob("*")):
                if {"services", "logs", "supervisor"} & set(path.relative_to(top).parts) and top == self.home:
                    continue
                with contextlib.suppress(OSError):
                    info = path.lstat()
                    content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
                    changed = info.st_mtime_ns if path.is_file() else 0
                    seen[str(path)] = (info.st_mode, changed, content)
        return seen

    def clean_up(self) -> None:
        """Purge all there is; what does not go by that is ended."""
        with contextlib.suppress(MloxError, subprocess.SubprocessError):
            if (self.folder / "mlox.yaml").exists():
                self.mlox("down", "--all", "--purge", "-y")
                for process in self.processes():
                    with contextlib.suppress(psutil.Error):
                        process.kill()

    def _ours(self, process: psutil.Process) -> bool:
        """Whether a marked process is of this data home: another one may have a stack of the same id."""
        home = process.environ().get("HOME", "")
        return home.startswith(str(self.home)) or not home

    def _started(self, words: Sequence[str], folder: str | None = None) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if k not in ("MLOX_PROFILE", "JPY_PARENT_PID")}
        return subprocess.Popen(
            [sys.executable, "-m", "mlox", *words],
            cwd=folder or self.folder,
            env={**environment, "MLOX_DATA_HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )


@contextlib.contextmanager
def scratch() -> Iterator[Scratch]:
    """A scratch stack; nothing of it is left, however it ends."""
    top = Path(tempfile.mkdtemp(prefix="mlox-worksheet-"))
    top.chmod(0o711)  # the account that services run as goes through it
    made = Scratch(top)
    try:
        yield made
    finally:
        made.clean_up()
        shutil.rmtree(top, ignore_errors=True)


def until(look: Callable[[], bool], patience_s: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + patience_s
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
