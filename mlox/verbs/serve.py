"""The verb that serves a model of the stack's MLflow over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from mlox.values import Deployed, Planned, Value
from mlox.verbs.context import Context
from mlox.verbs.stack import awaited, next_steps
from mlox.verbs.table import verb


@dataclass(frozen=True, slots=True, repr=False)
class Served(Deployed):
    """What ``serve`` did: what ``up`` tells, the model and the service that has it."""

    model: str = ""
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        """What ``up`` has, and the model and the name of the service."""
        return {**Deployed.to_json(self), "model": self.model, "name": self.name}


@verb("serve", group="stack")
def serve(
    ctx: Context,
    model: Annotated[str, "models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-ID or runs:/ID/NAME"],
    *,
    from_: Annotated[str | None, "the MLflow that has it, where the stack has several"] = None,
    as_: Annotated[str | None, "the name of the service; by default the model's"] = None,
    on: Annotated[str | None, "the server that a new service is for"] = None,
    set_: Annotated[tuple[str, ...], "an option of mlflow-model, NAME=VALUE; can be repeated"] = (),
) -> Value:
    """Serve a model of the stack's MLflow over HTTP: POST /invocations.

    It is a service like others, mlflow-model of the catalog: it has a copy of the model and an environment with what
    the model needs, and goes on without MLflow. Another version, or an alias that has moved, takes its place; where
    that does not become healthy, the one before it serves again.
    """
    from mlox.stack.serving import serving

    stack = ctx.stack()
    wanted = serving(stack, model, registry=from_, name=as_, server=on, assignments=set_)
    if ctx.dry_run:
        plan = stack.plan(asked=(wanted.asked,))
        return Planned(plan, notes=(*wanted.notes, "nothing was changed"), by="")
    done = awaited(ctx, stack.deploy(asked=(wanted.asked,), emit=ctx.emit))
    notes = (*done.notes, *wanted.notes, f"{wanted.name} serves {wanted.model}: POST /invocations")
    shown = replace(done, notes=(*notes, *next_steps(stack, done)))
    return Served(shown.plan, shown.services, shown.notes, wanted.model, wanted.name)
