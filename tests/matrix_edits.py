"""What a user does to the code of a component: each kind of edit with the text that an update has to make of it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from tests.matrix_texts import (
    Target,
    constants,
    first_line,
    has_value,
    indent_of,
    named,
    statements,
    upstream,
    valued,
    with_names,
    wrapped,
)

Files = Mapping[str, str]
RUFF = (sys.executable, "-m", "ruff")


@dataclass(frozen=True)
class Edited:
    """What the user makes of the files, what they should become, and what of it is left to him.

    ``mine``: the texts that he changed, None for one that is no more. ``expected``: for each file whose text an update
    may touch, what it then means. ``told``: a name that must be told as a conflict, or as gone; none where empty.
    ``twin``: a name that may not come back.
    """

    mine: dict[str, str | None]
    expected: dict[str, str]
    told: str = ""
    twin: str = ""
    target: Target = field(default_factory=lambda: Target(""))


Edit = Callable[[Files, Target], Edited | None]
"""None where the files have nothing that could be changed so."""


def _one(target: Target, text: str, names: Mapping[str, str] | None = None) -> Edited:
    """An edit of the file that upstream changes, after which all of upstream has its place."""
    return Edited({target.path: text}, {target.path: upstream(text, target.renamed(names or {}))}, target=target)


def renamed(files: Files, target: Target, *, name: str = "") -> Edited | None:
    """A definition and all that calls it have another name."""
    name = name or target.function.rpartition(".")[2]
    if name.startswith("__") or not name:
        return None
    names = {name: f"my_{name.strip('_')}" if name.islower() else f"My{name.strip('_')}"}
    mine = {path: with_names(text, names) for path, text in files.items()}
    changed: dict[str, str | None] = {path: text for path, text in mine.items() if text != files[path]}
    expected = {path: text for path, text in mine.items() if text != files[path]}
    expected[target.path] = upstream(mine[target.path], target.renamed(names))
    return Edited(changed, expected, twin=name, target=target)


def renamed_class(files: Files, target: Target) -> Edited | None:
    return renamed(files, target, name=target.cls) if target.cls else None


def formatted(text: str) -> str:
    """The text as ruff writes it on short lines with other quotes, its imports sorted without groups."""
    sort = (*RUFF, "check", "-q", "--isolated", "--select", "I", "--fix", "--config")
    sorted_ = subprocess.run(
        [*sort, "lint.isort.force-sort-within-sections=true", "--stdin-filename", "x.py", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    shape = (*RUFF, "format", "-q", "--isolated", "--line-length", "60", "--config", 'format.quote-style="single"')
    done = subprocess.run(
        [*shape, "--stdin-filename", "x.py", "-"], input=sorted_, capture_output=True, check=True, text=True
    )
    return done.stdout


def reformatted(files: Files, target: Target) -> Edited | None:
    return _one(target, formatted(files[target.path]))


def _deeper(text: str) -> str:
    """A module one package deeper: its relative imports have a dot more."""
    return re.sub(r"^(\s*from )(\.+)", r"\1.\2", text, flags=re.MULTILINE)


def moved(files: Files, target: Target) -> Edited | None:
    """The file lies in a package of its own, and those that import it know."""
    path = PurePosixPath(target.path)
    there = f"{path.parent}/inner/{path.name}"
    text = _deeper(files[target.path])
    mine: dict[str, str | None] = {target.path: None, there: text}
    expected = {there: upstream(text, target)}
    for other, old in files.items():
        new = re.sub(rf"^(\s*from \S*\.){path.stem}( import)", rf"\1inner.{path.stem}\2", old, flags=re.MULTILINE)
        if new != old and other != target.path:
            mine[other] = expected[other] = new
    return Edited(mine, expected, target=target)


def _cut(text: str, name: str) -> tuple[str, str]:
    """A text without a definition, and the definition."""
    lines = text.splitlines(keepends=True)
    node = named(ast.parse(text))[name]
    begin, end = first_line(node), node.end_lineno or 0
    rest = "".join(lines[:begin]).rstrip() + "\n\n\n" + "".join(lines[end:]).lstrip("\n")
    return rest.rstrip() + "\n", "".join(lines[begin:end])


def split(files: Files, target: Target) -> Edited | None:
    """A definition has a file of its own, from which the old one imports it."""
    text = files[target.path]
    rest, own = _cut(text, target.top)
    stem = f"own_{target.top.strip('_').lower()}"
    there = f"{PurePosixPath(target.path).parent}/{stem}.py"
    body = ast.parse(text).body
    imports = [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    others = [one for one in [*named(ast.parse(rest)), *constants(ast.parse(rest))] if "." not in one]
    used = [one for one in others if re.search(rf"\b{one}\b", own)]
    back = [f"from .{PurePosixPath(target.path).stem} import {', '.join(used)}"] if used else []
    head = "\n".join(
        ["from __future__ import annotations", *(one for one in imports if "__future__" not in one), *back]
    )
    mine = {target.path: _importing(rest, f"from .{stem} import {target.top}"), there: f"{head}\n\n\n{own}"}
    inside = replace(target, cls=target.cls if target.cls == target.top else "")
    expected = {
        target.path: upstream(mine[target.path], target) + "\n\ndef newer_function() -> str:\n"
        '    """What is new."""\n    return "v2"\n',
        there: _cut(upstream(mine[there], inside), "newer_function")[0],
    }
    return Edited(dict(mine), expected, target=target)


def _importing(text: str, line: str) -> str:
    """The text with an import after the first statements that are a docstring or imports."""
    lines = text.splitlines(keepends=True)
    at = 0
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr):
            break
        at = node.end_lineno or 0
    return "".join([*lines[:at], f"{line}\n", *lines[at:]])


def deleted(files: Files, target: Target) -> Edited | None:
    """The definition that upstream changes is gone: it stays so, and that upstream changed it is told."""
    rest, _ = _cut(files[target.path], target.top)
    new = f'{rest}\n\ndef newer_function() -> str:\n    """What is new."""\n    return "v2"\n'
    expected = {target.path: upstream(new, target)}
    return Edited({target.path: rest}, expected, told=target.top, twin=target.top, target=target)


def deleted_other(files: Files, target: Target) -> Edited | None:
    """A definition is gone that upstream does not change."""
    text = files[target.path]
    free = [one for one in named(ast.parse(text)) if "." not in one and one not in (target.top, target.cls)]
    if not free:
        return None
    return replace(_one(target, _cut(text, free[-1])[0]), twin=free[-1])


def edited_inside(files: Files, target: Target) -> Edited | None:
    """Another statement of the same function."""
    lines = files[target.path].splitlines()
    function = named(ast.parse(files[target.path]))[target.function]
    body = statements(function)
    if not body:
        return None
    at = first_line(body[-1]) if len(body) > 1 else body[-1].end_lineno or 0
    lines.insert(at, f'{indent_of(lines, function)}mine = "user"')
    return _one(target, "\n".join(lines) + "\n")


def edited_same(files: Files, target: Target) -> Edited | None:
    """The same value that upstream changes: the user's stays, and it is a conflict."""
    text = files[target.path]
    function = named(ast.parse(text))[target.function]
    if not has_value(function):
        return None
    mine = "\n".join(wrapped(text.splitlines(), valued(function), "mine_of")) + "\n"
    expected = {target.path: upstream(mine, target)}
    name = target.function.rpartition(".")[2]
    return Edited({target.path: mine}, expected, told=name, target=replace(target, clash=True))


