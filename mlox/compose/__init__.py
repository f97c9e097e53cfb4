"""Compose files in and out: the Compose Specification (https://compose-spec.io) and the catalog's services."""

from mlox.compose.exported import Exported
from mlox.compose.exporting import export_compose
from mlox.compose.findings import Finding
from mlox.compose.importing import SERVER, Imported, Reading, read_compose

__all__ = ["SERVER", "Exported", "Finding", "Imported", "Reading", "export_compose", "read_compose"]
