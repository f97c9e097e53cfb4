"""How a stack is taken in hand before anything changes: held on each of its servers, and mended where it was left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mlox.locks import Hold
from mlox.stack.server import connect
from mlox.stack.surroundings import Surroundings
from mlox.workspace import Workspace, data_home


def hold_all(hold: Hold, workspace: Workspace, look: Callable[[], Surroundings]) -> Surroundings:
    """Hold the stack, and finish what a killed process left half done; the surroundings, read after that.

    This machine comes first, so that nobody else here edits what is read; then the servers, in the order of names.

    Raises:
        LockedError, Cancelled: somebody else holds it.
        MloxError: something that is written cannot be.
    """
    hold.take(connect("local", {}, data_home()))
    workspace.recover()
    around = replace(look(), hold=hold)
    for backend in around.backends.values():
        hold.take(backend)
        backend.recover(hold.stack)
    around.store.recover()
    return around
