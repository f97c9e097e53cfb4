"""mlox: real MLOps services from a notebook cell, a script or the shell.

Example:
    >>> import mlox
    >>> mlox.Secret("s3cret")
    Secret('***', version=None)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlox import secrets
    from mlox.components.merge import merge
    from mlox.errors import MloxError
    from mlox.plan import Plan
    from mlox.secret import Secret
    from mlox.stack import Component, Server, Service, Stack, get, use

__version__ = "0.1.0"

_PUBLIC = {
    "Component": "mlox.stack",
    "MloxError": "mlox.errors",
    "Plan": "mlox.plan",
    "Secret": "mlox.secret",
    "Server": "mlox.stack",
    "Service": "mlox.stack",
    "Stack": "mlox.stack",
    "get": "mlox.stack",
    "merge": "mlox.components.merge",
    "secrets": "",
    "use": "mlox.stack",
}

__all__ = ["Component", "MloxError", "Plan", "Secret", "Server", "Service", "Stack", "get", "merge", "secrets", "use"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = (
            getattr(importlib.import_module(_PUBLIC[name]), name)
            if _PUBLIC[name]
            else importlib.import_module(f"mlox.{name}")
        )
        globals()[name] = value
        return value
    raise AttributeError(f"module 'mlox' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext mlox``: the same as ``%load_ext mlox_jupyter``."""
    importlib.import_module("mlox_jupyter").load_ipython_extension(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext mlox``: the same as ``%unload_ext mlox_jupyter``."""
    importlib.import_module("mlox_jupyter").unload_ipython_extension(shell)
