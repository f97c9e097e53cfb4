"""Parts that are found by name, loaded when they are asked for, and checked before they are handed out."""

from .errors import (
    BrokenPluginError,
    DuplicatePluginError,
    IncompatiblePluginError,
    PluginError,
    UnknownPluginError,
)
from .plugin import Plugin
from .registry import Registry, subclass_of, with_methods

__all__ = [
    "BrokenPluginError",
    "DuplicatePluginError",
    "IncompatiblePluginError",
    "Plugin",
    "PluginError",
    "Registry",
    "UnknownPluginError",
    "subclass_of",
    "with_methods",
]
