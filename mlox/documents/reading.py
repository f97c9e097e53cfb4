"""How YAML text becomes a spec: bounded, without surprises, every error with its file, line and nearest key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mlox.errors import SpecError, nearest

MAX_BYTES = 1_000_000
MAX_NODES = 20_000
MAX_DEPTH = 60
TOLD = 20
"""How many problems of one text are looked at; each costs a walk through it."""

ModelT = TypeVar("ModelT", bound=BaseModel)
Tag = Callable[[str], object]


def load(text: str, *, source: str, tags: Mapping[str, Tag] | None = None) -> object:
    """The plain data in a YAML text. ``tags`` gives what ``!name value`` stands for; other tags are refused.

    Raises:
        SpecError: it is not YAML, too large, too deep, or grows through its aliases.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise SpecError(
            f"{source}: larger than {MAX_BYTES:,} bytes", hint="Split it, or look whether it is the right file."
        )

    class Constructor(_BoundedConstructor):
        pass

    for name, meaning in (tags or {}).items():
        Constructor.add_constructor(
            f"!{name}", lambda loader, node, meaning=meaning: meaning(loader.construct_scalar(node))
        )
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _BoundedComposer
    yaml.Constructor = Constructor
    try:
        value = yaml.load(text)
    except _TooMuchError as error:
        raise SpecError(f"{source}: too deep, or too many values", hint="Take out aliases that multiply.") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        problem = (error.problem or error.context or "").partition(" with value ")[0]  # the values may be secrets
        raise SpecError(f"{source}{line}: not valid YAML: {problem}", hint="Mend that line and try again.") from error
    except YAMLError as error:
        raise SpecError(f"{source}: not valid YAML: {str(error).splitlines()[0]}", hint="Mend the file.") from error
    except (RecursionError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        # What ruamel.yaml lets through for values that do not fit their tag, such as !!bool x.
        raise SpecError(f"{source}: not valid YAML: {type(error).__name__}", hint="Make it simpler.") from error
    _bounded(value, source)
    return value


def parse(text: str, model: type[ModelT], *, source: str, tags: Mapping[str, Tag] | None = None) -> ModelT:
    """The spec in a YAML text.

    Raises:
        SpecError: as :func:`load`; or a key is unknown, a value is missing or of the wrong kind.
    """
    value = load(text, source=source, tags=tags)
    if not isinstance(value, dict):
        seen = "is empty" if value is None else f"holds a {type(value).__name__}"
        raise SpecError(
            f"{source}: {seen}, not a mapping of keys", hint=f"Begin with: {next(iter(model.model_fields))}: ..."
        )
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise explain(error, model, source=source, text=text) from error


def explain(error: ValidationError, model: type[BaseModel], *, source: str, text: str = "") -> SpecError:
    """One :class:`SpecError` for all that pydantic found, the first three told, lines taken from ``text``."""
    problems: list[str] = []
    hint = None
    details = error.errors(include_url=False, include_context=False)
    for detail in details[:TOLD]:
        location = tuple(part for part in detail["loc"] if part != "[key]")
        line = line_of(text, location)
        where = ".".join(map(str, location))
        message = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            known = _keys_at(model, location[:-1])
            message = f"unknown key {location[-1]!r}"
            where = ".".join(map(str, location[:-1]))
            hint = hint or nearest(str(location[-1]), known) or f"Known keys: {', '.join(sorted(known))}."
        elif detail["type"] == "missing":
            message = "missing"
        elif detail["type"] == "string_pattern_mismatch":
            message = (
                "not a valid name: lower case letters, digits and single hyphens" if "[a-z]" in message else message
            )
        elif detail["type"] in _WANTED:
            message = f"is {_kind(detail['input'])}, not {_WANTED[detail['type']]}"
        message = message.replace("Input should be", "must be")
        problems.append(f"{source}{f':{line}' if line else ''}: {where + ': ' if where else ''}{message}")
    more = f" (and {len(details) - 3} more)" if len(details) > 3 else ""
    return SpecError("; ".join(problems[:3]) + more, hint=hint or "Mend it there; nothing was changed.")


_WANTED = {
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
}
"""What pydantic wanted, in the words of YAML."""


def _kind(value: object) -> str:
    kinds = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        int: "a number",
        float: "a number",
        bool: "true or false",
    }
    return "empty" if value is None else kinds.get(type(value), "of another kind")


class _TooMuchError(Exception):
    """The document has more values, or goes deeper, than any that a person writes."""


class _BoundedComposer(Composer):
    """Gives up as soon as the text has too many values, before time and memory are spent on them."""

    nodes = 0
    depth = 0

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.warn_double_anchors = False  # YAML lets an anchor be used again; a warning would reach the user

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.nodes += 1
        self.depth += 1
        if self.nodes > MAX_NODES or self.depth > MAX_DEPTH:
            raise _TooMuchError
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _BoundedConstructor(SafeConstructor):
    """Gives up where merge keys (``<<``) multiply."""

    merged = 0

    def flatten_mapping(self, node: Any) -> Any:
        flat = super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > MAX_NODES:
            raise _TooMuchError
        return flat


def _bounded(value: object, source: str) -> None:
    """Refuse what aliases blow up: the walk counts every visit, not every object."""
    seen = 0
    stack: list[tuple[object, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        seen += 1
        if seen > MAX_NODES or depth > MAX_DEPTH:
            raise SpecError(f"{source}: too deep, or too many values", hint="Take out aliases that multiply.")
        if isinstance(item, dict):
            stack.extend((child, depth + 1) for pair in item.items() for child in pair)
        elif isinstance(item, (list, set)):
            stack.extend((child, depth + 1) for child in item)


def _keys_at(model: type[BaseModel], location: Sequence[Any]) -> set[str]:
    """The keys that the model knows at a location; parts that are no field are keys of a mapping or indexes."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is not None:
            model = _model_in(field.annotation) or model
    return {field.alias or name for name, field in model.model_fields.items()}


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _model_in(argument))), None)


def line_of(text: str, location: Sequence[Any], *, whole: bool = False) -> int | None:
    """The line (from 1) of the deepest part of ``location`` in ``text``; with ``whole`` None where not all is there."""
    if not text:
        return None
    node = _composed(text)
    line = None
    for part in location:
        if isinstance(node, MappingNode):
            pair = next(((k, v) for k, v in node.value if isinstance(k, ScalarNode) and k.value == str(part)), None)
            if pair is None:
                return None if whole else line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return None if whole else line
    return line


@lru_cache(maxsize=8)
def _composed(text: str) -> Node | None:
    """The nodes of a text; for one text lines are asked again and again."""
    node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node
