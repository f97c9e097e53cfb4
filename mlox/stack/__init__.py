"""The live handles: Stack, Server, Service, Component. Here adapters and pure parts are put together."""

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
