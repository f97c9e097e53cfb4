"""What a live handle shows of itself: the facts of a service or a component, looked up without letting a cell wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from mlox.errors import MloxError

if TYPE_CHECKING:
    from mlox.stack import Component, Service

PATIENCE_S = 2.0
"""How long a cell waits at most for the facts of what it shows."""

Facts = tuple[tuple[str, str], ...]


def facts_of(handle: Service | Component, *, patience_s: float | None = None) -> Facts | None:
    """The names and texts of its facts; None where they cannot be told, or not soon enough: nothing is raised.

    Args:
        patience_s: how long is waited at most, in seconds; None: ``PATIENCE_S``. What is slower goes on unheard.

    Example:
        >>> import mlox, tempfile
        >>> service = mlox.Stack("churn", path=tempfile.mkdtemp()).add("mlflow")
        >>> facts_of(service, patience_s=60)[:2]
        (('name', 'mlflow'), ('status', 'absent'))
    """
    look = _component if hasattr(handle, "state") else _service
    found: Future[Facts] = Future()
    threading.Thread(target=_looked, args=(found, look, handle), name="mlox-shown", daemon=True).start()
    try:
        facts = found.result(PATIENCE_S if patience_s is None else patience_s)
    except (MloxError, OSError, TimeoutError):
        return None
    return (("name", handle.name), *((name, text) for name, text in facts if text)) if facts else None


def _looked(found: Future[Facts], look: Callable[..., Facts], handle: Service | Component) -> None:
    try:
        found.set_result(look(handle))
    except (MloxError, OSError) as error:
        found.set_exception(error)


def _service(service: Service) -> Facts:
    """What ``status`` tells of it."""
    row = service.status()
    return (
        ("status", row.status),
        ("address", row.url or row.edge or ", ".join(row.ports.values())),
        ("version", f"{row.service} {row.version}"),
        ("server", row.server),
        ("note", row.note),
    )


def _component(component: Component) -> Facts:
    """What ``status`` tells of it."""
    row = component.row()
    if row is None:
        return (("state", "missing"), ("add it", f"{{mlox}} add {component.name}"))
    return (("state", row.state), ("version", row.version), ("files", ", ".join(row.paths)), ("note", row.note))
