"""One component of a workspace, as a live handle: ``mlox.Component``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlox.components import ComponentWord
from mlox.components.changes import Change
from mlox.components.resolving import Side
from mlox.components.views import View
from mlox.protocols import Emit, silent
from mlox.specs.model import Scalar
from mlox.stack.component_changes import Changes
from mlox.stack.components import Components, options_of
from mlox.stack.components import install as install_all
from mlox.stack.stack import Stack
from mlox.values import ComponentRow


class Component:
    """Source code that is added to the user's repository, and belongs to the user from then on.

    Args:
        name: its name in a registry. ``path``: a folder of the workspace, by default the current one.

    Raises:
        UnknownNameError: no registry has it, nor has the workspace.

    Example:
        >>> import tempfile
        >>> component = Component("feature-store", path=tempfile.mkdtemp())
        >>> component.state
        'missing'
        >>> len(component.add())
        6
        >>> component.state
        'clean'
    """

    def __init__(self, name: str, path: str | Path | None = None) -> None:
        self.name = name
        self._components = Components(Stack(path=path))
        if name not in self._components.added():
            self._components.template(name)

    def __repr__(self) -> str:
        return f"Component({self.name!r})"

    def add(
        self,
        *,
        to: str | Path | None = None,
        options: Mapping[str, Scalar] | None = None,
        install: bool = False,
        emit: Emit = silent,
    ) -> tuple[Path, ...]:
        """Write it into the repository, all of it or nothing; returns its files. A second time nothing happens.

        Args:
            to: the folder of the package that it goes into, by default the only one there is.
            options: see ``mlox info NAME``. ``install``: its dependencies too, into the Python that runs.

        Raises:
            WorkspaceError: files are there and differ; nothing was written.
            UsageError: it is there with other options, or there are several packages.
            RequirementError: its dependencies cannot be installed; nothing was written.
        """
        components = self._components
        template = components.template(self.name)
        typed, place = options_of(template, options or {}), None if to is None else str(to)
        if install:
            components.plan(template, to=place, options=typed)
            install_all(tuple(template.spec.dependencies), self.name, emit)
        components.add(template, to=place, options=typed, emit=emit)
        return tuple(components.tree.at(file) for file in components.added()[self.name].files)

    def remove(self, *, keep: bool = False, emit: Emit = silent) -> tuple[Path, ...]:
        """Take it out of the repository; returns the files that stay, since they were edited.

        With ``keep`` all of its code stays, and mlox forgets it.

        Raises:
            UnknownNameError: the workspace does not have it.
        """
        removal = self._components.remove(self.name, keep=keep, emit=emit)
        return tuple(self._components.tree.at(file) for file in removal.kept)

    def update(self, *, options: Mapping[str, Scalar] | None = None, emit: Emit = silent) -> tuple[Change, ...]:
        """Bring it to the newest version, with what the user made of it; returns what became of each file.

        What both sides changed stays as the user has it, and waits for :meth:`resolve`: a change whose ``word`` is
        ``conflict``.

        Raises:
            UnknownNameError: the workspace does not have it. UsageError: the last update left conflicts.
            WorkspaceError: a file to be merged does not parse; nothing was written.
        """
        template = self._components.template(self.name)
        update = Changes(self._components).update(
            self.name, template, options=options_of(template, options or {}), emit=emit
        )
        return () if update is None else update.changes

    def resolve(
        self, side: Side = "mine", *, edited: Mapping[str, str] | None = None, emit: Emit = silent
    ) -> tuple[Path, ...]:
        """Settle what an update left open; returns the files that it was about.

        Args:
            side: whose version of what both sides changed stays, ``mine`` or ``theirs``.
            edited: texts to take instead, by path in the workspace.

        Raises:
            UnknownNameError: the workspace does not have it. UsageError: nothing is open.
            WorkspaceError: a text does not parse, or has markers of a merge in it; nothing was settled.
        """
        texts = {path: text.encode() for path, text in (edited or {}).items()}
        resolution = Changes(self._components).resolve(self.name, side, texts, emit=emit)
        return tuple(self._components.tree.at(file) for file in resolution.files)

    def undo(self, *, emit: Emit = silent) -> str:
        """Take the last change back, which must have been one of this component; returns what it was.

        Changes lie on each other: where the last one was of another component, that one is taken back first.

        Raises:
            UsageError: there is none, or it was of another component. WorkspaceError: a file of it was edited since.

        Example:
            >>> import tempfile
            >>> component = Component("plugin-registry", path=tempfile.mkdtemp())
            >>> files = component.add()
            >>> component.undo()
            'add plugin-registry 1.0'
            >>> component.state
            'missing'
        """
        return Changes(self._components).undo(of=self.name, emit=emit).what

    def diff(self, view: View = "mine", *, formatting: bool = False) -> str:
        """Unified diffs: ``mine``, from what was injected to what is there; ``incoming``, to what is new; ``result``.

        Raises:
            UnknownNameError: the workspace does not have it.
        """
        template = None if view == "mine" else self._components.template(self.name)
        found = Changes(self._components).diff(self.name, view, template, formatting=formatting)
        return "\n".join(line for one in found for line in one.lines())

    def row(self) -> ComponentRow | None:
        """How it stands, with its version and files; None where the workspace does not have it."""
        rows = self._components.rows(self.name)
        return rows[0] if rows else None

    @property
    def state(self) -> ComponentWord:
        """``clean``, ``edited``, ``update`` (there is a newer one), ``conflict``, or ``missing`` (a file, or all)."""
        record = self._components.added().get(self.name)
        return "missing" if record is None else self._components.state(record)
