"""A command of the user's, run to its own end: what would end mlox ends the command, in the time that it takes."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

LEAVE_S = 10.0
"""How long a command that is interrupted in a notebook has to end by itself."""

FORWARDED = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def run_to_end(command: Sequence[str], environment: Mapping[str, str], *, printed: bool) -> int:
    """The exit code of a command, negative where a signal ended it.

    In a terminal it has all of that, Ctrl-C too: mlox waits until it is done with it.

    Args:
        printed: for kernels, whose own standard output no notebook shows under every runner.

    Raises:
        OSError: it cannot be started.
    """
    if printed:
        return _printed(command, environment)
    with subprocess.Popen(command, env=environment) as process, _handed_on(process):
        return process.wait()


@contextlib.contextmanager
def _handed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Meanwhile, what ends processes goes to this one. A terminal sends Ctrl-C to both: then it is not sent twice."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hand_on(number: int, _frame: object) -> None:
        process.send_signal(number)

    interrupt: Any = signal.SIG_IGN if sys.stdin is not None and sys.stdin.isatty() else hand_on
    before = {number: signal.signal(number, hand_on) for number in FORWARDED}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _printed(command: Sequence[str], environment: Mapping[str, str]) -> int:
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)
        except BaseException:
            _leave(process)
            raise
    return process.returncode


def _leave(process: subprocess.Popen[str]) -> None:
    """Let it end by itself, and end it where it does not: Jupyter interrupts the whole group of a kernel's processes.

    Source: ``send_signal`` in https://github.com/jupyter/jupyter_client/blob/main/jupyter_client/provisioning
    """
    try:
        print(process.communicate(timeout=LEAVE_S)[0] or "", end="", flush=True)
    except subprocess.TimeoutExpired:
        process.kill()
    except BaseException:
        process.kill()
        raise
