"""The verbs drift and adopt: how what runs differs from what is written, and taking what runs as what is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from mlox.values import Notice, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb


@verb("drift", group="stack")
def drift(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services; none means all"] = (),
    *,
    exit_code: Annotated[bool, "exit with 4 where something differs"] = False,
) -> Value:
    """Show how what runs differs from mlox.yaml, and what somebody changed by hand; touches nothing.

    Options, versions and wiring; what was stopped or removed; files, commands and variables that are not as mlox made
    them; what runs and nobody wrote down. Secrets are compared and never shown.
    """
    stack = ctx.stack()
    stack.workspace.read()
    found = stack.drift(*names)
    if not found.differences:
        return found
    once = dict.fromkeys(each.kind for each in found.differences)
    ways = {
        "setting": "as written: {mlox} up    as it runs: {mlox} adopt",
        "unlisted": "into mlox.yaml: {mlox} adopt    stop it: {mlox} up --prune",
        "file": "as mlox made it: {mlox} restart NAME",
    }
    notes = (*found.notes, *(text for kind, text in ways.items() if kind in once))
    return replace(found, notes=notes, code=4 if exit_code else 0)


@verb("adopt", group="stack")
def adopt(
    ctx: Context, names: Annotated[tuple[str, ...], "services, also stopped ones; none means all that run"] = ()
) -> Value:
    """Write into mlox.yaml what runs: what a colleague started, options that were changed; touches no machine."""
    stack = ctx.stack()
    stack.workspace.read()
    found = stack.adopt(*names, dry_run=ctx.dry_run, emit=ctx.emit)
    left = tuple(f"still differs: {line}" for line in found.left)
    json = {"services": dict(found.changes), "diff": list(found.diff), "left": list(found.left)}
    if not found:
        return Notice(("mlox.yaml says already what runs",), {**json, "written": False})
    end = "nothing was written" if ctx.dry_run else f"wrote: mlox.yaml ({', '.join(found.changes)})"
    return Notice((*found.diff, end, *left), {**json, "written": not ctx.dry_run})
