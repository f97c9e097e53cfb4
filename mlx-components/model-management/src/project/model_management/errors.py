"""What can be wrong with a model; each is a ModelError that names it."""

from __future__ import annotations


class ModelError(Exception):
    """Above all errors of the store."""


class UnknownModelError(ModelError, LookupError):
    """There is no such model, version or alias."""


class NotBetterError(ModelError):
    """A version is not promoted, since by a rule it is not better than the one that serves."""


class NothingToRollBackError(ModelError):
    """Nothing served before."""
