"""What is wrong with a configuration: every place of it, with what it takes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails


class ConfigError(ValueError):
    """A configuration cannot be used; ``problems`` are lines, one for each place."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(("the configuration cannot be used:", *(f"  {line}" for line in problems))))


def problems_of(error: ValidationError, schema: type[BaseModel]) -> list[str]:
    """A line for each error of pydantic: the key, what is wrong, and for an unknown key the nearest one.

    What secrets hold is never in it.
    """
    return [_line(one, schema) for one in error.errors(include_url=False, include_context=False)]


def _line(error: ErrorDetails, schema: type[BaseModel]) -> str:
    place, known = _place(error["loc"], schema)
    key = ".".join(place) or "the whole"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], known, n=1)
        told = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known))}"
        return f"{key}: there is no such key; {told}"
    if error["type"] == "missing":
        return f"{key}: is not given"
    told = error["msg"].removeprefix("Value error, ")
    value = error["input"]
    shown = isinstance(value, bool | int | float) or (isinstance(value, str) and "secret" not in error["type"])
    return f"{key}: {told}, not {value!r}" if shown and error["type"] != "value_error" else f"{key}: {told}"


def _place(location: Sequence[int | str], schema: type[BaseModel]) -> tuple[list[str], list[str]]:
    """A place as it is written in files and overrides, and the keys that there are beside it.

    Where a part is one of several models, pydantic names the one that was chosen too.
    """
    place: list[str] = []
    beside: list[str] = []
    model: type[BaseModel] | None = schema
    choices: dict[str, type[BaseModel]] = {}
    for part in map(str, location):
        if part in choices:
            model, choices = choices[part], {}
            continue
        place.append(part)
        beside = list(model.model_fields) if model is not None else []
        field = model.model_fields.get(part) if model is not None else None
        kind, choices = (field.annotation if field else None), _choices(field)
        model = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    return place, beside


def _choices(field: FieldInfo | None) -> dict[str, type[BaseModel]]:
    """The models that a field chooses from, by what they are told apart by."""
    if field is None or not isinstance(field.discriminator, str):
        return {}
    models = [one for one in get_args(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    names = {model: get_args(model.model_fields[field.discriminator].annotation) for model in models}
    return {str(name): model for model, found in names.items() for name in found}
