"""Three-way merges of source files: by definition for Python, by key for settings, by line for the rest. Pure.

Lines come first, by git. Where git is clean, its result is the result. Where it is not, the merger of the file's kind
tries; where it fails, or leaves no fewer conflicts than git, git's text with diff3 markers stands.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from mlox.components.merge.lines import merge_lines, with_left
from mlox.components.merge.outcome import Applied, Conflict, Level, MergeResult

__all__ = ["Applied", "Conflict", "Level", "MergeResult", "merge"]

Merger = Callable[[str, str, str, Level], MergeResult | None]
"""Base, left, right and how careful to be; None where it knows no better than lines."""

MERGERS: dict[str, str] = {
    "dockerfile": "formats:merge_dockerfile",
    "dockerfile.*": "formats:merge_dockerfile",
    "compose*.y*ml": "formats:merge_compose",
    "docker-compose*.y*ml": "formats:merge_compose",
    ".env": "formats:merge_env",
    ".env.*": "formats:merge_env",
    "requirements*.txt": "formats:merge_requirements",
    "requirements*.in": "formats:merge_requirements",
    ".dockerfile": "formats:merge_dockerfile",
    ".json": "formats:merge_json",
    ".py": "python:merge_python",
    ".toml": "formats:merge_toml",
    ".yaml": "formats:merge_yaml",
    ".yml": "formats:merge_yaml",
}
"""What a file is called (``*`` stands for any text), or how it ends, in lower case; and ``module:function`` below this
package that merges it. A name goes before a pattern, a pattern before an ending."""


def merge(
    base: str | bytes, left: str | bytes, right: str | bytes, *, path: str | None = None, level: Level = "full"
) -> MergeResult:
    r"""Merge what two sides made of ``base``. ``path`` tells the kind of file; without it lines are all there is.

    Raises:
        RequirementError: there is no git, or the files are binary.

    Example:
        >>> merge("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n").text
        'A\nb\nC\n'
    """
    texts = [one.encode("utf-8", "surrogateescape") if isinstance(one, str) else one for one in (base, left, right)]
    by_line = merge_lines(*texts)
    merger = _merger(path) if path is not None and not by_line.clean else None
    if merger is None:
        return by_line if path is None else _settled(by_line, by_line, path)
    first, mine, theirs = (one.decode("utf-8", "surrogateescape") for one in texts)
    better = merger(first, mine, theirs, level)
    if better is None:
        return by_line
    return _settled(better if len(better.conflicts) < len(by_line.conflicts) else by_line, better, path or "")


def _settled(result: MergeResult, finest: MergeResult, path: str) -> MergeResult:
    """``result`` with the text that keeps the left side where ``finest`` conflicts, if each conflict has a place.

    What conflicts is then told as ``finest`` names it: a definition says more than a line of a text with markers.
    """
    kept = with_left(finest.text)
    placed = finest.text.count("\n<<<<<<< ") + finest.text.startswith("<<<<<<< ") == len(finest.conflicts)
    if result.clean or not placed or (path.endswith(".py") and not _is_python(kept)):
        return result
    return replace(result, kept=kept, conflicts=finest.conflicts)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text.encode("utf-8", "surrogateescape"))
    except (SyntaxError, ValueError):
        return False
    return True


def _merger(path: str) -> Merger | None:
    name = PurePosixPath(path).name.lower()
    pattern = next((one for one in MERGERS if "*" in one and fnmatchcase(name, one)), PurePosixPath(name).suffix)
    where = MERGERS.get(name) or MERGERS.get(pattern)
    if where is None:
        return None
    module, _, function = where.partition(":")
    found: Merger = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return found
