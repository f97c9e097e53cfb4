"""A command whose start fails without saying why: Python then has half of an error, as a pipe lost the rest."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from mlox.errors import CommandError
from mlox.transports.local import LocalTransport

LOST = "Bad exception data from child: bytearray(b'OSError:')"


def failing(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let starts of commands fail so many times, as they did in a kernel that had gRPC in it."""
    begin = subprocess.Popen
    failed: list[int] = []

    def popen(*arguments: Any, **named: Any) -> Any:
        if len(failed) < times:
            failed.append(1)
            raise subprocess.SubprocessError(LOST)
        return begin(*arguments, **named)

    monkeypatch.setattr(subprocess, "Popen", popen)


def test_once_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, 1)
    assert LocalTransport().run(("echo", "here"), timeout_s=20).stdout == "here\n"


def test_twice_it_is_an_error_of_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, 2)
    with pytest.raises(CommandError, match="echo here cannot be run: Bad exception data") as caught:
        LocalTransport().run(("echo", "here"), timeout_s=20)
    assert caught.value.hint == "Try it again, in a new kernel."
