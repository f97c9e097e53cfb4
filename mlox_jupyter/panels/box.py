"""What holds a panel beside the notebook."""

from __future__ import annotations

import traitlets
from ipylab.widgets import Panel


class Box(Panel):  # type: ignore[misc]
    """A box that JupyterLab places: without a layout of its own, which would take away the place that it was given.

    ``LayoutView`` of ipywidgets 8.1 clears ``top``, ``left``, ``width`` and ``height`` of the element when it is shown,
    after JupyterLab has set them, and JupyterLab sets again only what changes.

    Example:
        >>> Box().layout is None
        True
    """

    layout = traitlets.Any(None, allow_none=True).tag(sync=True)
