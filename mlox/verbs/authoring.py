"""Verbs for authors of catalog services: a new file to begin with, and the test of one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlox.errors import UnknownNameError, UsageError, WorkspaceError
from mlox.values import Notice, Table, Value
from mlox.verbs.components import is_component
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.stack.surroundings import Surroundings


@verb("catalog new", group="more")
def catalog_new(
    ctx: Context,
    name: Annotated[str, "what it is to be called"],
    *,
    from_: Annotated[
        str | None, "a service of the catalog, or the path of a Dockerfile, in place of a page that says hello"
    ] = None,
    need: Annotated[tuple[str, ...], "with a Dockerfile: a capability of the stack that it uses; can be repeated"] = (),
) -> Value:
    """Write services/NAME.yaml: a service of your own that runs as it is, with a comment for each part.

    With --from and the path of a Dockerfile it is your own app: its image is built from there, and built anew where
    something in that folder changes. A Compose file comes by `import`.
    """
    around = ctx.stack().surroundings()
    text, on = _begin(ctx, around, name, from_, need)
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
    return Notice((f"wrote: {shown}", f"start it: {{mlox}} up {name}{on}", test), json, details=(str(path),))


@verb("catalog test", group="more")
def catalog_test(
    ctx: Context,
    file: Annotated[str, "a YAML file, as in services/"],
    *,
    backend: Annotated[str, "native or docker"] = "native",
    set_: Annotated[tuple[str, ...], "an option of it, NAME=VALUE; can be repeated"] = (),
    write: Annotated[str | None, "a shell's command by which a client writes, with what `mlox run` gives it"] = None,
    read: Annotated[str | None, "one that prints what the client finds: the same for the same data"] = None,
) -> Value:
    """Try a service out in a scratch stack: whatever every service must do, point by point; takes minutes.

    It is started, killed, stopped, started again, saved, purged and brought back, mlox itself is killed on the way, and
    it is looked what is left and who sees its passwords. Your stack and its data are not touched.
    """
    from mlox.worksheet import Way, try_out

    path = _existing(ctx, file)
    if backend not in ("native", "docker"):
        raise UnknownNameError.among("back end", backend, ("native", "docker"))
    if ctx.dry_run:
        return Notice((f"would try {file} out on {backend}, in a scratch stack; nothing was done",), {"points": []})
    way = Way(backend, set_, write, read, str(ctx.here()))
    results = try_out(path, way, emit=ctx.emit)
    failed = [each for each in results if each.state == "failed"]
    good = sum(each.state == "ok" for each in results)
    return Table(
        ("state", "point", "why"),
        tuple((each.state, each.point, each.why) for each in results),
        {"file": str(path), "backend": backend, "points": [asdict(each) for each in results]},
        detailed=frozenset({"why"}),
        notes=(f"{good} of {len(results)} points", *(f"{each.point}: {each.why}" for each in failed)),
        code=(3 if good else 1) if failed else 0,
    )


def _begin(
    ctx: Context, around: Surroundings, name: str, source: str | None, needs: tuple[str, ...]
) -> tuple[str, str]:
    """The text of the new file, and the words that say where it can only run.

    Raises:
        UsageError: the path is no Dockerfile of this workspace.
    """
    from mlox.catalog.own_app import own_app
    from mlox.catalog.skeleton import copied, skeleton

    path = None if source is None else (ctx.here() / source).resolve()
    if path is not None and source not in around.catalog.names() and path.is_dir():
        path /= "Dockerfile"
    if source is not None and path is not None and ("/" in source or path.is_file()):
        root = around.workspace.root.resolve()
        if path.suffix in (".yaml", ".yml"):
            raise UsageError(f"{source} is no Dockerfile", hint=f"A Compose file comes by: mlox import {source}.")
        if not path.is_file() or not path.is_relative_to(root):
            what = "is outside of the workspace" if path.is_file() else "is no file"
            raise UsageError(f"{source} {what}", hint="Name a Dockerfile of this workspace: --from web/Dockerfile.")
        text = path.read_text("utf-8", errors="replace")
        return own_app(name, path.relative_to(root).as_posix(), text, needs), " --on docker"
    if needs:
        raise UsageError("--need is for a Dockerfile", hint="Name one: --from Dockerfile.")
    return (skeleton(name) if source is None else copied(around.catalog, source, name)), ""


def _existing(ctx: Context, file: str) -> Path:
    """The file, from the folder where the words were typed."""
    path = (ctx.here() / file).absolute()
    if not path.is_file():
        raise UsageError(
            f"there is no file {file}", hint="Name one, for example: mlox catalog test services/mine.yaml."
        )
    if path.suffix != ".yaml":
        raise UsageError(f"{file} is not called NAME.yaml", hint="Rename it: the catalog reads *.yaml.")
    return path
