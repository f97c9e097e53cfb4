"""Features for training and for serving: built once from a DataFrame, read online and offline, by Feast."""

from .definitions import FeatureTable
from .settings import Settings
from .store import FeatureStore

__all__ = ["FeatureStore", "FeatureTable", "Settings"]
