"""How looks that follow each other show themselves: one display below the cell, which is updated."""

from __future__ import annotations

import contextlib
import sys
import uuid
from typing import TYPE_CHECKING, Any

from mlox.errors import UsageError
from mlox.screen import follow as follow_lines
from mlox.screen import show
from mlox.values.live import Live
from mlox_jupyter.kernel import in_terminal, somebody_there

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlox.values.logs import Stream
    from mlox_jupyter.displays import Displays


def show_live(displays: Displays, live: Live, *, as_json: bool) -> None:
    """Show each look until somebody interrupts the cell, which is the way to end it.

    Raises:
        UsageError: nobody is here to do it, or JSON is wanted, of which a cell hands back one object.
    """
    shell = displays.shell
    if as_json:
        raise UsageError(
            "--watch goes on, and --json hands back one object", hint="Leave one of them out, or use a shell."
        )
    if not somebody_there(shell):
        raise UsageError(
            "--watch goes on until the cell is interrupted, and nobody is here to do it", hint="Leave --watch out."
        )
    if in_terminal(shell):
        show(live, sys.stdout, as_json=False)
        return
    begun, transient = False, {"display_id": f"mlox-{uuid.uuid4().hex}"}
    last: dict[str, Any] = {}
    try:
        for look in live.looks:
            bundle = displays.bundle(look)
            if bundle != last:
                shell.display_pub.publish(data=bundle, metadata={}, transient=transient, update=begun)
            begun, last = True, bundle
    except KeyboardInterrupt:
        return


def follow(shell: InteractiveShell, stream: Stream, *, as_json: bool) -> None:
    """Print lines until somebody interrupts the cell, which is the way to end it.

    Raises:
        UsageError: nobody is here to do it.
    """
    if not somebody_there(shell):
        raise UsageError(
            f"{stream.asked} goes on until the cell is interrupted, and nobody is here to do it", hint=stream.instead
        )
    with contextlib.suppress(KeyboardInterrupt):
        follow_lines(stream, sys.stdout, as_json=as_json)
