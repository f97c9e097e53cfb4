"""What is done to components that are there: compared, updated, settled, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mlox.components import EditPlan, Place, Record, Template, Tree, closure, refuse_changed
from mlox.components.inject import injected
from mlox.components.protection import refuse_protected
from mlox.components.resolving import Resolution, Side, plan_resolution
from mlox.components.settings import settings_of
from mlox.components.undoing import Undo, plan_undo
from mlox.components.updating import Update, plan_update
from mlox.components.views import FileDiff, View, my_edits, outcome, their_edits, their_settings
from mlox.errors import UnknownNameError, UsageError
from mlox.protocols import Emit, silent
from mlox.specs.model import Scalar
from mlox.stack.resolving import check_together

if TYPE_CHECKING:
    from mlox.stack.components import Components


class Changes:
    """The changes to the components of a workspace: each planned from what is there now, and written whole or not."""

    def __init__(self, components: Components) -> None:
        self.components = components
        self.tree: Tree = components.tree

    def plan_update(
        self, name: str, template: Template, *, options: Mapping[str, Scalar] | None = None
    ) -> Update | None:
        """What an update would write; None where the component is as it would be.

        Raises:
            UnknownNameError: the workspace has no such component.
            UsageError: the last update left something open.
            WorkspaceError, SpecError: see :func:`mlox.components.updating.plan_update`.
        """
        record, others = self._one(name)
        if record.unresolved:
            raise UsageError(
                f"{name} waits for you: the last update left conflicts",
                hint=f"Settle them first: mlox resolve {name} --mine, --theirs or --edit.",
            )
        values = options_after(record, template, options or {})
        if record.digest == template.digest and values == record.options:
            return None
        refuse_changed(record, template)
        return self._merged(record, others, template, values)

    def _merged(
        self, record: Record, others: dict[str, Record], template: Template, values: Mapping[str, Scalar]
    ) -> Update:
        """An update, with the components that the new version needs and that are not there."""
        *needed, _ = closure(template, self.components.registries.look_up, {record.name: record, **others})
        if not needed:
            return plan_update(self.tree, record, template, values, others)
        along = self.components.plan_along(needed, Place.of(record))
        there = others | {one.record.name: one.record for one in (*along.along, along)}
        update = plan_update(self.tree.over(along.plan.edits), record, template, values, there)
        return replace(update, plan=EditPlan.of(self.tree.root, (*along.plan.edits, *update.plan.edits)), along=along)

    def update(
        self, name: str, template: Template, *, options: Mapping[str, Scalar] | None = None, emit: Emit = silent
    ) -> Update | None:
        """Bring a component to what a registry has now, see :meth:`plan_update`."""
        wished = self.plan_update(name, template, options=options)
        if wished is not None:
            check_together(name, wished.together, self.components.resolve, emit)
        with self.components.alone(emit):
            update = self.plan_update(name, template, options=options)
            if update is not None:
                before = self._one(name)[0].version
                self.components.write(update.plan, f"update {name} {before} to {template.spec.version}")
            return update

    def diff(
        self, name: str, view: View, template: Template | None = None, *, formatting: bool = False
    ) -> list[FileDiff]:
        """How the files of a component differ; ``incoming`` and ``result`` need what a registry has.

        Raises:
            UnknownNameError: the workspace has no such component. UsageError: there is nothing new.
        """
        record, others = self._one(name)
        if view == "mine":
            return my_edits(self.tree, record, others, formatting=formatting)
        if template is None:
            raise UsageError(f"{name}: there is nothing to compare with", hint="See what you changed: mlox diff NAME.")
        options = options_after(record, template, {})
        if view == "incoming":
            texts = injected(template, Place.of(record), options)
            pieces = settings_of(template, self.tree, {record.name: record, **others}, record.project)
            files = their_edits(self.tree, record, texts, formatting=formatting)
            return [*files, *their_settings(self.tree, record, pieces)]
        return outcome(self.tree, self._merged(record, others, template, options), formatting=formatting)

    def plan_resolution(self, name: str, side: Side, edited: Mapping[str, bytes] | None = None) -> Resolution:
        """What settling all that is open would write; see :func:`mlox.components.resolving.plan_resolution`."""
        record, others = self._one(name)
        return plan_resolution(self.tree, record, others, side, edited)

    def resolve(
        self, name: str, side: Side, edited: Mapping[str, bytes] | None = None, *, emit: Emit = silent
    ) -> Resolution:
        """Settle what an update left open."""
        self.plan_resolution(name, side, edited)
        with self.components.alone(emit):
            resolution = self.plan_resolution(name, side, edited)
            self.components.write(resolution.plan, f"resolve {name}")
            return resolution

    def plan_undo(self) -> Undo:
        """What taking the last change back would write."""
        self.components.finish()
        return plan_undo(self.tree)

    def undo(self, *, of: str | None = None, emit: Emit = silent) -> Undo:
        """Take the last change to a component back; with ``of`` only where it was one of that component.

        Raises:
            UsageError: there is none. WorkspaceError: a file of it was changed since.
        """
        _check_of(self.plan_undo(), of)
        with self.components.alone(emit):
            undo = _check_of(self.plan_undo(), of)
            refuse_protected(self.tree, undo.plan.edits)
            self.components.stack.workspace.journal.write(undo.plan.edits, emptied=undo.plan.emptied)
            return undo

    def _one(self, name: str) -> tuple[Record, dict[str, Record]]:
        """The record of a component, and those of the others."""
        records = self.components.added()
        if name not in records:
            raise UnknownNameError.among("component", name, records, where=f"{self.components.stack.name}: ")
        return records[name], {other: record for other, record in records.items() if other != name}


def _check_of(undo: Undo, name: str | None) -> Undo:
    """Raise a :class:`UsageError` where a change was of another component than the one that is meant."""
    if name is not None and undo.what.split()[1] != name:
        raise UsageError(
            f"the last change was not of {name}: {undo.what}; nothing was taken back",
            hint="Take that one back first: mlox undo.",
        )
    return undo


def options_after(record: Record, template: Template, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The options of a component after an update: as they are, new ones at their defaults, ``given`` over all."""
    spec = template.spec.options
    values = {name: option.default for name, option in spec.items() if option.default is not None}
    return values | {name: value for name, value in record.options.items() if name in spec} | dict(given)
