"""What the options of a service come to: typed, in range, with their defaults; or an error before anything changes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from mlox.errors import SpecError, UnknownNameError
from mlox.specs import CatalogService, OptionSpec
from mlox.specs.model import Scalar


def check_options(service: CatalogService, given: Mapping[str, Scalar], *, where: str) -> dict[str, Scalar]:
    """Every option of ``service`` with its value.

    Raises:
        UnknownNameError: an option that the service has not.
        SpecError: a value is missing, of another type, or out of range.
    """
    for name in given:
        if name not in service.options:
            raise UnknownNameError.among("option", name, service.options, where=f"{where}: ")
    values: dict[str, Scalar] = {}
    for name, option in service.options.items():
        value = given.get(name, option.default)
        if value is None:
            raise SpecError(
                f"{where}: the option {name!r} is missing: {option.help}", hint=f"Give it: --set {name}=VALUE."
            )
        values[name] = _typed(option, value, f"{where}: option {name!r}")
    return values


def read_option(option: OptionSpec, text: str, *, where: str) -> Scalar:
    """The value that a ``--set name=text`` means, by the option's type.

    Example:
        >>> read_option(OptionSpec(type="integer", help="x"), "4", where="mlflow")
        4
    """
    if option.type == "boolean" and text.lower() in ("true", "false", "yes", "no", "on", "off"):
        return text.lower() in ("true", "yes", "on")
    try:
        if option.type == "integer":
            return int(text)
        if option.type == "number":
            return float(text)
    except ValueError:
        pass
    return _typed(option, text, where)


def render_option(value: Scalar) -> str:
    """The text of an option in a template: booleans as ``true`` and ``false``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _about(option: OptionSpec) -> str:
    return f"{option.help[:1].upper()}{option.help[1:]}."


def _typed(option: OptionSpec, value: Scalar, where: str) -> Scalar:
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "path": (str,),
    }
    if not isinstance(value, kinds[option.type]) or (isinstance(value, bool) and option.type != "boolean"):
        raise SpecError(f"{where} takes a value of type {option.type}, not {value!r}", hint=_about(option))
    if option.choices and value not in option.choices:
        raise SpecError(f"{where} cannot be {value!r}", hint=f"Choose one of: {', '.join(map(str, option.choices))}.")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise SpecError(f"{where} cannot be {value}", hint=_about(option))
        if option.minimum is not None and value < option.minimum:
            raise SpecError(f"{where} cannot be {value}: the least is {option.minimum:g}", hint=_about(option))
        if option.maximum is not None and value > option.maximum:
            raise SpecError(f"{where} cannot be {value}: the most is {option.maximum:g}", hint=_about(option))
    if isinstance(value, str):
        if option.pattern and not re.fullmatch(option.pattern, value):
            raise SpecError(f"{where} cannot be {value!r}: it does not match {option.pattern}", hint=_about(option))
        if any(ord(character) < 32 for character in value):
            raise SpecError(f"{where} holds a control character", hint="Write it on one line.")
    return value
