"""The live handles: Stack, Server, Service, Component. Here adapters and pure parts are put together.

Each name is loaded when it is asked for: whoever deploys needs nothing of components, of moves or of explanations.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlox.stack.component import Component
    from mlox.stack.components import Components, install, options_of
    from mlox.stack.deployment import Deployment
    from mlox.stack.environment import Environment, Used, in_use, use_off
    from mlox.stack.finding import get, use
    from mlox.stack.joining import Asked, read_assignments
    from mlox.stack.reasons import case_of, origins
    from mlox.stack.server import Server
    from mlox.stack.service import Service
    from mlox.stack.stack import Stack

_PLACES = {
    "Asked": "joining",
    "Component": "component",
    "Components": "components",
    "Deployment": "deployment",
    "Environment": "environment",
    "Server": "server",
    "Service": "service",
    "Stack": "stack",
    "Used": "environment",
    "case_of": "reasons",
    "get": "finding",
    "in_use": "environment",
    "install": "components",
    "options_of": "components",
    "origins": "reasons",
    "read_assignments": "joining",
    "use": "finding",
    "use_off": "environment",
}

__all__ = [
    "Asked",
    "Component",
    "Components",
    "Deployment",
    "Environment",
    "Server",
    "Service",
    "Stack",
    "Used",
    "case_of",
    "get",
    "in_use",
    "install",
    "options_of",
    "origins",
    "read_assignments",
    "use",
    "use_off",
]

if not TYPE_CHECKING:  # a type checker sees the imports above, and so also a name that is none

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module 'mlox.stack' has no attribute {name!r}")
        value = globals()[name] = getattr(importlib.import_module(f"mlox.stack.{_PLACES[name]}"), name)
        return value
