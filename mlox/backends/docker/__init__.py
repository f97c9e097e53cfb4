"""Units as containers of an engine that speaks Docker's API; docker-py is loaded when the engine is first asked."""

from importlib.util import find_spec

from mlox.backends.docker.backend import DockerBackend

__all__ = ["DockerBackend"]

if find_spec("docker") is None:
    raise ModuleNotFoundError("No module named 'docker'", name="docker")
