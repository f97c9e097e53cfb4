"""Verbs that change machines: up, down, restart, plan."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from mlox.errors import Cancelled, UsageError
from mlox.values import Deployed, Planned, Value
from mlox.verbs.asking import asked_for
from mlox.verbs.components import refuse_components
from mlox.verbs.consequences import left_behind, stays, what_goes
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.stack import Asked, Deployment, Stack
    from mlox.verbs.body import Body

Names = Annotated[tuple[str, ...], "services; none means all"]


@verb("plan", group="stack")
def plan(
    ctx: Context,
    names: Names = (),
    *,
    prune: Annotated[bool, "also stop what runs but is not in mlox.yaml"] = False,
    exit_code: Annotated[bool, "exit with 4 where there is something to do"] = False,
) -> Value:
    """Show what up would do; touches nothing."""
    if ctx.body is not None:
        stack, asked = _of_body(ctx, ctx.body, *names)
        made = stack.plan(asked=asked, prune=prune)
    else:
        stack = ctx.stack()
        stack.workspace.read()
        made = stack.plan(*names, prune=prune)
    by = "" if ctx.body is not None else _again(names, prune=prune)
    return Planned(made, differs_is=4 if exit_code else 0, notes=left_behind(stack, made), by=by)


@verb("up", group="stack")
def up(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services, NAME or NAME@VERSION; new ones are added first; none means all"] = (),
    *,
    as_: Annotated[str | None, "the name that a new service gets in the stack"] = None,
    on: Annotated[str | None, "the server that a new service is for"] = None,
    set_: Annotated[tuple[str, ...], "an option, NAME=VALUE; can be repeated"] = (),
    needs: Annotated[tuple[str, ...], "what meets a need, NEED=SERVICE or NEED=embedded; can be repeated"] = (),
    prune: Annotated[bool, "also stop what runs but is not in mlox.yaml"] = False,
    plan: Annotated[str | None, "the digest of the plan that you agreed to; another one is refused"] = None,
    detach: Annotated[bool, "do not wait until the services are healthy"] = False,
) -> Value:
    """Start services, and what they need, and wait until they are healthy."""
    if ctx.body is not None:
        stack, asked = _of_body(ctx, ctx.body, *names, *filter(None, (as_, on)), *set_, *needs)
    else:
        refuse_components(ctx, names, "up")
        stack = ctx.stack()
        if not names:
            stack.workspace.read()
        if (as_ or set_ or needs) and len(names) != 1:
            raise UsageError("--as, --set and --needs are for one service", hint="Name one service.")
        asked = tuple(asked_for(stack, word, as_=as_, on=on, set_=set_, needs=needs) for word in names)
    if ctx.dry_run:
        made = stack.plan(asked=asked, prune=prune)
        by = "" if ctx.body is not None else _again(names, prune=prune, as_=as_, on=on, set_=set_, needs=needs)
        return Planned(made, notes=(*left_behind(stack, made), "nothing was changed"), by=by)
    deployment = stack.deploy(asked=asked, prune=prune, digest=plan, emit=ctx.emit)
    if detach:
        return Detached(deployment)
    done = awaited(ctx, deployment)
    return replace(
        done, notes=(*done.notes, *left_behind(stack, done.plan), *stays(stack, done), *next_steps(stack, done))
    )


@verb("down", group="stack")
def down(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services; none means all that are on this machine"] = (),
    *,
    all_: Annotated[bool, "also those on other servers"] = False,
    purge: Annotated[bool, "remove their data too, after a question"] = False,
) -> Value:
    """Stop services; their data stays unless it is purged."""
    refuse_components(ctx, names, "down")
    stack = ctx.stack()
    spec = stack.workspace.read()
    plan = stack.plan_down(*names, purge=purge, all_servers=all_)
    if ctx.dry_run:
        return Planned(plan, notes=("nothing was changed",), by="")
    if purge and plan:
        ctx.confirm(what_goes(stack, plan), answer=spec.name)
    done = stack.down(*names, purge=purge, all_servers=all_, emit=ctx.emit)
    if not done.plan:
        return done
    if purge:
        return replace(done, notes=("data removed",))
    one = names[0] if len(names) == 1 else next((row.name for row in done.services), "")
    again = f"{{mlox}} up {names[0]}" if len(names) == 1 else "{mlox} up"
    return replace(done, notes=(f"data kept; again: {again}    delete its data: {{mlox}} down {one} --purge",))


@verb("restart", group="stack")
def restart(ctx: Context, names: Annotated[tuple[str, ...], "services; none means all that run"] = ()) -> Value:
    """Stop services and start them as they are."""
    stack = ctx.stack()
    stack.workspace.read()
    if ctx.dry_run:
        return Planned(stack.plan_down(*names), notes=("and start again; nothing was changed",), by="")
    return awaited(ctx, stack.redeploy(*names, emit=ctx.emit))


class Detached(Value):
    """A deployment that goes on; ``wait()`` waits for it."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    def wait(self) -> Deployed:
        """What it came to; raises what went wrong."""
        return self.deployment.wait()

    def text(self, *, detail: bool = False) -> str:
        """That it goes on."""
        return "deploying in the background; see: {mlox} status"

    def to_json(self) -> dict[str, Any]:
        """That it goes on."""
        return {"detached": True, "done": self.deployment.done}


def _again(names: tuple[str, ...], *, prune: bool, **options: str | tuple[str, ...] | None) -> str:
    """The words of ``up`` that mean the same; what a shell would read otherwise is quoted."""
    given = [(f"--{key.rstrip('_')}", (one,) if isinstance(one, str) else one or ()) for key, one in options.items()]
    words = [word for option, values in given for value in values for word in (option, value)]
    return shlex.join(["up", *names, *words, *(["--prune"] if prune else [])])


def _of_body(ctx: Context, body: Body, *also: str) -> tuple[Stack, tuple[Asked, ...]]:
    """The stack of the cell's body, and what it asks for; ``also`` are words that would say the same again."""
    if also:
        raise UsageError(
            f"the services stand in the cell, and on its first line too: {also[0]}", hint="Leave one of them out."
        )
    return body.read(ctx.stack)


def awaited(ctx: Context, deployment: Deployment) -> Deployed:
    """What it came to. In a shell an interrupt ends the deployment too, since its process ends."""
    try:
        return deployment.wait()
    except Cancelled:
        if ctx.front != "shell":
            raise
        deployment.cancel()
        raise Cancelled("interrupted; what was started stays", hint="Run the same command again to go on.") from None


def next_steps(stack: Stack, done: Deployed) -> tuple[str, ...]:
    """What somebody does next with a service that just came up."""
    fresh = [a.service for a in done.plan.actions if a.kind == "create" and not a.about.forwards]
    if not fresh:
        return ()
    around = stack.surroundings()
    clients = {name: around.service(name).client for name in fresh}
    name = next((name for name in fresh if clients[name].object is not None), None)
    return (f"next: {{use:{clients[name].variable}:{name}}}",) if name else ()
