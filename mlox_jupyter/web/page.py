"""What the page consists of: a notebook with a cell for each panel, and what such a cell runs in the kernel."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from mlox.errors import MloxError
from mlox.verbs.panels import PANELS
from mlox_jupyter import load_ipython_extension
from mlox_jupyter.panels import close_all, open_panel
from mlox_jupyter.web.kernels import KERNEL


def notebook(folder: Path, profile: str | None) -> dict[str, Any]:
    """The page's notebook, in Jupyter's format 4.5; nobody sees its code.

    Example:
        >>> [cell["metadata"]["panel"] for cell in notebook(Path("/work/churn"), None)["cells"]]
        ['stack', 'catalog', 'components', 'secrets']
    """
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": name,
            "metadata": {"panel": name, "title": name.capitalize()},
            "source": f"from mlox_jupyter.web import page\npage.panel({name!r}, {str(folder)!r}, {profile!r})",
            "execution_count": None,
            "outputs": [],
        }
        for name in PANELS
    ]
    where = f"{folder.name} ({profile})" if profile else folder.name
    metadata = {"kernelspec": {"name": KERNEL, "display_name": "mlox", "language": "python"}, "title": f"mlox: {where}"}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def panel(name: str, folder: str, profile: str | None) -> object:
    """A panel, or what is wrong, as text: Voilà shows no error of a cell."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None:
        load_ipython_extension(shell)
        shell.observe(_end, "exit_now")
    try:
        return open_panel(name, folder=Path(folder), profile=profile, here=True)
    except MloxError as error:
        return Text(f"error: {error.problem}" + (f"\nhint: {error.hint}" if error.hint else ""))


class Text(str):
    """A text that a cell shows without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _end(_: object) -> None:
    """Close the panels before the kernel ends, and wait for what they have under way: ending kills its processes."""
    close_all()
    for thread in threading.enumerate():
        if thread.name.startswith("mlox-panel-") and not thread.daemon:
            thread.join()
