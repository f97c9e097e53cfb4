"""How a service moves to another server, with a way back until it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlox.apply import Applied, Seams
from mlox.apply.moving import carry
from mlox.apply.recording import recorded
from mlox.archives import Content
from mlox.errors import Cancelled, LockedError, MloxError, RolledBackError, ServiceError, UsageError
from mlox.moves import Move
from mlox.plan import Action, Plan, Reason
from mlox.protocols import Emit, Event
from mlox.specs import ServiceSpec
from mlox.stack.movable import placed, plan_move
from mlox.stack.moved import Moved
from mlox.stack.operations import plan_up, started
from mlox.stack.passages import settle
from mlox.stack.surroundings import Surroundings
from mlox.workspace import Workspace

DEFAULT = "local"


def move_service(around: Surroundings, name: str, target: str, version: str | None, *, emit: Emit) -> Moved:
    """Move a service; the stack is held, and ``around`` is :func:`mlox.stack.movable.looked`.

    Raises:
        RolledBackError: it failed; the service runs where it was, with its data.
        MloxError: it could not begin.
    """
    if around.hold is not None:
        for backend in around.backends.values():
            around.hold.take(backend)
    made = plan_move(around, name, target, version)
    workspace, source = around.workspace, around.spec.services[name].server
    if workspace.read().services[name].server != source:
        _write(workspace, name, around.spec.services[name])
    _start(around, name, emit)
    if made is None:
        return Moved(name, target, started(around, (name, *around.stopped), emit))
    made = plan_move(replace(around), name, target, version) or made
    after = replace(around, spec=placed(around.spec, name, target, made.after[0].version))
    applied = Applied()
    with recorded(_as_plan(made), _remembering(after, target), applied, emit):
        try:
            content = _carried(made, after, around, emit)
        except MloxError as error:
            applied.failed[name] = error
            raise
    settle(replace(after), emit, noted=True)
    done = started(after, (name, *made.starts, *made.stops), emit)
    after.backend(target).forget_passage(made.stack, name)
    return Moved(name, target, done, made, content)


def _as_plan(move: Move) -> Plan:
    """What the history tells of it."""
    moves = (Reason("server", move.source, move.target),)
    to = move.target
    actions = (Action("replace", u.service, u.name, to, u, moves, leaves=move.source) for u in move.after)
    return Plan(move.stack, tuple(actions))


def _remembering(around: Surroundings, target: str) -> Seams:
    """What keeps the history: this machine, which both servers are; on the other side nothing may be left of it."""
    return replace(around.seams(), backends={target: around.backends["local"]})


def _carried(move: Move, after: Surroundings, around: Surroundings, emit: Emit) -> Content:
    """What was carried; whatever goes wrong until the point of no return ends where it began."""

    def commit() -> None:
        _write(after.workspace, move.service, after.spec.services[move.service])

    try:
        return carry(move, after.seams(), emit=emit, commit=commit)
    except LockedError:
        raise
    except (MloxError, KeyboardInterrupt) as error:
        began = any(p.service == move.service for p in around.backend(move.source).passages(move.stack))
        problem = error.problem if isinstance(error, MloxError) else "interrupted"
        if began:
            _go_back(move, around, problem, emit)
        if isinstance(error, KeyboardInterrupt):
            there = around.workspace.read().services[move.service].server
            raise Cancelled(f"interrupted; {move.service} is on {there}", hint="Look: mlox status.") from None
        if not began:
            raise
        raise RolledBackError(
            f"{problem}\n{move.service} runs on {move.source} again, with its data",
            hint=error.hint or f"Mend that, then move it again; until then it is on {move.source}.",
        ) from error


def _go_back(move: Move, around: Surroundings, problem: str, emit: Emit) -> None:
    """Take everything back, and start what ran.

    Raises:
        ServiceError: that failed too.
    """
    emit(Event(move.service, f"going back to {move.source}: {problem.splitlines()[0]}", kind="warning"))
    settle(replace(around), emit)
    written = around.workspace.read().services[move.service]
    back = replace(around, spec=placed(around.spec, move.service, written.server, written.version))
    try:
        started(back, (move.service, *move.starts, *move.stops), emit)
    except LockedError:
        raise
    except MloxError as second:
        raise ServiceError(
            f"{problem}\n{move.service} could not be started on {move.source} again either: {second.problem}",
            hint=f"Mend that, then `mlox up {move.service}`; its data is there.",
        ) from second


def _start(around: Surroundings, name: str, emit: Emit) -> None:
    """Start a service where it is, with what it needs, so that it can tell what it holds.

    Raises:
        UsageError: it is not as ``mlox.yaml`` says.
    """
    plan = plan_up(around, around.spec, (name,), prune=False)
    if any(action.kind != "start" for action in plan.actions):
        raise UsageError(f"{name} does not run as mlox.yaml says", hint=f"Run `mlox up {name}` first, then move it.")
    if plan.actions:
        started(around, (name,), emit)


def _write(workspace: Workspace, name: str, service: ServiceSpec) -> None:
    values: Mapping[str, object] = {
        "version": service.version,
        "server": None if service.server == DEFAULT else service.server,
    }
    workspace.put_service(name, values)
