"""Nested parameters as MLflow's flat ones."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping

LONGEST = 6000
"""What a value of MLflow may hold."""

_FORBIDDEN = re.compile(r"[^\w\-./: ]")


def flattened(parameters: object) -> dict[str, str]:
    """A mapping, a dataclass or a pydantic model with dots between the names of its levels, values as texts.

    A list is JSON. What a ``SecretStr`` holds is masked by itself. A value that is too long ends with ``...``.

    Raises:
        TypeError: it is none of these. ValueError: two parameters have the same name.

    Example:
        >>> flattened({"model": {"depth": 3, "rates": [0.1, 0.2]}, "seed": None})
        {'model.depth': '3', 'model.rates': '[0.1, 0.2]', 'seed': 'None'}
    """
    top = _mapping(parameters)
    if top is None:
        raise TypeError(f"parameters are a mapping, a dataclass or a pydantic model, not {type(parameters).__name__}")
    found: dict[str, str] = {}
    for name, text in _flat(top, ""):
        if name in found:
            raise ValueError(f"there are two parameters {name}")
        found[name] = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    return found


def _flat(values: Mapping[object, object], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        name = f"{prefix}{_FORBIDDEN.sub('_', str(key))}"
        below = _mapping(value)
        if below:
            yield from _flat(below, f"{name}.")
        else:
            yield name, _text(value)


def _mapping(value: object) -> Mapping[object, object] | None:
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.repr}
    fields = getattr(type(value), "model_fields", None)  # pydantic, which need not be installed
    return {name: getattr(value, name) for name in fields} if isinstance(fields, Mapping) else None


def _text(value: object) -> str:
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, set | frozenset):
        return json.dumps(sorted(map(str, value)), ensure_ascii=False)
    return str(value)
