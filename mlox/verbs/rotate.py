"""The verb that rotates a secret of a service: a new value, made and taken over while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mlox.errors import MloxError
from mlox.values import Notice, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.stack import Stack


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
    used = [service for service in services if in_use((stack.id or "", service))]
    return Notice(
        (f"{name} rotated; started again: {', '.join(services)}", *(_used_again(stack, each) for each in used)),
        {"name": name, "version": version, "services": services},
        (f"version {version}",),
    )


def _used_again(stack: Stack, service: str) -> str:
    """Give this process, which uses the service, its new values."""
    try:
        stack.service(service).use()
    except MloxError as error:
        return f"{service} is in use here with its old value: {error.problem}"
    return f"{service} is in use here, with its new value"
