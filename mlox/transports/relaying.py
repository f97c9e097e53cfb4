"""How a command's output is passed on while it is written, and how a terminal is lent to a command."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
from typing import Literal

from mlox.protocols import Write

CHUNK = 1 << 16
GLANCE_S = 0.1
"""How often it is looked whether the command has ended: what it left in the background may keep its streams open."""


def relay(process: subprocess.Popen[bytes], write: Write) -> int:
    """Pass on what a command writes until it has ended; returns its exit code."""
    streams: dict[int, Literal["out", "err"]] = {}
    with selectors.DefaultSelector() as selector:
        for pipe, name in ((process.stdout, "out"), (process.stderr, "err")):
            if pipe is not None:
                streams[pipe.fileno()] = "out" if name == "out" else "err"
                selector.register(pipe.fileno(), selectors.EVENT_READ)
        while streams:
            ended = process.poll() is not None
            ready = selector.select(0 if ended else GLANCE_S)
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK)
                if chunk:
                    write(streams[key.fd], chunk)
                else:
                    selector.unregister(key.fd)
                    del streams[key.fd]
            if ended and not ready:
                break
    return _code(process.wait())


def lend_terminal(process: subprocess.Popen[bytes]) -> int:
    """Wait for a command that has our terminal; returns its exit code.

    Ctrl-C reaches every process there: it is meant for the command, so this one goes on waiting.
    """
    if threading.current_thread() is not threading.main_thread():
        return _code(process.wait())
    before = signal.signal(signal.SIGINT, lambda *_: None)  # a handler, unlike SIG_IGN, is not inherited
    try:
        return _code(process.wait())
    finally:
        signal.signal(signal.SIGINT, before)


def _code(code: int) -> int:
    """As a shell tells it: 128 and the signal, where one ended the command."""
    return code if code >= 0 else 128 - code
