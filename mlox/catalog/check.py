"""Whether the parts of a catalog service fit each other: every name that a text or a probe uses is declared."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from mlox.catalog.pods import check_pods
from mlox.errors import MloxError, SpecError, UnknownNameError
from mlox.specs import CONFIG, BackupSpec, CatalogService, UnitSpec, UrlSpec, VerifySpec
from mlox.variables import Variable, references


def check(service: CatalogService, *, source: str) -> None:
    """Raise a :class:`SpecError` for the first name that does not fit."""
    for where, text, kinds in _texts(service):
        try:
            for variable in references(text):
                _known(service, variable, kinds, where)
        except MloxError as error:
            raise SpecError(f"{source}: {where}: {error.problem}", hint=error.hint) from error
    for where, port in _port_names(service):
        if port not in service.ports:
            raise SpecError(
                f"{source}: {where}: no port {port!r}", hint=f"Declare it below ports: {sorted(service.ports)}."
            )
    _options_of_packages(service, source)
    for where, unit in _unit_names(service):
        if unit not in service.units:
            raise SpecError(f"{source}: {where}: no unit {unit!r}", hint=f"Units: {sorted(service.units)}.")
    _apart(service, source)
    if service.client.password is not None and service.client.password not in service.secrets:
        raise SpecError(f"{source}: client.password: no secret {service.client.password!r}", hint="Declare it.")
    if service.kind == "service" and not service.units:
        raise SpecError(f"{source}: a service needs at least one unit", hint="Add units:, or say kind: connector.")
    if service.units and not service.backends:
        raise SpecError(f"{source}: no back end can run every unit", hint="Give each unit native or image.")
    check_pods(service, source=source)


_SERVER = ("bind", "port", "published", "dir", "secret", "secretfile", "need", "option", "version", "name")
_COMMAND = tuple(kind for kind in _SERVER if kind != "secret")
_FILE = (*_SERVER, "bcrypt")
_IN_PROCESS_LISTS = frozenset({"command", "native.command", "probe.exec"})
_INSIDE = ("port", "published", "dir", "option", "version", "name")
_CLIENT = ("port", "host", "url", "secret", "option", "version", "name", "file", "dir")


def _texts(service: CatalogService) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for name, unit in service.units.items():
        for where, text in _unit_texts(unit):
            in_file = _FILE if where.startswith("files.") else _SERVER
            yield f"units.{name}.{where}", text, _COMMAND if where in _IN_PROCESS_LISTS else in_file
    for name, need in service.needs.items():
        own = tuple(kind for kind in _SERVER if kind != "need")
        yield from ((f"needs.{name}.embedded.{key}", text, own) for key, text in (need.embedded or {}).items())
        yield from ((f"needs.{name}.packages", text, ("version",)) for text in need.packages)
        yield from ((f"needs.{name}.environment.{key}", text, _SERVER) for key, text in need.environment.items())
        yield from ((f"needs.{name}.wired.{key}", text, _SERVER) for key, text in need.wired.items())
    for name, job in service.jobs.items():
        yield from ((f"jobs.{name}.argv", text, (*_INSIDE, "secretfile")) for text in job.argv)
    for name, secret in service.secrets.items():
        yield from ((f"secrets.{name}.rotate", text, _INSIDE) for text in secret.rotate or ())
    for name, inside in _commands(service).items():
        yield from ((f"{name}.argv", text, _INSIDE) for text in inside.argv)
    for name, provide in service.provides.items():
        for key, text in _offered(provide.url, provide.values).items():
            kinds = ("secret", "option", "version")
            yield f"provides.{name}.{key}", text, (*kinds, "dir") if key in provide.values else kinds
        if provide.grant is not None:
            for key, text in _offered(provide.grant.url, provide.grant.values).items():
                yield f"provides.{name}.grant.{key}", text, ("grant", "option", "version")
            yield from ((f"provides.{name}.grant.argv", text, _INSIDE) for text in provide.grant.commands)
    for key, text in {
        **service.client.environment,
        **service.client.preferences,
        **service.client.arguments,
    }.items():
        yield f"client.{key}", text, _CLIENT
    yield from ((f"client.files.{key}", text, (*_CLIENT, "escaped")) for key, text in service.client.files.items())


def _options_of_packages(service: CatalogService, source: str) -> None:
    for name, unit in service.units.items():
        chosen = unit.native.python.option if unit.native and unit.native.python else None
        if chosen is not None and chosen not in service.options:
            where = f"units.{name}.native.python.option"
            raise SpecError(f"{source}: {where}: no option {chosen!r}", hint="Declare it below options.")


def _apart(service: CatalogService, source: str) -> None:
    """Secrets of the service, and those that providers give it, have names of their own."""
    for secret, need in itertools.product(service.secrets, service.needs):
        if secret.startswith(f"{need}_"):
            raise SpecError(
                f"{source}: secrets.{secret}: what a provider of the need {need!r} gives may have that name",
                hint=f"Choose a name that does not begin with {need}_.",
            )


def _commands(service: CatalogService) -> dict[str, VerifySpec | BackupSpec]:
    """The commands that run inside a unit when somebody asks for it."""
    found = {"verify": service.verify, "backup": service.backup, "restore": service.restore}
    return {name: inside for name, inside in found.items() if inside is not None}


def _offered(url: UrlSpec | None, values: Mapping[str, str]) -> dict[str, str]:
    """The texts of an offer by their keys."""
    if url is None:
        return dict(values)
    return {"path": url.path, "user": url.user or "", "password": url.password or "", **values}


def _unit_names(service: CatalogService) -> Iterator[tuple[str, str]]:
    yield from ((f"jobs.{name}", job.unit) for name, job in service.jobs.items())
    yield from ((name, inside.unit) for name, inside in _commands(service).items())
    for name, provide in service.provides.items():
        if provide.grant is not None:
            yield f"provides.{name}.grant", provide.grant.unit


def _unit_texts(unit: UnitSpec) -> Iterator[tuple[str, str]]:
    yield from (("image", text) for text in (unit.image or "",))
    yield from (("command", text) for text in (*(unit.command or ()), *(unit.entrypoint or ())))
    yield from ((f"environment.{key}", text) for key, text in unit.environment.items())
    yield from (
        (f"files.{name}", text) for name, file in unit.files.items() for text in (file.content, file.path or "")
    )
    if unit.probe is not None and unit.probe.exec is not None:
        yield from (("probe.exec", text) for text in unit.probe.exec)
    if unit.native is not None:
        yield from (("native.command", text) for text in unit.native.command or ())
        yield from ((f"native.environment.{key}", text) for key, text in unit.native.environment.items())
        if unit.native.python is not None:
            yield from (("native.python.packages", text) for text in unit.native.python.packages)


def _port_names(service: CatalogService) -> Iterator[tuple[str, str]]:
    for name, unit in service.units.items():
        yield from ((f"units.{name}.listens", port) for port in unit.listens or ())
        probes = (unit.probe.http, unit.probe.tcp) if unit.probe else ()
        yield from ((f"units.{name}.probe", probe.port) for probe in probes if probe is not None)
    for name, provide in service.provides.items():
        urls = {f"provides.{name}.url": provide.url} if provide.url is not None else {}
        if provide.grant is not None:
            urls[f"provides.{name}.grant.url"] = provide.grant.url
        for where, url in urls.items():
            yield from ((where, port) for port in (url.port, url.containers) if port is not None)


def _known(service: CatalogService, variable: Variable, kinds: tuple[str, ...], where: str) -> None:
    if variable.kind not in kinds:
        raise SpecError(f"${{{variable.kind}...}} cannot be used here", hint=f"Here there are: {', '.join(kinds)}.")
    declared: dict[str, Mapping[str, object]] = {
        "port": service.ports,
        "published": service.ports,
        "url": service.ports,
        "host": service.ports,
        "dir": {**service.data, CONFIG: None},
        "secret": service.secrets,
        "secretfile": service.secrets,
        "escaped": service.secrets,
        "bcrypt": service.secrets,
        "file": service.client.files,
        "need": service.needs,
        "option": service.options,
    }
    names = declared.get(variable.kind)
    if names is not None and variable.name not in names:
        raise UnknownNameError.among(variable.kind, variable.name, names)
    if variable.kind == "grant":
        _granted(service, variable, where)
    if variable.kind == "need":
        _needed(service, variable, where)


def _granted(service: CatalogService, variable: Variable, where: str) -> None:
    grant = service.provides[where.split(".")[1]].grant
    names = (*grant.names, *grant.secrets) if grant is not None else ()
    if variable.name not in names:
        raise UnknownNameError.among("name or secret of the grant", variable.name, names)


def _needed(service: CatalogService, variable: Variable, where: str) -> None:
    """What a need is met by: of a provider anything, since it is not known yet; without one what is embedded."""
    if where.startswith(f"needs.{variable.name}."):
        return
    if ".wired." in where:
        raise SpecError(f"the need {variable.name!r} cannot be used here", hint="Use the values of this need.")
    embedded = service.needs[variable.name].embedded
    if embedded is not None and variable.value not in embedded:
        raise UnknownNameError.among(f"value of need {variable.name!r}", variable.value, embedded)
