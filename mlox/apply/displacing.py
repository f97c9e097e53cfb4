"""How a unit without data comes to another server: it ends where it ran, and is back there where that fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mlox.apply.seams import Seams
from mlox.errors import DriftError, LockedError, MloxError, RolledBackError
from mlox.plan import Action
from mlox.protocols import Emit, Event
from mlox.units import Unit


@contextlib.contextmanager
def displaced(
    actions: Sequence[Action], seams: Seams, start: Callable[[Unit], None], finished: Callable[[], bool], emit: Emit
) -> Iterator[None]:
    """Stop what ran on other servers; what is done inside takes its place, and then it is removed there.

    Args:
        start: starts a unit and waits until it is healthy. ``finished``: whether all that is done inside was done.

    Raises:
        RolledBackError: what ran before runs again where it was.
    """
    pairs = [(action, action.before) for action in actions if action.leaves and action.before is not None]
    for action, _ in pairs:
        seams.backends[action.server].prepare(replace(action.about, ports=()), emit)  # the old one has them yet
    for action, before in pairs:
        emit(Event(action.service, f"stopping on {action.leaves}"))
        seams.backends[action.leaves].stop(before.stack, before.service, before.name, purge=False, emit=emit)
    try:
        yield
    except (LockedError, DriftError):
        raise
    except MloxError as error:
        _bring_back(pairs, seams, start, emit, error)
        raise
    if finished():
        for action, before in pairs:
            seams.backends[action.leaves].stop(before.stack, before.service, before.name, purge=True, emit=emit)


def _bring_back(
    pairs: Sequence[tuple[Action, Unit]], seams: Seams, start: Callable[[Unit], None], emit: Emit, error: MloxError
) -> None:
    for action, before in pairs:
        about = action.about
        emit(Event(action.service, f"going back to {action.leaves}: {error.problem.splitlines()[0]}", kind="warning"))
        seams.backends[action.server].stop(about.stack, about.service, about.name, purge=True, emit=emit)
        if action.seen.endswith(" alive"):
            start(before)
    if pairs:
        name, there = pairs[0][0].service, pairs[0][0].leaves
        raise RolledBackError(
            f"{error.problem}\n{name} is on {there} again, as before", hint=f"Mend that, then `mlox up {name}`."
        ) from error
