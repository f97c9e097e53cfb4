"""A component and those that it needs, added by one plan: all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mlox.components.circles import refuse_circles
from mlox.components.inject import Addition, plan_addition
from mlox.components.layout import Place
from mlox.components.manifest import Template
from mlox.components.plan import EditPlan
from mlox.components.records import Record
from mlox.components.tree import Tree
from mlox.components.twins import refuse_twins
from mlox.specs.model import Scalar


def plan_additions(
    tree: Tree,
    templates: Sequence[Template],
    place: Place,
    *,
    project: str,
    options: Callable[[Template], Mapping[str, Scalar]],
    others: Mapping[str, Record],
) -> Addition:
    """The plan that adds ``templates``, each after those that it needs; the last is the one that was asked for.

    Raises:
        MloxError: see :func:`plan_addition`.
        WorkspaceError: a module could not be imported any more, or a new file is one with another on some systems.
    """
    known = dict(others)
    done: list[Addition] = []
    now = tree
    for template in templates:
        one = plan_addition(now, template, place, project=project, options=options(template), others=known)
        known[template.name] = one.record
        now = now.over(one.plan.edits)
        done.append(one)
    edits = [edit for one in done for edit in one.plan.edits]
    *along, last = done
    refuse_twins(tree, edits)
    changed = sorted({edit.path.relative_to(tree.root).as_posix() for edit in edits})
    refuse_circles(tree, now, place.path, changed)
    together = next((one.together for one in reversed(done) if one.together), ())
    return replace(last, plan=EditPlan.of(tree.root, edits), along=tuple(along), together=together)
