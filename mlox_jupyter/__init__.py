"""The notebook front end: ``%load_ext mlox_jupyter`` brings ``%mlox`` and ``%%mlox``."""

from __future__ import annotations

import importlib
import importlib.util
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["ForeignPackageError", "load_ipython_extension", "unload_ipython_extension"]


class ForeignPackageError(ImportError):
    """Another distribution owns the import name ``mlox``; nothing of ours can be relied on, not even our errors."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def _render_traceback_(self) -> list[str]:
        """Two lines in place of a traceback."""
        return [f"error: {self.problem}", f"hint: {self.hint}"]


def load_ipython_extension(shell: Any) -> None:
    """Register the magics and the displays; a second time does nothing.

    Raises:
        ForeignPackageError: the package ``mlox`` here is another program.
    """
    _check_owner()
    importlib.import_module("mlox_jupyter.magics").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take out what :func:`load_ipython_extension` has registered."""
    importlib.import_module("mlox_jupyter.magics").unload(shell)


def _check_owner() -> None:
    """Look whether ``mlox`` is ours, and whole: a package of the same name overwrites some of its files."""
    try:
        package = importlib.import_module("mlox")
        ours = "Stack" in getattr(package, "__all__", ()) and importlib.util.find_spec("mlox.verbs") is not None
    except ImportError:
        ours = False
    if ours:
        return
    own = _own_distribution()
    others = sorted(set(metadata.packages_distributions().get("mlox", ())) - {own})
    found = " and ".join(others) or "something else"
    first = f"pip uninstall -y {' '.join(others)} && " if others else ""
    raise ForeignPackageError(
        f"the package mlox here is {found}, not {own}", hint=f"{first}pip install --force-reinstall {own}"
    )


def _own_distribution() -> str:
    """The name of our distribution, from our own ``errors.py``: ``mlox.errors`` may be another one here."""
    path = Path(__file__).parents[1] / "mlox" / "errors.py"
    spec = importlib.util.spec_from_file_location("_mlox_errors", path)
    if spec is None or spec.loader is None or not path.exists():
        return "the distribution of mlox_jupyter"
    errors = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(errors)
    return str(getattr(errors, "DISTRIBUTION", "the distribution of mlox_jupyter"))
