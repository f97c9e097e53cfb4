"""Merges of settings files by key: only what both sides changed is put together, every other byte stays.

Each merger cuts three texts into trees of pieces that hold every byte, lays them together by a diff3 over keys, and
reads the result again: where it does not say what was meant, there is no result. Where both sides changed one thing,
the result tells its keys and has no text: that is for the lines to give.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable

from mlox.components.merge.formats.compose_pieces import compose_pieces
from mlox.components.merge.formats.json_pieces import json_pieces
from mlox.components.merge.formats.line_pieces import dockerfile_pieces, env_pieces, requirement_pieces
from mlox.components.merge.formats.pieces import Body, UnreadableError
from mlox.components.merge.formats.threeway import ThreeWay
from mlox.components.merge.formats.toml_pieces import toml_pieces
from mlox.components.merge.formats.yaml_pieces import yaml_pieces
from mlox.components.merge.outcome import Applied, Level, MergeResult

__all__ = [
    "merge_compose",
    "merge_dockerfile",
    "merge_env",
    "merge_json",
    "merge_requirements",
    "merge_toml",
    "merge_yaml",
]

BOM = "\ufeff"


def merge_yaml(base: str, left: str, right: str, level: Level = "full") -> MergeResult | None:
    r"""Merge YAML by key; None where a text is no YAML, or of a form left to lines (documents, tabs, ``? key``).

    Example:
        >>> merge_yaml("a: 1\nb: 2\n", "a: 1  # why\nb: 2\nc: 3\n", "a: 7\nb: 2\nd: 4\n").text
        'a: 7  # why\nb: 2\nc: 3\nd: 4\n'
    """
    return _merged(yaml_pieces, base, left, right, level)


def merge_compose(base: str, left: str, right: str, level: Level = "full") -> MergeResult | None:
    """Merge Compose files: YAML, with ports, volumes and variables called by what they are for."""
    return _merged(compose_pieces, base, left, right, level)


def merge_toml(base: str, left: str, right: str, level: Level = "full") -> MergeResult | None:
    r"""Merge TOML by key; None where a text is no TOML.

    Example:
        >>> merge_toml("a = [1]\n", "a = [1, 2]\n", "a = [1, 3]\n").text
        'a = [1, 2, 3]\n'
    """
    merged = _merged(toml_pieces, base, left, right, level)
    if merged is not None and merged.applied and merged.clean:
        data = [tomllib.loads(text.removeprefix(BOM)) for text in (base, left, right, merged.text)]
        return merged if _agrees(data[0], data[1], data[2], data[3]) else None
    return merged


def merge_json(base: str, left: str, right: str, level: Level = "full") -> MergeResult | None:
    """Merge JSON by key; None where a text is no JSON.

    Example:
        >>> merge_json('{"a": 1}', '{"a": 1, "b": 2}', '{"c": 3, "a": 1}').text
        '{"c": 3, "a": 1, "b": 2}'
    """
    return _merged(json_pieces, base, left, right, level, lines=False)


def merge_env(base: str, left: str, right: str, level: Level = "full") -> MergeResult | None:
    """Merge ``.env`` files by name; None where a name stands twice."""
    return _merged(env_pieces, base, left, right, level)


def merge_requirements(base: str, left: str, right: str, level: Level = "full") -> MergeResult | None:
    """Merge pip's requirements by canonical name and marker; None where a line is none."""
    return _merged(requirement_pieces, base, left, right, level)


def merge_dockerfile(base: str, left: str, right: str, level: Level = "full") -> MergeResult | None:
    """Merge Dockerfiles by stage and instruction; their order is kept, so two that come to one place are a conflict."""
    return _merged(dockerfile_pieces, base, left, right, level)


def _merged(
    cut: Callable[[str], Body], base: str, left: str, right: str, level: Level, *, lines: bool = True
) -> MergeResult | None:
    texts = (base, left, right)
    if left == right or base in {left, right}:
        return MergeResult(left if base == right else right)
    mark = _of_three(*(text.startswith(BOM) for text in texts))
    plain = [text.removeprefix(BOM) for text in texts]
    windows = _of_three(*("\r\n" in text for text in plain))
    if any("\r" in text.replace("\r\n", "") or ("\r\n" in text and _mixed(text)) for text in plain):
        return None
    plain = [text.replace("\r\n", "\n") for text in plain]
    ended = _of_three(*(text.endswith("\n") or not text for text in plain))
    if lines:
        plain = [text if text.endswith("\n") or not text else f"{text}\n" for text in plain]
    merge = ThreeWay(level)
    try:
        first, mine, theirs = map(cut, plain)
        together = merge.body(first, mine, theirs)
        if merge.conflicts:
            return MergeResult("", tuple(merge.conflicts), tuple(merge.applied))
        text = together.text
        if cut(text).meaning != together.meaning:
            return None
    except (UnreadableError, RecursionError):
        return None
    if lines and not ended:
        text = text.removesuffix("\n")
    text = text.replace("\n", "\r\n") if windows else text
    applied = tuple(dict.fromkeys(merge.applied)) or (Applied("keys", ""),)
    return MergeResult(BOM + text if mark else text, (), applied)


def _agrees(base: object, left: object, right: object, merged: object) -> bool:
    """Whether the tables say what both sides say: one key of TOML can stand in several places."""
    if not (isinstance(left, dict) and isinstance(right, dict) and isinstance(merged, dict)):
        return True
    if base is not None and not isinstance(base, dict) and left != right:
        return False  # each side made another table of one value
    before = base if isinstance(base, dict) else {}
    for key in {**before, **left, **right, **merged}:
        if key in left and key in right:
            fits = key in merged and _agrees(before.get(key), left[key], right[key], merged[key])
        elif key in before:
            fits = key not in merged and left.get(key, right.get(key, before[key])) == before[key]
        else:
            fits = key in merged and merged[key] == left.get(key, right.get(key))
        if not fits:
            return False
    return True


def _of_three(base: bool, left: bool, right: bool) -> bool:
    """A property of the text that both sides together made of the base's."""
    return right if left == base else left


def _mixed(text: str) -> bool:
    return text.count("\n") != text.count("\r\n")
