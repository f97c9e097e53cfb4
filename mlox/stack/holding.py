"""How a stack is taken in hand before anything changes: held on each of its servers, and mended where it was left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from mlox.locks import Hold
from mlox.stack.passages import settle
from mlox.stack.server import connect
from mlox.stack.surroundings import Surroundings
from mlox.workspace import Workspace, data_home


def hold_here(hold: Hold, workspace: Workspace) -> None:
    """Hold the stack on this machine, so that nobody else here edits the workspace, and mend what is half written.

    Raises:
        LockedError, Cancelled: somebody else holds it.
    """
    hold.take(connect("local", {}, data_home()))
    workspace.recover()


@contextlib.contextmanager
def held(hold: Hold, workspace: Workspace, look: Callable[[], Surroundings]) -> Iterator[Surroundings]:
    """Hold the stack, and finish what a killed process left half done; the surroundings, read after that.

    This machine comes first, so that nobody else here edits what is read; then the servers, in the order of names.

    Raises:
        LockedError, Cancelled: somebody else holds it.
        MloxError: something that is written cannot be.
    """
    with hold:
        hold_here(hold, workspace)
        yield mended(replace(look(), hold=hold), hold)


def mended(around: Surroundings, hold: Hold) -> Surroundings:
    """The same, held on all of its servers, after what a killed process left half done was finished; read anew.

    Raises:
        LockedError, Cancelled: somebody else holds one of them.
    """
    for backend in around.backends.values():
        hold.take(backend)
        backend.recover(hold.stack)
    around.secrets.recover()
    return replace(around, stopped=settle(around, hold.emit))


def take_everywhere(around: Surroundings) -> Surroundings:
    """The same with every server that something of it may be on; those are held as well.

    Raises:
        LockedError, Cancelled: somebody else holds one of them.
    """
    found = around.everywhere()
    for server in found.also:
        if found.hold is not None:
            found.hold.take(found.backends[server])
    return found


def is_deployed_by(pid: int, around: Surroundings) -> bool:
    """Whether that process works on the stack by now, with all that it is to start written down."""
    holder = around.holder
    if holder is None or holder.pid != pid:
        return False
    return holder.starts == "*" or set(holder.starts.split()) <= set(around.spec.services)
