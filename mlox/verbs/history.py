"""The verb history: what was done to the stack, by whom, and what came of it."""

from __future__ import annotations

from typing import Annotated

from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb


@verb("history", group="stack")
def history(
    ctx: Context,
    name: Annotated[str | None, "a service of the stack; none means all"] = None,
    *,
    limit: Annotated[int | None, "how many of the latest; 20, where it is left out"] = None,
) -> Value:
    """Show what was done to the stack, the latest first: when, by whom, what, and what came of it.

    It is kept on the servers, so that colleagues see the same, until the last service is purged.
    """
    stack = ctx.stack()
    stack.workspace.read()
    return stack.history(name, limit=limit)
