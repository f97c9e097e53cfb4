"""YAML texts: how they become specs, and how they are changed."""

from mlox.documents.editing import REMOVED, edited
from mlox.documents.reading import explain, line_of, load, parse

__all__ = ["REMOVED", "edited", "explain", "line_of", "load", "parse"]
