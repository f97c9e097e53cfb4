"""The verb that rotates a secret of a service: a new value, made and taken over while it runs."""

from __future__ import annotations

from typing import Annotated

from mlox.values import Notice, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb


@verb("secrets rotate", group="secrets")
def rotate_secret(ctx: Context, name: Annotated[str, "the secret's name, as in postgres.password"]) -> Value:
    """Give a service's secret a new value and start again what knows it; the old one is back on failure."""
    from mlox.stack import in_use
    from mlox.stack.rotating import knowing, rotatable

    stack = ctx.stack()
    stack.workspace.read()
    if ctx.dry_run:
        rotatable(stack.surroundings(), name)
        knows = knowing(stack.surroundings(), name)
        line = f"{name} would be rotated; would start again: {', '.join(knows)}"
        return Notice((line,), {"name": name, "version": None, "services": list(knows)})
    done = stack.rotate(name, emit=ctx.emit)
    version = stack.surroundings().store.get(name).version
    services = list(dict.fromkeys(action.service for action in done.plan.actions))
    for service in services:
        if in_use((stack.id or "", service)):
            stack.service(service).use()
    return Notice(
        (f"{name} rotated; started again: {', '.join(services)}",),
        {"name": name, "version": version, "services": services},
        (f"version {version}",),
    )
