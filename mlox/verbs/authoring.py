"""Verbs for authors of catalog services: a new file to begin with, and the test of one."""

from __future__ import annotations

from typing import Annotated

from mlox.errors import UsageError, WorkspaceError
from mlox.values import Notice, Value
from mlox.verbs.components import is_component
from mlox.verbs.context import Context
from mlox.verbs.table import verb


@verb("catalog new", group="more")
def catalog_new(
    ctx: Context,
    name: Annotated[str, "what it is to be called"],
    *,
    from_: Annotated[str | None, "a service of the catalog to begin with, in place of a page that says hello"] = None,
) -> Value:
    """Write services/NAME.yaml: a service of your own that runs as it is, with a comment for each part."""
    from mlox.catalog.skeleton import copied, skeleton

    around = ctx.stack().surroundings()
    text = skeleton(name) if from_ is None else copied(around.catalog, from_, name)
    around.workspace.check_place()
    path = around.workspace.root / "services" / f"{name}.yaml"
    shown = f"services/{name}.yaml"
    if path.exists():
        raise UsageError(f"{shown} is there already; it was left as it is", hint="Choose another name.")
    if name in around.catalog.names() or is_component(ctx, name):
        raise UsageError(f"mlox has a {name!r} of its own", hint=f"Choose another name, for example: my-{name}.")
    json = {"name": name, "path": str(path), "written": not ctx.dry_run, "text": text}
    if ctx.dry_run:
        return Notice((f"would write {shown}; nothing was written",), json, details=tuple(text.splitlines()))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise WorkspaceError(f"cannot write {path}: {error.strerror}", hint="Make its folder writable.") from error
    test = f"test it: {{mlox}} catalog test {shown}"
    return Notice((f"wrote: {shown}", f"start it: {{mlox}} up {name}", test), json, details=(str(path),))
