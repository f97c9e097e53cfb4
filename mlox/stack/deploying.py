"""How `up` goes about a stack: with a glance, where all stands as it should, else step by step, held everywhere."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from mlox.locks import Hold
from mlox.protocols import Backend
from mlox.stack.clients import renew_files
from mlox.stack.holding import hold_here, mended, take_everywhere
from mlox.stack.joining import Asked
from mlox.stack.operations import new_values, plan_up, standing, starting
from mlox.stack.rows import PROBES_AT_ONCE
from mlox.stack.surroundings import Surroundings
from mlox.stack.watched import ALIVE, find_watcher
from mlox.units import Unit
from mlox.values import Deployed
from mlox.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of an ``up``: services by name, services that are yet to be added, and the plan agreed to."""

    names: Sequence[str] = ()
    asked: Sequence[Asked] = ()
    prune: bool = False
    digest: str | None = None


def deploy(
    wish: Wish,
    hold: Hold,
    workspace: Workspace,
    look: Callable[[], Surroundings],
    acting: list[Backend],
    cancel: threading.Event,
) -> Deployed:
    """Bring a stack to what is wished.

    This machine is held first. The other servers only where there is something to do on them: a stack that stands as
    it should is looked at, and nothing else.

    Args:
        acting: gets the back ends whose commands are to be ended where somebody interrupts.

    Raises:
        LockedError, Cancelled: somebody else holds the stack.
        MloxError: a service could not be started.
    """
    with hold:
        hold_here(hold, workspace)
        around = replace(look(), hold=hold)
        acting.extend(around.backends.values())
        seen = at_a_glance(around, hold, wish)
        if seen is not None:
            _wake(around, hold)
            return seen

        from mlox.stack.converging import converge

        around = mended(replace(around), hold)
        spec, chosen = starting(around, wish.names, wish.asked)
        fresh = take_everywhere(replace(around, spec=spec))
        acting.extend(fresh.backends.values())
        done = converge(around, fresh, chosen, prune=wish.prune, digest=wish.digest, emit=hold.emit, cancel=cancel)
        _wake(fresh, hold)
        return done


def _wake(around: Surroundings, hold: Hold) -> None:
    """Start the watcher of alerts, where somebody has started one and it does not run."""
    there = find_watcher(around)
    if there is not None and there.state not in ALIVE:
        from mlox.stack.watcher import wake

        wake(there, around, hold.emit)


def at_a_glance(around: Surroundings, hold: Hold, wish: Wish) -> Deployed | None:
    """What there is, where nothing is to be done, mended, waited for or written; else None. This machine is held."""
    if not all(backend.at_rest(hold.stack, hold.holder) for backend in around.backends.values()):
        return None
    spec, chosen = starting(around, wish.names, wish.asked)
    wanted = set(chosen or spec.services)
    alive = [o.unit for o in around.everything if o.state in ("running", "starting") and o.service in wanted]
    if new_values(around.spec, spec) or {unit.service for unit in alive} != wanted:
        return None
    with _asking(around, alive) as is_healthy:
        around.secrets.recover()
        seen = around.with_spec(spec).everywhere()
        plan = plan_up(seen, spec, chosen, wish.prune)
        if plan or seen.also != around.also or wish.digest not in (None, plan.digest):
            return None
        if not all(is_healthy(unit) for unit in plan.units):
            return None
    renew_files(seen)
    return standing(plan, seen, (), healthy=spec.services)


@contextlib.contextmanager
def _asking(around: Surroundings, units: Sequence[Unit]) -> Iterator[Callable[[Unit], bool]]:
    """Ask the probes of ``units`` while a plan is made; what is inside is told whether one is healthy.

    Whoever is not told needs not wait: a probe only looks.
    """

    def ask(unit: Unit) -> bool:
        return around.backends[unit.server].probe(unit).healthy

    pool = ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="mlox-probe")
    asked = {(unit.server, unit.key): pool.submit(ask, unit) for unit in units}

    def is_healthy(unit: Unit) -> bool:
        answer = asked.get((unit.server, unit.key))
        return answer.result() if answer is not None else ask(unit)

    try:
        yield is_healthy
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
