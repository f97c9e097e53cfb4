"""How a service joins a stack: its name, pinned version, server, options and wiring, decided once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from mlox.catalog import Catalog
from mlox.documents import explain
from mlox.errors import SpecError, UnknownNameError, UsageError
from mlox.resolve import check_options, decide_needs, read_option
from mlox.specs import CatalogService, ServiceSpec, StackSpec
from mlox.specs.model import Scalar


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: a catalog service or the name of one in the stack; None and empty mean "as it comes"."""

    service: str
    version: str | None = None
    name: str | None = None
    server: str | None = None
    needs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Scalar] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)


def read_assignments(texts: tuple[str, ...], service: CatalogService) -> dict[str, Scalar]:
    """The options in ``--set name=value`` texts, typed by the service.

    Raises:
        UsageError: a text has no ``=``. UnknownNameError: no such option. SpecError: the value does not fit.
    """
    values: dict[str, Scalar] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set takes NAME=VALUE, not {text!r}", hint="For example: --set workers=2.")
        if name not in service.options:
            raise UnknownNameError.among("option", name, service.options, where=f"{service.name}: ")
        values[name] = read_option(service.options[name], value, where=f"{service.name}: option {name!r}")
    return values


def join(
    stack: StackSpec,
    asked: Asked,
    catalog: Catalog,
    found_version: Callable[[CatalogService], str | None],
    *,
    change_options: bool = False,
) -> tuple[StackSpec, str]:
    """The stack with the service in it, and the name that it has there; what nobody said of it is decided.

    Asking again with the same words changes nothing; with others it is an error that names the difference, but for
    options where ``change_options`` is set. ``found_version`` is the version of a program that the server has.

    Raises:
        UnknownNameError, SpecError, WiringError: the service, its version, an option or a need cannot be.
        UsageError: a service of that name is there and differs.
    """
    name = asked.name or asked.service
    there = stack.services.get(name)
    if there is not None and (asked.name is None or there.service == asked.service):
        return _same(stack, name, there, asked, catalog, change_options), name
    if there is not None:
        raise UsageError(f"{name!r} is a {there.service} already", hint="Choose another name with --as.")
    service = catalog.get(asked.service, asked.version).service
    if asked.version is not None:
        check_version(service, asked.version)
    check_options(service, asked.options, where=name)
    values = {
        "service": service.name,
        "version": asked.version,
        "needs": dict(asked.needs),
        "options": dict(asked.options),
        "ports": dict(asked.ports),
        "server": asked.server or "local",
    }
    return decide(with_service(stack, name, values), name, catalog, found_version), name


def decide(
    stack: StackSpec,
    name: str,
    catalog: Catalog,
    found_version: Callable[[CatalogService], str | None],
    ran: Mapping[str, str] | None = None,
) -> StackSpec:
    """The stack with what a person left open of one service decided: its version and its wiring.

    ``ran`` is the intent of what there is of the service already: it moves nowhere because ``mlox.yaml`` is silent.

    Raises:
        SpecError, WiringError, UnknownNameError: the version or a need cannot be.
    """
    there = stack.services[name]
    ran = ran or {}
    service = catalog.get(there.service, there.version or ran.get("version")).service
    version = there.version or ran.get("version") or found_version(service) or service.version
    if version != ran.get("version"):
        check_version(service, version)
    others = {other: spec.service for other, spec in stack.services.items() if other != name}
    provides = {other: tuple(catalog.get(kind).service.provides) for other, kind in others.items()}
    wired = {need: ran[f"needs.{need}"].split()[0] for need in service.needs if f"needs.{need}" in ran}
    needs = decide_needs(name, service, stack, provides, {**wired, **there.needs})
    if (version, needs) == (there.version, there.needs):
        return stack
    return with_service(stack, name, {**there.model_dump(), "version": version, "needs": needs})


def check_version(service: CatalogService, version: str) -> None:
    """Raise a :class:`SpecError` for a version that the catalog entry does not support."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    try:
        fits = not service.supports or SpecifierSet(service.supports).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        fits = False
    if not fits:
        raise SpecError(
            f"{service.name} {version} is not supported: the catalog entry fits {service.supports}",
            hint=f"Take {service.name}@{service.version}, or leave the version out.",
        )


def with_service(stack: StackSpec, name: str, values: Mapping[str, object]) -> StackSpec:
    """The stack with one service written anew, validated."""
    services = {key: spec.model_dump() for key, spec in stack.services.items()} | {name: dict(values)}
    try:
        return StackSpec.model_validate({**stack.model_dump(by_alias=True), "services": services})
    except ValidationError as error:
        raise explain(error, StackSpec, source=name) from error


def _same(
    stack: StackSpec, name: str, there: ServiceSpec, asked: Asked, catalog: Catalog, change_options: bool
) -> StackSpec:
    """The stack as it is, or with changed options, where ``asked`` names a service that is there."""
    differs: list[str] = []
    pairs = (("version", asked.version, there.version), ("server", asked.server, there.server))
    for what, wanted, has in pairs:
        if wanted is not None and has not in (None, wanted):
            differs.append(f"{what} is {has}, not {wanted}")
    for need, provider in asked.needs.items():
        if there.needs.get(need, provider) != provider:
            differs.append(f"{need} is {there.needs[need]}, not {provider}")
    for port, number in asked.ports.items():
        if there.ports.get(port) != number:
            differs.append(f"port {port} is {there.ports.get(port, 'not chosen')}, not {number}")
    changed = {key: value for key, value in asked.options.items() if there.options.get(key) != value}
    service = catalog.get(there.service, there.version).service
    check_options(service, {**there.options, **asked.options}, where=name)
    if not change_options:
        known = check_options(service, there.options, where=name)
        changed = {key: value for key, value in changed.items() if known[key] != value}
        differs += [f"{key} is {known[key]}, not {value}" for key, value in changed.items()]
    if differs:
        elsewhere = asked.server is not None and asked.server != there.server
        otherwise = "Change it in mlox.yaml if you mean to, then run `mlox up`; or add a second one with --as."
        raise UsageError(
            f"{name} is in mlox.yaml already, and differs: {'; '.join(differs)}",
            hint=f"Move it: mlox move {name} --to {asked.server}; or add a second one with --as."
            if elsewhere
            else otherwise,
        )
    values = {
        **there.model_dump(),
        "version": there.version or asked.version,
        "needs": {**asked.needs, **there.needs},
        "options": {**there.options, **changed},
    }
    return with_service(stack, name, values)
