"""What can be wrong with a plugin; each is a PluginError that names the registry and the plugin."""

from __future__ import annotations


class PluginError(Exception):
    """Above all errors of a registry."""


class UnknownPluginError(PluginError, LookupError):
    """There is no plugin of that name."""


class DuplicatePluginError(PluginError, ValueError):
    """Two plugins have one name; the first stays."""


class IncompatiblePluginError(PluginError):
    """A plugin is for another version of the interface, or is not of the version that is asked for."""


class BrokenPluginError(PluginError):
    """A plugin cannot be loaded, or is not what the registry holds; the cause says why."""
