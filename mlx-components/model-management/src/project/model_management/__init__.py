"""Versions of models: registered, compared by their metrics, promoted by alias, and rolled back."""

from .comparing import Change, Rule, compared
from .errors import ModelError, NotBetterError, NothingToRollBackError, UnknownModelError
from .store import ModelStore
from .versions import ModelVersion

__all__ = [
    "Change",
    "ModelError",
    "ModelStore",
    "ModelVersion",
    "NotBetterError",
    "NothingToRollBackError",
    "Rule",
    "UnknownModelError",
    "compared",
]