def decorated(files: Files, target: Target) -> Edited | None:
    lines = files[target.path].splitlines()
    function = named(ast.parse(files[target.path]))[target.function]
    pad = " " * function.col_offset
    lines.insert(first_line(function), f"{pad}@mine.decorated")
    return _one(target, "\n".join(lines) + "\n")


def between(files: Files, target: Target, *, functions: bool = True) -> Edited | None:
    """The user's own code stands above every definition."""
    lines = files[target.path].splitlines()
    for place, node in reversed(list(enumerate(ast.parse(files[target.path]).body))):
        if hasattr(node, "name"):
            own = [f"def mine_{place}() -> int:", f"    return {place}"] if functions else [f"MINE_{place} = {place}"]
            lines[first_line(node) : first_line(node)] = [*own, "", ""]
    return _one(target, "\n".join(lines) + "\n")


def statements_between(files: Files, target: Target) -> Edited | None:
    return between(files, target, functions=False)


EDITS: dict[str, Edit] = {
    "renamed": renamed,
    "renamed class": renamed_class,
    "reformatted": reformatted,
    "moved": moved,
    "split": split,
    "deleted": deleted,
    "deleted another": deleted_other,
    "edited inside": edited_inside,
    "edited the same": edited_same,
    "decorated": decorated,
    "functions between": between,
    "statements between": statements_between,
}
