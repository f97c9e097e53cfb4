"""How a service is reached: addresses put together part by part, and what a client process gets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from mlox.protocols import Endpoint
from mlox.resolve.options import render_option
from mlox.specs import CatalogService, UrlSpec
from mlox.specs.model import Scalar
from mlox.units import Unit
from mlox.variables import Variable, finish, literal, substitute


def offer_url(url: UrlSpec, endpoint: Endpoint, value: Callable[[Variable], str | None] | None = None) -> str:
    """The address of an offer, as a template whose secrets are percent-encoded when they are revealed.

    ``value`` is what stands for a variable of the offer, as for :func:`mlox.variables.substitute`; it is encoded here.

    Example:
        >>> from mlox.specs import UrlSpec
        >>> url = UrlSpec(scheme="redis", port="redis", password="${secret.password}", path="/0")
        >>> offer_url(url, Endpoint("127.0.0.1", 6379))
        'redis://:${quoted.password}@127.0.0.1:6379/0'
    """

    def part(text: str | None) -> str:
        def encoded(variable: Variable) -> str | None:
            if variable.kind == "secret":
                return f"${{quoted.{variable.name}}}"
            found = value(variable) if value is not None else None
            return None if found is None else quote(finish(found), safe="")

        return substitute(text or "", encoded)

    user, password = part(url.user), part(url.password)
    login = f"{user}{':' + password if password else ''}@" if user or password else ""
    return f"{url.scheme}://{login}{endpoint.host}:{endpoint.port}{part(url.path)}"


@dataclass(frozen=True, slots=True)
class ClientTexts:
    """What a client process gets, as templates with secrets left open; ``preferences`` only change its manners.

    ``files`` are the contents of files, by their paths.
    """

    environment: Mapping[str, str]
    preferences: Mapping[str, str]
    arguments: Mapping[str, str]
    files: Mapping[str, str]


def client_texts(
    service: CatalogService,
    units: tuple[Unit, ...],
    options: Mapping[str, Scalar],
    endpoints: Mapping[str, Endpoint],
    folder: str = "",
) -> ClientTexts:
    """The client's environment, arguments and files for somebody who sees ``endpoints`` (by port name).

    Args:
        folder: where the client's files are.
    """
    version = units[0].version if units else service.version
    folders = dict(units[0].directories) if units else {}

    def value(variable: Variable) -> str | None:
        if variable.kind == "version":
            return literal(version)
        if variable.kind == "option":
            return literal(render_option(options[variable.name]))
        if variable.kind == "name":
            return literal(units[0].service if units else service.name)
        if variable.kind == "file":
            return literal(f"{folder}/{variable.name}")
        if variable.kind == "dir":
            return literal(folders[variable.name])
        if variable.kind == "port":
            return str(endpoints[variable.name].port)
        if variable.kind == "host":
            return endpoints[variable.name].host
        if variable.kind == "url":
            return port_url(service, variable.name, endpoints[variable.name], value)
        return None

    client = service.client
    return ClientTexts(
        {key: substitute(text, value) for key, text in client.environment.items()},
        {key: substitute(text, value) for key, text in client.preferences.items()},
        {key: substitute(text, value) for key, text in client.arguments.items()},
        {f"{folder}/{name}": substitute(text, value) for name, text in client.files.items()},
    )


def port_url(
    service: CatalogService, port: str, endpoint: Endpoint, value: Callable[[Variable], str | None] | None = None
) -> str:
    """The address of a port: of the offer that names it, else by its scheme; a template like :func:`offer_url`."""
    urls = (offer.url for offer in service.provides.values() if offer.url is not None)
    if (url := next((url for url in urls if url.port == port), None)) is not None:
        return offer_url(url, endpoint, value)
    return f"{service.ports[port].scheme or service.ports[port].protocol}://{endpoint.host}:{endpoint.port}"
