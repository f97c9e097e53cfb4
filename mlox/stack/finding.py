"""How a script or a cell finds what runs, by name alone: ``mlox.get`` and ``mlox.use``."""

from __future__ import annotations

from pathlib import Path

from mlox.errors import ServiceError
from mlox.stack.service import Service
from mlox.stack.stack import Stack


def get(name: str, path: str | Path | None = None) -> Service:
    """The running service of that name in the workspace around ``path`` (by default the current folder).

    Raises:
        UnknownNameError: the workspace has no such service.
        ServiceError: it does not run.

    Example:
        >>> import mlox
        >>> mlox.get("mlflow").url  # doctest: +SKIP
        'http://127.0.0.1:5000'
    """
    service = Stack(path=path).service(name)
    status = service.status().status
    if status in ("stopped", "absent"):
        raise ServiceError(f"{name} is {status}", hint=f"Start it: mlox up {name}.")
    return service


def use(*names: str, path: str | Path | None = None) -> object:
    """Set the clients' environment in this process; hands back the client, or a tuple of clients.

    What the user has set wins; what was set is undone by ``%mlox use --off`` or :func:`mlox.stack.use_off`.

    Raises:
        UsageError: a variable is set to something else already; nothing was set.
        ClientError: a client is not installed; the hint names the package.

    Example:
        >>> import mlox
        >>> tracking = mlox.use("mlflow")  # doctest: +SKIP
    """
    clients = tuple(_client(get(name, path)) for name in names)
    return clients[0] if len(clients) == 1 else clients


def _client(service: Service) -> object:
    if service.has_client:
        return service.client()
    service.use()
    return None
