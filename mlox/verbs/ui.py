"""The verb that serves the panels as a web page of this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, cast

from mlox import errors
from mlox.errors import DISTRIBUTION, CommandError, MloxError, RequirementError, UsageError
from mlox.protocols import Event
from mlox.values import Notice, Value
from mlox.values.logs import Stream
from mlox.verbs.context import Context
from mlox.verbs.panels import PANELS
from mlox.verbs.table import verb

NEEDED = ("voila", "ipykernel", "anywidget", "mlox_jupyter")
COMMAND = (sys.executable, "-P", "-m", "mlox_jupyter.web")
ENDS_S = 20.0
"""How long the page's process has to end, which gives its kernels five seconds."""

TOLD = 5
"""How many lines of what the page's process wrote are in an error."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the page is. ``address`` has the token in it."""

    address: str

    @property
    def text(self) -> str:
        """The address, and how it ends."""
        return f"{self.address}    (only on this machine; Ctrl-C ends it)"

    def to_json(self) -> dict[str, Any]:
        """The address."""
        return {"address": self.address}


@verb("ui", group="more")
def ui(
    ctx: Context,
    *,
    port: Annotated[int | None, "listen there; by default where it is free"] = None,
    no_browser: Annotated[bool, "only print the address"] = False,
) -> Value:
    """Serve the panels as a web page, on this machine only, until Ctrl-C.

    The address that is printed ends with a token, without which nothing is answered. The page has the stack, the
    catalog, components and secrets, as in a notebook; a kernel of this Python is behind it, and ends when it is closed.
    """
    if ctx.front == "notebook":
        raise UsageError("mlox ui is for the shell", hint=f"Here: %mlox panel NAME, one of: {', '.join(PANELS)}.")
    if port is not None and not 0 < port < 65536:
        raise UsageError(f"--port {port} is no port", hint="Name one from 1 to 65535, or leave --port out.")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise RequirementError(
            f"mlox ui needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed here",
            hint=f"pip install '{DISTRIBUTION}[ui]'",
        )
    folder = ctx.here().resolve()
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="Name one that is there: -C DIR.")
    if ctx.dry_run:
        lines = (f"panels of {folder} on 127.0.0.1: {', '.join(PANELS)}", "nothing was started")
        return Notice(lines, {"folder": str(folder), "panels": list(PANELS)})
    opens = not no_browser and ctx.interactive and _has_screen()
    return Stream(_page(ctx, folder, port or 0, opens=opens), asked="mlox ui")


def _page(ctx: Context, folder: Path, port: int, *, opens: bool) -> Generator[Served]:
    """Start it, tell where it is, and wait until it is ended; Ctrl-C and SIGTERM are no failure."""
    token = secrets.token_urlsafe(32)
    asked = {"folder": str(folder), "profile": ctx.profile, "port": port, "token": token}
    with contextlib.suppress(KeyboardInterrupt), _terminated_as_interrupted(), tempfile.TemporaryFile() as log:
        ctx.emit(Event("", "starting the page"))
        with _process(folder, log) as process:
            answer = _answer(process, asked, log)
            ctx.emit(Event("", f"panels of {folder}", "done"))
            yield Served(f"http://127.0.0.1:{answer['port']}/?token={token}")
            if opens:
                # A file leads there: a browser's command line, which others can see, has no token then.
                webbrowser.open(Path(answer["door"]).as_uri())
            process.wait()
            raise CommandError(f"the page has ended{_last(log)}", hint="Start it again: mlox ui.")


@contextlib.contextmanager
def _process(folder: Path, log: IO[bytes]) -> Iterator[subprocess.Popen[str]]:
    """The page's process, which ends when nobody holds its standard input any more.

    It has a session of its own, so that Ctrl-C comes here first and it can end what it has started.
    """
    process = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=folder,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answer(process: subprocess.Popen[str], asked: dict[str, Any], log: IO[bytes]) -> dict[str, Any]:
    """What the process says: where the page is.

    Raises:
        PortTakenError: somebody else listens there. CommandError: it ended without a word.
    """
    written, read = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
    with contextlib.suppress(BrokenPipeError):  # what it wrote before it ended is told below
        print(json.dumps(asked), file=written, flush=True)
    line = read.readline()
    if not line:
        process.wait(ENDS_S)
        raise CommandError(f"the page did not start{_last(log)}", hint="Try it again: mlox ui.")
    answer: dict[str, Any] = json.loads(line)
    if error := answer.get("error"):
        kind: type[MloxError] = getattr(errors, error["type"])
        raise kind(error["problem"], hint=error["hint"])
    return answer


def _last(log: IO[bytes]) -> str:
    """The last lines of a log, as they are put behind a problem."""
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()[-TOLD:]
    return "".join(["; it wrote:", *(f"\n  {line}" for line in lines)]) if lines else ""


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM does what Ctrl-C does; where this is not the main thread, nobody sends any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _has_screen() -> bool:
    """Whether a browser would have a window: one in the terminal would take it away from here."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
