"""The verb that opens a panel in a notebook."""

from __future__ import annotations

from typing import Annotated, Any

from mlox.errors import UnknownNameError, UsageError
from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

PANELS = ("stack", "catalog", "components", "secrets")
"""The panels that there are."""


class PanelAsked(Value):
    """That somebody wants a panel; the notebook's front end opens it.

    Attributes:
        panel: its name. ``here``: it stays in its cell.
    """

    def __init__(self, panel: str, *, here: bool = False) -> None:
        self.panel = panel
        self.here = here

    def text(self, *, detail: bool = False) -> str:
        """Nothing: the panel shows itself."""
        return ""

    def to_json(self) -> dict[str, Any]:
        """Its name."""
        return {"panel": self.panel}


@verb("panel", group="more")
def panel(
    ctx: Context,
    name: Annotated[str, f"which: {', '.join(PANELS)}"],
    *,
    here: Annotated[bool, "keep it in its cell, where JupyterLab would put it beside the notebook"] = False,
) -> Value:
    """Open a panel in a notebook: a live view of services, components or secrets, and what can be done with them."""
    check_panel(name)
    if ctx.front != "notebook":
        raise UsageError("panels are for notebooks", hint=f"In a notebook: %mlox panel {name}.")
    return PanelAsked(name, here=here)


def check_panel(name: str) -> None:
    """Refuse a panel that there is not.

    Raises:
        UnknownNameError: it is none.
    """
    if name not in PANELS:
        raise UnknownNameError.among("panel", name, PANELS)
