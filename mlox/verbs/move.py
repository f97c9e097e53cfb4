"""The verb that moves a running service, with its data, to another server of this machine."""

from __future__ import annotations

from typing import Annotated

from mlox.errors import UsageError
from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb


@verb("move", group="stack")
def move(
    ctx: Context,
    name: Annotated[str, "the service, NAME or NAME@VERSION: the version that it has there"],
    *,
    to: Annotated[str | None, "the server that it goes to"] = None,
) -> Value:
    """Move a service with its data to another server, and wire its consumers anew.

    It stops meanwhile, and so do the services that need it. Until the copy runs there and holds the same, every
    failure ends where it began; only then mlox.yaml says so, and what it was before is removed.
    """
    from mlox.stack.moved import Moving

    service, _, version = name.partition("@")
    if name.endswith("@") or not service:
        raise UsageError(f"{name!r} is not NAME or NAME@VERSION", hint="For example: mlox move redis --to docker.")
    if to is None:
        raise UsageError("move needs to know where to", hint=f"For example: mlox move {service} --to docker.")
    stack = ctx.stack()
    stack.workspace.read()
    planned = stack.plan_move(service, to, version=version or None)
    if ctx.dry_run and planned is not None:
        return Moving(planned)
    if planned is not None:
        stops = " and ".join(filter(None, (service, ", ".join(planned.stops))))
        size = f"{planned.size_bytes / 1e6:.1f} MB of data are" if planned.folders else "it is"
        ctx.confirm(f"This stops {stops} while {size} moved to {to}.")
    return stack.move(service, to, version=version or None, emit=ctx.emit)
