"""A typed configuration, put together from YAML groups and overrides, checked before anything runs."""

from .errors import ConfigError
from .loading import load, load_as
from .schema import Config
from .secrets import EnvSecret

__all__ = ["Config", "ConfigError", "EnvSecret", "load", "load_as"]
