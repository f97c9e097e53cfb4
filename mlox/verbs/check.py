"""The verb check: all that a CI should ask of a repository; and of a YAML stack in a cell, before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mlox.errors import MloxError, UsageError
from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.verbs.body import Body


@verb("check", group="both")
def check(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services of the stack and components; none means all"] = (),
    *,
    exit_code: Annotated[bool, "exit with 4 where there is something to mend"] = False,
) -> Value:
    """Look for what is wrong with what is written, as a CI should; starts, asks and changes nothing.

    mlox.yaml and services/*.yaml, wiring, pinned versions, secrets that are needed, components, the vault, and what
    git is told.
    """
    from mlox.stack.checking import check as check_workspace
    from mlox.workspace import Workspace

    differs_is = 4 if exit_code else 0
    if ctx.body is not None:
        if names:
            raise UsageError(
                f"the services stand in the cell, and on its first line too: {names[0]}", hint="Leave one of them out."
            )
        return _of_body(ctx, ctx.body, differs_is)
    return check_workspace(Workspace.find(ctx.folder), names, profile=ctx.profile, differs_is=differs_is)


def _of_body(ctx: Context, body: Body, differs_is: int) -> Value:
    """The same for a cell: it would fit what is written, and nothing of it is."""
    from mlox.stack.checking import check_asked
    from mlox.stack.findings import Finding, as_table, each_found

    findings: list[Finding] = []
    names = "the cell"
    try:
        stack, asked = body.read(ctx.stack)
        names = ", ".join(one.name or one.service for one in asked)
        findings += check_asked(stack.surroundings(), asked, file=body.source, text=body.whole)
    except MloxError as error:
        findings += each_found("stack", "", error, file=body.source)
    return as_table(findings, looked_at=names, differs_is=differs_is)
