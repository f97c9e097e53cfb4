"""Panels beside the notebook, where JupyterLab is the page: by ipylab, which asks JupyterLab's own shell.

A panel is docked when its browser's part, which knows the page, has asked for it; the first one beside the notebook,
the others behind that. Where ipylab is not in JupyterLab's environment nothing comes of it, and it stays in its cell.

Source: https://github.com/jtpio/ipylab
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anywidget import AnyWidget


class Dock:
    """What of this kernel is docked; nothing is loaded before something is.

    Example:
        >>> Dock().docked
        {}
    """

    def __init__(self) -> None:
        self._shell: Any = None
        self._boxes: dict[str, Any] = {}
        self._told: dict[str, Callable[[bool], None]] = {}
        self._asked: Any = None  # the first one, until JupyterLab has answered: the others are placed by where that is
        self.docked: dict[str, str] = {}
        """The id that JupyterLab gave to each docked panel, by its name."""

    @staticmethod
    def is_there() -> bool:
        """Whether this kernel has what docks."""
        return importlib.util.find_spec("ipylab") is not None

    def add(self, name: str, widget: AnyWidget, tell: Callable[[bool], None]) -> None:
        """Ask for a widget to be docked; ``tell`` hears whether it is, whenever that changes."""
        from ipylab.shell import Shell

        from mlox_jupyter.panels.box import Box

        if name in self._boxes:
            return
        if self._shell is None:
            self._shell = Shell()
            self._shell.observe(self._changed, "_widgets")
        box = Box(children=[widget])
        box.title.label = f"mlox {name}"
        self._boxes[name], self._told[name] = box, tell
        if self.docked or self._asked is None:
            self._place(box)

    def remove(self, name: str) -> None:
        """Take a panel out, which stays in its cell; does nothing where it is not docked."""
        box, tell = self._boxes.pop(name, None), self._told.pop(name, None)
        self.docked.pop(name, None)
        if box is not None and tell is not None:
            tell(False)
            box.close()
            if box is self._asked:
                self._asked = None
                if waiting := next(iter(self._boxes.values()), None):
                    self._place(waiting)

    def _place(self, box: Any) -> None:
        """Beside the notebook; behind one that is there."""
        self._asked = None if self.docked else box
        behind = next(iter(self.docked.values()), None)
        where = {"mode": "split-right"} if behind is None else {"mode": "tab-after", "ref": behind}
        self._shell.add(box, "main", where)

    def _changed(self, change: Mapping[str, Any]) -> None:
        """Hear from JupyterLab what is docked now."""
        ids = _ids(change["new"])
        waiting = [] if self.docked else [box for box in self._boxes.values() if f"IPY_MODEL_{box.model_id}" not in ids]
        for name, box in list(self._boxes.items()):
            model = f"IPY_MODEL_{box.model_id}"
            if model in ids and name not in self.docked:
                self.docked[name] = ids[model]
                self._told[name](True)
            elif model not in ids and name in self.docked:  # somebody has closed its tab
                self.remove(name)
        if self.docked:
            self._asked = None
            for box in waiting:
                self._place(box)


def _ids(widgets: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The id of each docked widget, by its model."""
    return {str(one.get("serializedWidget")): str(one.get("id")) for one in widgets}


DOCK = Dock()
"""That of this kernel."""
