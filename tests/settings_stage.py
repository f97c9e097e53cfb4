"""Data for tests of settings files: drawn, edited, written in every format with a comment at each key, read again."""

from __future__ import annotations

import copy
import io
import json
import tomllib
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML

NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"]
WORDS = [f"w{number}" for number in range(9)]

Data = dict[str, Any]

scalars = st.one_of(st.integers(2, 5), st.sampled_from(["one", "two: #3", "", "true"]), st.booleans())
lists = st.lists(st.sampled_from(WORDS), max_size=4, unique=True)


def tables(depth: int = 2) -> st.SearchStrategy[Data]:
    """Mappings of scalars, lists without repeats, and mappings."""
    values = [scalars, lists] + ([tables(depth - 1)] if depth else [])
    return st.dictionaries(st.sampled_from(NAMES), st.one_of(*values), max_size=5)


@st.composite
def edits(draw: st.DrawFn, data: Data) -> Data:
    """What one side makes of ``data``: values changed, keys put in and taken out, elements put into lists."""
    made = copy.deepcopy(data)
    for _ in range(draw(st.integers(1, 3))):
        place = made
        while True:
            inner = [value for value in place.values() if isinstance(value, dict)]
            if not inner or draw(st.booleans()):
                break
            place = draw(st.sampled_from(inner))
        key = draw(st.sampled_from(NAMES))
        there = place.get(key)
        if there is not None and draw(st.integers(0, 3)) == 0:
            del place[key]
        elif isinstance(there, list):
            word = draw(st.sampled_from(WORDS))
            if word in there:
                there.remove(word)
            else:
                there.insert(draw(st.integers(0, len(there))), word)
        elif not isinstance(there, dict):
            place[key] = draw(st.one_of(scalars, lists, tables(0)))
    return made


class ClashError(Exception):
    """Both sides changed one thing."""


def diff3(base: object, left: object, right: object) -> object:
    """What both sides made of ``base``, told on the data alone; lists become sets."""
    if left in (base, right):
        return right
    if right == base:
        return left
    if base is None and not (left and right):
        raise ClashError
    if isinstance(left, dict) and isinstance(right, dict) and isinstance(base, dict | None):
        return _keys(base or {}, left, right)
    if isinstance(left, list) and isinstance(right, list) and isinstance(base, list | None):
        kept = set(left) | set(right)
        return {one for one in kept if one not in (base or []) or (one in left and one in right)}
    raise ClashError


def _keys(base: Data, left: Data, right: Data) -> Data:
    merged = {}
    for key in {**left, **right}:
        if key in left and key in right:
            merged[key] = diff3(base.get(key), left[key], right[key])
        elif key not in base:
            merged[key] = left.get(key, right.get(key))
        elif (left if key in left else right)[key] != base[key]:
            raise ClashError
    return merged


def without_order(value: object) -> object:
    """The data with its lists as sets."""
    if isinstance(value, dict):
        return {key: without_order(one) for key, one in value.items()}
    return set(value) if isinstance(value, list | set) else (type(value), value)


def comments(data: Data, path: str = "") -> dict[str, object]:
    """The comment at every key, and the value there."""
    found: dict[str, object] = {}
    for key, value in data.items():
        here = f"{path}.{key}" if path else key
        found[f"# {here}!"] = value
        found |= comments(value, here) if isinstance(value, dict) else {}
    return found


def as_yaml(data: Data, indent: int = 2) -> str:
    def block(data: Data, path: str, depth: int) -> str:
        text = ""
        pad = " " * indent * depth
        for key, value in data.items():
            here = f"{path}.{key}" if path else key
            text += f"{pad}# {here}!\n"
            if isinstance(value, dict) and value:
                text += f"{pad}{key}:\n{block(value, here, depth + 1)}"
            elif isinstance(value, list) and value:
                text += f"{pad}{key}:\n" + "".join(f"{pad}- {one}\n" for one in value)
            else:
                text += f"{pad}{key}: {json.dumps(value)}\n"
        return text

    return block(data, "", 0)


def as_toml(data: Data, indent: int = 2) -> str:
    def lines(data: Data, path: str) -> str:
        text, tables = "", ""
        for key, value in data.items():
            here = f"{path}.{key}" if path else key
            if isinstance(value, dict):
                tables += f"\n# {here}!\n[{here}]\n{lines(value, here)}"
            elif isinstance(value, list) and len(value) > 1:
                inside = "".join(f"{' ' * indent}{json.dumps(one)},\n" for one in value)
                text += f"# {here}!\n{key} = [\n{inside}]\n"
            else:
                text += f"{key} = {json.dumps(value)}  # {here}!\n"
        return text + tables

    return lines(data, "")


def as_json(data: Data, indent: int = 2) -> str:
    return json.dumps(data, indent=indent) + "\n"


def read_yaml(text: str) -> object:
    return YAML(typ="safe", pure=True).load(io.StringIO(text)) or {}


Form = tuple[Callable[..., str], Callable[[str], object]]
FORMS: dict[str, Form] = {
    "yaml": (as_yaml, read_yaml),
    "toml": (as_toml, tomllib.loads),
    "json": (as_json, json.loads),
}
