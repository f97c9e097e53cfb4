"""How the requirements of a component change with an update: those that are new go in, those that it dropped go out."""

from __future__ import annotations

from collections.abc import Mapping

from mlox.components.dependencies import Written, new_project, requirements_added, requirements_removed
from mlox.components.layout import Place
from mlox.components.manifest import Template
from mlox.components.records import Record
from mlox.components.tree import Tree
from mlox.journal import Edit


def project_of(place: Place) -> bytes:
    """The ``pyproject.toml`` of a project that has none."""
    return new_project(place.package, place.folder, place.path)


def fold_requirements(
    tree: Tree, record: Record, template: Template, others: Mapping[str, Record]
) -> tuple[list[Edit], Written]:
    """The edits of the files of requirements, and what is recorded then.

    Raises:
        MloxError: see :func:`mlox.components.dependencies.requirements_added`.
    """
    elsewhere = [written for other in others.values() for written in other.dependencies]
    edits, _ = requirements_removed(tree, record.dependencies, elsewhere)
    place = Place.of(record)
    written = requirements_added(
        tree.over(edits),
        template.spec.dependencies,
        elsewhere,
        new=lambda: project_of(place),
        project=place.project,
    )
    return [*edits, *written.edits], written
