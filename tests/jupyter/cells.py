"""Cells and what they give: in a shell inside the test's own process, or in a real kernel."""

from __future__ import annotations

import os
import queue
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jupyter_client.manager import KernelManager

from tests.fake_machine import PROGRAMS

ROOT = Path(__file__).parents[2]
CELL_S = 60

FAKE = f"""
import mlox.plugins
from mlox.testing import FakeBackend
from tests.fake_machine import OneMachine
machine = OneMachine.machine = FakeBackend(programs={PROGRAMS!r})
mlox.plugins.TABLE["backends", "native"] = mlox.plugins.Row("tests.fake_machine:OneMachine")
"""


WAIT_FOR_DEPLOYMENT = """
import threading, time
while any(thread.name.startswith("mlox-deployment") for thread in threading.enumerate()):
    time.sleep(0.05)
"""


@dataclass
class Ran:
    """How a cell ended: what it displayed by MIME type, what it printed, its error, and every message about it."""

    displays: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    printed: str = ""
    error: dict[str, Any] | None = None
    value: object = None
    messages: list[dict[str, Any]] = field(default_factory=list, compare=False, repr=False)

    @property
    def texts(self) -> list[str]:
        """The plain texts of what it displayed."""
        return [bundle["text/plain"] for bundle in self.displays]

    @property
    def text(self) -> str:
        """The plain text of the one thing that it displayed."""
        assert self.error is None, self.error
        (bundle,) = self.displays
        return str(bundle["text/plain"])

    @property
    def lines(self) -> list[str]:
        """The two lines of its error."""
        assert self.error is not None, self.displays
        return list(self.error["traceback"])


Run = Callable[[str], Ran]


def run_in(shell: InteractiveShell, source: str) -> Ran:
    """Run a cell in a shell of this process."""
    with capture_output() as captured:
        result = shell.run_cell(source, store_history=True)
    raised = result.error_before_exec or result.error_in_exec
    error: dict[str, Any] | None = None
    if raised is not None:
        render = getattr(raised, "_render_traceback_", list)
        error = {"ename": type(raised).__name__, "evalue": str(raised), "traceback": render()}
    displays = [output.data for output in captured.outputs]
    assert shell.display_formatter is not None
    shown, _ = shell.display_formatter.format(result.result) if result.result is not None else ({}, {})
    printed = re.sub(r"Out\[\d+\]: .*", "", captured.stdout, flags=re.DOTALL)
    return Ran([*displays, *filter(None, [shown])], [], printed, error, result.result)


class Kernel:
    """A real kernel. ``answers`` stands for a person: without it nobody is there to ask, as under nbclient."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.manager = KernelManager(kernel_name="python3")
        # Where it finds pytest, a kernel leaves the output of subprocesses alone, as no user's does.
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        self.manager.start_kernel(
            env={**variables, "PYTHONPATH": str(ROOT), **environment},
            extra_arguments=["--log-level=ERROR"],
            cwd=str(folder),
        )
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=CELL_S)

    def begin(self, source: str, *, somebody: bool = True) -> str:
        """Send a cell, and do not wait."""
        return str(self.client.execute(source, allow_stdin=somebody))

    def end(self, request: str, answers: Sequence[str] = (), *, until: Callable[[Ran], bool] | None = None) -> Ran:
        """What a cell that was sent gave, when it is idle again, or as soon as ``until`` holds."""
        ran = Ran()
        waiting = list(answers)
        deadline = time.monotonic() + CELL_S
        while time.monotonic() < deadline:
            self._answer(waiting)
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            ran.messages.append({key: message[key] for key in ("msg_type", "content", "metadata", "buffers")})
            if message["content"].get("execution_state") == "idle":
                return ran
            _note(ran, message["msg_type"], message["content"])
            if until is not None and until(ran):
                return ran
        raise TimeoutError(f"the cell did not end; so far: {ran}")

    def run(self, source: str, answers: Sequence[str] | None = None) -> Ran:
        """Run a cell to its end."""
        return self.end(self.begin(source, somebody=answers is not None), answers or ())

    def close(self) -> None:
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def _answer(self, waiting: list[str]) -> None:
        try:
            self.client.get_stdin_msg(timeout=0.01)
        except queue.Empty:
            return
        self.client.input(waiting.pop(0))


def _note(ran: Ran, kind: str, content: dict[str, Any]) -> None:
    if kind == "stream":
        ran.printed += content["text"]
    elif kind in ("display_data", "execute_result"):
        ran.displays.append(content["data"])
    elif kind == "update_display_data":
        ran.updates.append(content["data"])
    elif kind == "error":
        ran.error = {key: content[key] for key in ("ename", "evalue", "traceback")}
