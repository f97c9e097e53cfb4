"""What a verb is: a function whose signature is its grammar, the same for shell, notebook, panels and tools.

Positional parameters are arguments, keyword-only ones are options, ``Annotated`` texts are their help.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from mlox.values import Value

Shape = Literal["one", "maybe", "many", "flag", "rest"]
GROUPS = {
    "both": "services and components",
    "stack": "the stack",
    "components": "components",
    "secrets": "secrets",
    "more": "more",
}

Rest = Annotated[tuple[str, ...], "rest", "a command with its own options"]
"""Everything after ``--``."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument or option. ``flag`` is empty for an argument, else ``--name``, or ``-n`` where that is its name."""

    name: str
    flag: str
    shape: Shape
    help: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: its name, its function, the first line of its docstring and the rest, and its parameters."""

    name: str
    function: Callable[..., Value]
    group: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]


TABLE: dict[str, Verb] = {}

FunctionT = TypeVar("FunctionT", bound=Callable[..., Value])


def verb(name: str, *, group: str) -> Callable[[FunctionT], FunctionT]:
    """Make a function a verb. Its first parameter is the :class:`~mlox.verbs.context.Context`."""

    def register(function: FunctionT) -> FunctionT:
        summary, _, rest = inspect.cleandoc(function.__doc__ or "").partition("\n")
        hints = typing.get_type_hints(function, include_extras=True)
        signature = list(inspect.signature(function).parameters.values())[1:]
        parameters = tuple(_parameter(parameter, hints[parameter.name]) for parameter in signature)
        TABLE[name] = Verb(name, function, group, summary, rest.strip(), parameters)
        return function

    return register


def _parameter(parameter: inspect.Parameter, hint: Any) -> Parameter:
    texts: list[str] = []
    if get_origin(hint) is Annotated:
        hint, *texts = get_args(hint)
    is_option = parameter.kind is inspect.Parameter.KEYWORD_ONLY
    clean = parameter.name.rstrip("_").replace("_", "-")
    shape: Shape = "one" if parameter.default is inspect.Parameter.empty else "maybe"
    if "rest" in texts:
        shape = "rest"
    elif hint is bool:
        shape = "flag"
    elif get_origin(hint) is tuple:
        shape = "many"
    help_text = next((text for text in texts if text != "rest"), "")
    flag = f"{'-' if len(clean) == 1 else '--'}{clean}" if is_option else ""
    return Parameter(parameter.name, flag, shape, help_text, number="int" in str(hint))
