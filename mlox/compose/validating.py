"""Whether a document is a compose file: by the published JSON Schema, each error as a path and a sentence.

The schema lies in ``schema/``, with its licence and its source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlox.compose.findings import TOLD
from mlox.errors import DISTRIBUTION, RequirementError, SpecError, nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

SCHEMA = Path(__file__).parent / "schema" / "compose-spec.json"
_KINDS = {
    "array": "a list",
    "object": "a mapping",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def validate(document: Mapping[str, Any], *, source: str) -> None:
    """Raise a :class:`SpecError` for a document that is no compose file; the first errors are told with their paths.

    Raises:
        RequirementError: the library that reads the schema is not installed.
    """
    problems: list[str] = []
    hint = ""
    for error in sorted(_validator().iter_errors(document), key=lambda error: list(map(str, error.absolute_path))):
        path, sentence, near = _told(error)
        problems.append(f"{path}: {sentence}" if path else sentence)
        hint = hint or near
    if problems:
        problems = list(dict.fromkeys(problems))
        more = f" (and {len(problems) - TOLD} more)" if len(problems) > TOLD else ""
        raise SpecError(f"{source}: {'; '.join(problems[:TOLD])}{more}", hint=hint or "Mend it there.")


@cache
def _validator() -> Validator:
    try:
        from jsonschema import Draft7Validator
    except ImportError as error:
        raise RequirementError(
            "compose files are checked with jsonschema, which is not installed",
            hint=f"Install it: pip install '{DISTRIBUTION}[docker]'",
        ) from error
    return Draft7Validator(json.loads(SCHEMA.read_bytes()))


def _told(error: ValidationError) -> tuple[str, str, str]:
    """The path, the sentence and a hint; where several forms are possible, of the one that was probably meant."""
    found = error
    while found.context:
        found = min(found.context, key=_unlikely)
    path = ".".join(map(str, found.absolute_path))
    sentence, hint = _sentence(found)
    if error.context and found.validator == "type":
        kinds = [one.validator_value for one in error.context if one.validator == "type" and not one.path]
        sentence = f"is {_kind(found.instance)}, not {_either([k for kind in kinds for k in _listed(kind)])}"
    return path, sentence, hint


def _unlikely(error: ValidationError) -> tuple[int, int]:
    """How unlikely it is that this form was meant: one of another type was not; else the deepest error tells most."""
    return (1 if error.validator == "type" and not error.path else 0, -len(error.absolute_path))


def _sentence(error: ValidationError) -> tuple[str, str]:
    kind = str(error.validator)
    value: Any = error.validator_value
    instance: Any = error.instance
    if kind == "additionalProperties":
        schema: Any = error.schema
        known, patterns = dict(schema.get("properties", {})), list(schema.get("patternProperties", {}))
        extra = sorted(str(key) for key in instance if key not in known and not str(key).startswith("x-"))
        if not known and any("a-zA-Z0-9" in pattern for pattern in patterns):
            extra = [key for key in extra if not re.search(patterns[-1], key)] or extra
            return f"{extra[0]!r} is no name: letters, digits, '.', '_' and '-'", "Choose another name."
        name = extra[0] if extra else "?"
        return f"unknown key {name!r}", nearest(name, known) or ""
    if kind == "type":
        return f"is {_kind(error.instance)}, not {_either(_listed(value))}", ""
    if kind == "enum":
        return f"is none of: {', '.join(map(str, value))}", ""
    if kind == "required":
        missing = sorted(set(value) - set(instance))
        return f"lacks {', '.join(map(repr, missing))}", ""
    return {
        "uniqueItems": "holds something twice",
        "pattern": "does not have the form that it must have",
        "minimum": f"is below {value}",
        "maximum": f"is above {value}",
        "minItems": "is empty",
        "format": f"is no {value}",
    }.get(kind, "has none of the forms that it may have"), ""


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, Sequence) else []


def _either(kinds: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(_KINDS.get(kind, kind) for kind in kinds))


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names = {dict: "a mapping", list: "a list", str: "a text", int: "a number", float: "a number"}
    return names.get(type(value), "of another kind")
