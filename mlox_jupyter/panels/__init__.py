"""Panels: live views of a stack in a notebook, from which verbs are called.

In a cell: ``%mlox panel stack``. In the words of a script: ``mlox_jupyter.panels.open_panel("stack")``.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING

from mlox.errors import DISTRIBUTION, RequirementError
from mlox.verbs.panels import check_panel

if TYPE_CHECKING:
    from pathlib import Path

    from mlox_jupyter.panels.panel import Panel

CLASSES = {
    "catalog": "mlox_jupyter.panels.catalog:CatalogPanel",
    "components": "mlox_jupyter.panels.components:ComponentsPanel",
    "secrets": "mlox_jupyter.panels.secrets:SecretsPanel",
    "stack": "mlox_jupyter.panels.stack:StackPanel",
}
"""Where each panel is, by its name."""


def open_panel(name: str, *, folder: Path | None = None, profile: str | None = None, here: bool = False) -> Panel:
    """A panel, which the cell shows. One of the same name that is open in this kernel is closed.

    Args:
        folder: where the workspace is looked for; None is the current folder.
        here: it stays in its cell, also where JupyterLab could put it beside the notebook.

    Raises:
        UnknownNameError: there is no such panel. RequirementError: what draws it is not installed.
    """
    check_panel(name)
    if importlib.util.find_spec("anywidget") is None:
        raise RequirementError(
            "panels need anywidget, which is not installed in this kernel",
            hint=f"%pip install '{DISTRIBUTION}[panels]', then restart the kernel; JupyterLab needs it as well.",
        )
    module, _, class_name = CLASSES[name].partition(":")
    kind: type[Panel] = getattr(importlib.import_module(module), class_name)
    return kind.opened(folder, profile, here=here)


def close_all() -> None:
    """Close every panel of this kernel; nothing is loaded where none was opened."""
    loaded = sys.modules.get("mlox_jupyter.panels.panel")
    if loaded is not None:
        loaded.close_all()
