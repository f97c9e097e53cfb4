"""Whether versions exist that are all a project depends on: asked of uv, before a component is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from mlox.errors import CommandError, DependencyError
from mlox.plugins import find
from mlox.protocols import Completed, Emit, Event, Transport

RESOLVE_S = 45
MAX_LINES = 12

Resolve = Callable[[bytes], Completed]
"""Takes requirements, one a line, and says how resolving them ended; see :func:`resolve_by_uv`."""


def resolve_by_uv(requirements: bytes) -> Completed:
    """``uv pip compile`` of requirements, for the Python that runs us; nothing is installed and nothing is written.

    Raises:
        CommandError: there is no uv, or it took too long.
    """
    transport: Transport = find("transports", "local")()
    command = (sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate")
    options = ("--color", "never", "--python", sys.executable, "--no-sources", "-")
    environment = {"UV_NO_PROGRESS": "1", "UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "1"}
    return transport.run((*command, *options), input=requirements, timeout_s=RESOLVE_S, environment=environment)


def check_together(component: str, requirements: Sequence[str], resolve: Resolve, emit: Emit) -> None:
    """Raise where no set of versions is all of ``requirements``; without a network, tell that nobody looked.

    A distribution that is on no index that uv knows is told as well: it may come from elsewhere.

    Raises:
        DependencyError: they exclude each other, with the explanation of uv.
    """
    if not requirements:
        return
    try:
        done = resolve("".join(f"{one}\n" for one in requirements).encode())
    except CommandError as error:
        emit(Event(component, f"its dependencies were not checked: {error.problem.splitlines()[0]}", kind="warning"))
        return
    said = done.stderr.strip()
    if done.code == 0:
        return
    if "No solution found" not in said or "was not found in" in said or "network was disabled" in said:
        reason = " ".join(said.partition("cause: ")[2].split("\n")[0].split()) or said.partition("\n")[0] or "uv failed"
        emit(Event(component, f"its dependencies were not checked: {reason}", kind="warning"))
        return
    lines = [line.strip().removeprefix("cause: ") for line in said.splitlines()[1 : MAX_LINES + 1]]
    raise DependencyError(
        "\n".join([f"{component} and what the project depends on exclude each other; nothing was written", *lines]),
        hint="Change what the project asks for, or take another version of the component.",
    )
