"""The live handles: Stack, Server, Service. Here adapters and pure parts are put together."""

from mlox.stack.deployment import Deployment
from mlox.stack.environment import Environment, Used, use_off
from mlox.stack.finding import get, use
from mlox.stack.joining import Asked, read_assignments
from mlox.stack.reasons import case_of, origins
from mlox.stack.server import Server
from mlox.stack.service import Service
from mlox.stack.stack import Stack

__all__ = [
    "Asked",
    "Deployment",
    "Environment",
    "Server",
    "Service",
    "Stack",
    "Used",
    "case_of",
    "get",
    "origins",
    "read_assignments",
    "use",
    "use_off",
]
