"""How a plan becomes effects: looked at again first, then service by service, providers before consumers."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from graphlib import TopologicalSorter

from mlox.apply.recording import recorded
from mlox.apply.running import ENDING, Run
from mlox.apply.seams import Applied, Seams
from mlox.errors import Cancelled, DriftError, ServiceError
from mlox.plan import Plan, fingerprint
from mlox.protocols import Emit
from mlox.units import Unit

WORKERS = 4


def apply(plan: Plan, seams: Seams, *, emit: Emit, cancel: threading.Event) -> Applied:
    """Carry out ``plan``; returns when every service is healthy, or has failed.

    A service whose provider failed is not touched. After ``cancel`` is set nothing new begins; what was started stays.

    Raises:
        DriftError: what there is is not what the plan was made from; nothing was changed.
        LockedError: the stack was taken over by somebody else; nothing was changed after that.
        Cancelled: ``cancel`` was set.
    """
    _check_drift(plan, seams)
    seams = seams.guarded()
    run = Run(plan, seams, emit, cancel)
    ending = [action for action in plan.actions if action.kind in ENDING]
    with recorded(plan, seams, run.applied, emit):
        for action in ending:
            if not action.about.forwards:
                run.attempt(action.service, partial(run.take_down, action))
        _in_order(plan, run)
        for action in ending:  # what goes back to what it was may need it again
            if action.about.forwards and not run.applied.failed:
                run.attempt(action.service, partial(run.take_down, action))
        if cancel.is_set():
            raise Cancelled("interrupted; what was started stays", hint="Run the same command again to go on.")
    return run.applied


def _check_drift(plan: Plan, seams: Seams) -> None:
    servers = {action.server for action in plan.actions}
    if not servers:
        return
    observed = [
        o for backend in {id(b): b for b in seams.backends.values()}.values() for o in backend.observe(plan.stack)
    ]
    if fingerprint(observed) != plan.seen:
        raise DriftError("what runs has changed since the plan was made; nothing was done", hint="Make the plan again.")


def _in_order(plan: Plan, run: Run) -> None:
    """Services of ``plan.units`` in parallel, each after those that it needs."""
    services: dict[str, tuple[Unit, ...]] = {}
    for unit in plan.units:
        services[unit.service] = (*services.get(unit.service, ()), unit)
    needs = {name: {n for unit in units for n in unit.after if n in services} for name, units in services.items()}
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="mlox-apply") as pool:
        waiting: dict[Future[None], str] = {}
        while sorter.is_active():
            for name in sorter.get_ready():
                broken = sorted(needs[name] & set(run.applied.failed))
                if broken:
                    run.applied.failed[name] = ServiceError(
                        f"{name} was not started: {', '.join(broken)}, which it needs, failed",
                        hint=f"Mend {broken[0]}, then `mlox up`.",
                    )
                waiting[pool.submit(run.attempt, name, partial(run.bring_up, services[name]))] = name
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                sorter.done(waiting.pop(future))
