"""The verb that merges three versions of a file, in git's place: Python by definition, the rest by line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlox.errors import UsageError, WorkspaceError
from mlox.values import Notice, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.components.merge import MergeResult
    from mlox.components.merge.outcome import Level

LEVELS: tuple[Level, ...] = ("strict", "full")


@verb("merge", group="more")
def merge(
    ctx: Context,
    base: Annotated[str, "what both sides began with; git's %O"],
    left: Annotated[str, "what one side made of it; git's %A"],
    right: Annotated[str, "what the other side made of it; git's %B"],
    *,
    o: Annotated[str | None, "where the result goes; without it, to standard output"] = None,
    path: Annotated[str | None, "what the file is called, if not like LEFT; git's %P"] = None,
    level: Annotated[str, "full, or strict: only by the rules that are right most often"] = "full",
) -> Value:
    """Merge three versions of a file; exit code 0 where nothing is left, 1 where conflicts are.

    Where git's own merge of the lines is clean, its bytes are the result. Where it is not, a Python file is merged by
    its definitions, imports, statements and elements; what both sides changed stands between git's markers. What
    components add to one module on both branches stands in their order.
    As git's driver: mlox merge %O %A %B -o %A --path %P; docs/merge.md tells how it is installed.
    """
    from mlox.components.merge import merge as merged
    from mlox.components.merge.lines import merge_lines
    from mlox.stack.merging import merge_on_branches

    chosen = next((one for one in LEVELS if one == level), None)
    if chosen is None:
        raise UsageError(f"there is no level {level!r}", hint=f"Say one of: {', '.join(LEVELS)}.")
    sides = [_read(ctx, name) for name in (base, left, right)]
    result = merge_lines(sides[0], sides[1], sides[2])
    if o is not None and not ctx.dry_run:
        _write(ctx, o, result)  # whatever happens from here on, git's text is there
    if not result.clean:
        known = merge_on_branches(path, sides[0], sides[1], sides[2], chosen)
        result = known or merged(sides[0], sides[1], sides[2], path=path or left, level=chosen)
        if o is not None and not ctx.dry_run:
            _write(ctx, o, result)
    return _told(result, path or left, o)


def _told(result: MergeResult, name: str, to: str | None) -> Notice:
    json = {
        "path": name,
        "clean": result.clean,
        "conflicts": [{"key": one.key, "reason": one.reason, "line": one.line} for one in result.conflicts],
        "applied": [{"rule": one.rule, "key": one.key} for one in result.applied],
    }
    code = 0 if result.clean else 1
    if to is None:
        return Notice((result.text.removesuffix("\n"),), json | {"text": result.text}, code=code, verbatim=True)
    lines = [f"{name}:{one.line}: {one.key}: {one.reason}" for one in result.conflicts]
    rules = sorted({one.rule for one in result.applied})
    if rules:
        lines.append(f"{name}: solved what lines could not: {', '.join(rules)}")
    return Notice(tuple(lines), json, code=code)


def _read(ctx: Context, name: str) -> bytes:
    try:
        return _path(ctx, name).read_bytes()
    except OSError as error:
        raise WorkspaceError(f"{name} cannot be read: {error.strerror}", hint="Name three files.") from error


def _write(ctx: Context, name: str, result: MergeResult) -> None:
    """Put the text where it belongs, whole or not at all."""
    path = _path(ctx, name)
    try:
        mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(result.text.encode("utf-8", "surrogateescape"))
        temporary = Path(file.name)
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise WorkspaceError(f"{name} cannot be written: {error.strerror}", hint="Name another file.") from error


def _path(ctx: Context, name: str) -> Path:
    return (ctx.folder or Path()) / Path(name).expanduser()
