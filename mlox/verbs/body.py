"""What a YAML stack in a cell asks for: ``mlox.yaml``'s form or its shorthand, with variables and tags.

The shorthand leaves out what ``mlox.yaml`` decides at the first ``up``: ``mlflow:`` alone is a service of that name,
``db: postgres`` one with a name of its own, ``mlflow: mlflow@3.17.2`` one in that version. In values ``${VAR}`` is a
variable of the environment and ``!py name`` one of the notebook, with its type.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from mlox.documents import explain, line_of, load
from mlox.errors import MloxError, SpecError, UnknownNameError, UsageError
from mlox.interpolation import interpolate
from mlox.resolve import check_options, order, read_option
from mlox.specs import CatalogService, ServiceSpec
from mlox.specs.model import Name, Scalar, Spec
from mlox.specs.stack import StackId

if TYPE_CHECKING:
    from mlox.catalog import Catalog
    from mlox.stack import Asked, Stack

Location = tuple[str | int, ...]

ELSEWHERE = frozenset({"servers", "profiles", "alerts"})
"""Keys of ``mlox.yaml`` that belong to the workspace, not to a cell."""


class BodySpec(Spec):
    """What is left when variables, tags and shorthand are resolved."""

    services: dict[Name, ServiceSpec] = Field(min_length=1)
    name: Name | None = None
    id: StackId | None = None


@dataclass(frozen=True, slots=True)
class _Tagged:
    tag: str
    name: str


@dataclass(frozen=True, slots=True)
class Body:
    """A YAML stack, not yet read.

    Attributes:
        text: the YAML. ``source`` and ``lines_before``: what errors call it, and where in that it begins.
        variables: what ``!py`` may name.
    """

    text: str
    source: str = "cell"
    lines_before: int = 1
    variables: Mapping[str, object] = field(default_factory=dict)

    @property
    def whole(self) -> str:
        """The text with empty lines before it, so that lines count as in the source."""
        return "\n" * self.lines_before + self.text

    def read(self, open_stack: Callable[[str | None], Stack]) -> tuple[Stack, tuple[Asked, ...]]:
        """The stack that it is for, and what it asks of it, providers first.

        Raises:
            SpecError, UnknownNameError: it is wrong; the problem names the line of the cell.
            UsageError: a service is in ``mlox.yaml`` already and differs.
        """
        from mlox.stack import Asked

        reader = _Reader(self.whole, self.source, self.variables)
        value = reader.values()
        with reader.at(("name",)):
            stack = open_stack(value["name"] if isinstance(value.get("name"), str) else None)
        around = stack.surroundings()
        written = {name: service.service for name, service in around.spec.services.items()}
        spec = reader.spec({**value, "services": _full(value.get("services"), written)})
        if spec.id is not None and spec.id != stack.id:
            raise SpecError(
                f"{self.source}: the id is {spec.id}, but this workspace's is {stack.id}", hint="Leave it out."
            )
        entries = {name: reader.entry(around.catalog, name, service) for name, service in spec.services.items()}
        asked = {
            name: Asked(
                service.service,
                service.version,
                name,
                service.server if "server" in service.model_fields_set else None,
                service.needs,
                reader.options(entries[name], name, service.options),
                service.ports,
            )
            for name, service in spec.services.items()
        }
        in_order = tuple(asked[name] for name in order(_wishes(spec, entries)))
        stack.write(in_order, dry_run=True)
        return stack, in_order


class _Reader:
    """One reading of a text: what was a variable in it, and in which line things stand."""

    def __init__(self, text: str, source: str, variables: Mapping[str, object]) -> None:
        self.text = text
        self.source = source
        self.variables = variables
        self.interpolated: set[Location] = set()

    def values(self) -> dict[str, Any]:
        """The top of the document, variables and tags resolved."""
        tags = {tag: lambda name, tag=tag: _Tagged(tag, name) for tag in ("py", "secret")}
        value = self._resolved(load(self.text, source=self.source, tags=tags), ())
        if not isinstance(value, dict):
            seen = "is empty" if value is None else f"holds a {type(value).__name__}, not a mapping"
            raise SpecError(f"the {self.source} {seen}", hint="Begin with: services:, and below it a line a service.")
        for key in ELSEWHERE & set(value):
            with self.at((key,)):
                raise SpecError(f"{key} cannot be set from a cell", hint="Write it into mlox.yaml.")
        return value

    def spec(self, value: Mapping[str, Any]) -> BodySpec:
        """The checked form of ``value``."""
        try:
            return BodySpec.model_validate(value)
        except ValidationError as error:
            raise explain(error, BodySpec, source=self.source, text=self.text) from error

    def entry(self, catalog: Catalog, name: str, service: ServiceSpec) -> CatalogService:
        """The catalog's entry of a service."""
        with self.at(("services", name)):
            return catalog.get(service.service).service

    def options(self, entry: CatalogService, name: str, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """The options of a service, those that came from variables typed by the catalog."""
        options = dict(given)
        for key, value in given.items():
            location = ("services", name, "options", key)
            with self.at(location):
                if location in self.interpolated and key in entry.options:
                    where = f"{name}: option {key!r}"
                    options[key] = read_option(entry.options[key], str(value), where=where)
                check_options(entry.model_copy(update={"options": _only(entry, key)}), {key: options[key]}, where=name)
        return options

    @contextlib.contextmanager
    def at(self, location: Location) -> Iterator[None]:
        """Errors inside name the line."""
        try:
            yield
        except MloxError as error:
            line = line_of(self.text, location)
            error.problem = f"{self.source}{f':{line}' if line else ''}: {error.problem}"
            raise

    def _resolved(self, value: object, location: Location) -> object:
        if isinstance(value, dict):
            return {key: self._resolved(child, (*location, key)) for key, child in value.items()}
        if isinstance(value, list):
            return [self._resolved(child, (*location, index)) for index, child in enumerate(value)]
        with self.at(location):
            if isinstance(value, _Tagged):
                return self._tagged(value)
            if isinstance(value, str) and "$" in value:
                self.interpolated.add(location)
                return interpolate(value, os.environ)
        return value

    def _tagged(self, tagged: _Tagged) -> object:
        if tagged.tag == "secret":
            raise SpecError(
                f"!secret {tagged.name}: no service takes a secret from a stack yet",
                hint="Leave it out: services make their own.",
            )
        if tagged.name not in self.variables:
            known = [name for name in self.variables if not name.startswith("_")]
            raise UnknownNameError.among("variable", tagged.name, known)
        return _plain(self.variables[tagged.name], tagged.name)


def _full(services: object, written: Mapping[str, str]) -> object:
    """``services`` with the shorthand written out."""
    if not isinstance(services, dict):
        return services
    full: dict[object, object] = {}
    for name, service in services.items():
        catalog_name = written.get(str(name), name)
        if service is None:
            full[name] = {"service": catalog_name}
        elif isinstance(service, str):
            word, at, version = service.partition("@")
            full[name] = {"service": word, **({"version": version} if at else {})}
        elif isinstance(service, dict):
            full[name] = {"service": catalog_name, **service}
        else:
            full[name] = service
    return full


def _wishes(spec: BodySpec, entries: Mapping[str, CatalogService]) -> dict[str, dict[str, str]]:
    """For each service those of the cell that could meet its needs, so that they join the stack first."""
    wishes: dict[str, dict[str, str]] = {}
    for name, service in spec.services.items():
        open_needs = {key: need for key, need in entries[name].needs.items() if key not in service.needs}
        wishes[name] = dict(service.needs) | {
            f"{key}.{other}": other
            for key, need in open_needs.items()
            for other in spec.services
            if other != name and need.capability in entries[other].provides
        }
    return wishes


def _only(entry: CatalogService, key: str) -> dict[str, Any]:
    """Of the options of ``entry`` that one, or all, where there is none of that name."""
    return {key: entry.options[key]} if key in entry.options else dict(entry.options)


def _plain(value: object, name: str) -> object:
    """A value of the notebook as YAML could have held it, of the same type."""
    if isinstance(value, Mapping):
        return {key: _plain(child, name) for key, child in value.items()}
    if not isinstance(value, (bool, int, float, str)):
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise UsageError(
            f"!py {name} is a {kind}, not text, a number or a truth value",
            hint="Convert it first: str(), int(), bool().",
        )
    return value
