"""Compose files in and out: the Compose Specification (https://compose-spec.io) and the catalog's services."""

from mlox.compose.findings import Finding
from mlox.compose.importing import SERVER, Imported, Reading, read_compose

__all__ = ["SERVER", "Finding", "Imported", "Reading", "read_compose"]
