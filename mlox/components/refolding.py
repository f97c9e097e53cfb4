"""How the requirements of a component change with an update: those that are new go in, those that it dropped go out."""

from __future__ import annotations

from collections.abc import Mapping

from mlox.components.dependencies import PYPROJECT, declared, with_requirement, without_requirement
from mlox.components.manifest import Template
from mlox.components.records import DependencyRecord, Record
from mlox.components.tree import Tree
from mlox.journal import Edit


def fold_requirements(
    tree: Tree, record: Record, template: Template, others: Mapping[str, Record]
) -> tuple[list[Edit], list[DependencyRecord]]:
    """The edit of ``pyproject.toml``, and what is recorded then.

    Raises:
        SpecError, WorkspaceError: see :func:`mlox.components.dependencies.declared`.
    """
    wanted = template.spec.dependencies
    before = tree.read(PYPROJECT)
    elsewhere = {written.requirement: written for other in others.values() for written in other.dependencies}
    kept = [written for written in record.dependencies if written.requirement in wanted]
    text = None if before is None else before.decode("utf-8")
    if text is not None:
        for written in reversed(record.dependencies):
            if written.requirement not in wanted and written.requirement not in elsewhere:
                text = without_requirement(text, written)
        tree = tree.over([Edit(tree.at(PYPROJECT), text.encode(), replaces=before)])
    there = {written.requirement for written in kept}
    missing = [one for one in wanted if one not in there and one not in declared(tree, [one])]
    kept += [elsewhere[one] for one in wanted if one in elsewhere and one not in there and one not in missing]
    for one in reversed(missing):
        if text is None:
            break
        text, written = with_requirement(text, one)
        kept.append(written)
    after = None if text is None else text.encode()
    return ([Edit(tree.at(PYPROJECT), after, replaces=before)] if after != before else []), kept
