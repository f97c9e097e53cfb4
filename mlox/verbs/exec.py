"""The verb exec: a command inside a service, with the service's own environment."""

from __future__ import annotations

import codecs
import shlex
import sys
from io import BytesIO
from typing import Annotated, Literal

from mlox.errors import UsageError
from mlox.values import Notice, Value
from mlox.verbs.context import Context
from mlox.verbs.table import Rest, verb


@verb("exec", group="stack")
def exec_(
    ctx: Context,
    name: Annotated[str, "the service"],
    command: Rest = (),
    *,
    unit: Annotated[str | None, "which unit of it, where it has several"] = None,
) -> Value:
    """Run a command inside a service, with its environment and its secrets: mlox exec redis -- redis-cli ping.

    What is piped in is the command's input; what it writes is shown with secrets masked; its exit code is handed on.
    In a terminal it has the terminal, and nothing is masked: mlox exec postgres -- psql.
    """
    if not command:
        raise UsageError("exec needs a command after --", hint=f"For example: mlox exec {name} -- env.")
    stack = ctx.stack()
    if ctx.dry_run:
        found = stack.running_unit(name, unit)
        return Notice((f"would run {shlex.join(command)} in {found}",), {"unit": found})
    if ctx.interactive:
        code = stack.exec(name, command, unit=unit, write=None)
        return Notice((), {"code": code}, code=code)
    written = _Kept() if ctx.as_json else _Printed()
    code = stack.exec(name, command, unit=unit, input=_input(ctx), write=written)
    return Notice((), {"code": code, **written.told()}, code=code)


def _input(ctx: Context) -> int | None:
    """What is piped into a shell's command; nobody types into a cell, and a terminal is for commands that have it."""
    if ctx.front != "shell" or sys.stdin is None or sys.stdin.isatty():
        return None
    try:
        return sys.stdin.fileno()
    except (OSError, ValueError):  # it is no file of the system's
        return None


class _Kept:
    """Keeps what a command writes, for the one JSON object that may be printed."""

    def __init__(self) -> None:
        self._parts = {"out": BytesIO(), "err": BytesIO()}

    def __call__(self, channel: Literal["out", "err"], chunk: bytes) -> None:
        self._parts[channel].write(chunk)

    def told(self) -> dict[str, str]:
        """Both outputs."""
        out, err = (self._parts[key].getvalue().decode("utf-8", errors="replace") for key in ("out", "err"))
        return {"stdout": out, "stderr": err}


class _Printed:
    """Prints what a command writes: byte for byte where that is possible; a notebook takes text."""

    def __init__(self) -> None:
        make = codecs.getincrementaldecoder("utf-8")
        self._decoders = {"out": make(errors="replace"), "err": make(errors="replace")}

    def __call__(self, channel: Literal["out", "err"], chunk: bytes) -> None:
        stream = sys.stdout if channel == "out" else sys.stderr
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            stream.write(self._decoders[channel].decode(chunk))
        else:
            stream.flush()
            buffer.write(chunk)
        stream.flush()

    def told(self) -> dict[str, str]:
        """Nothing: it is printed."""
        return {}
