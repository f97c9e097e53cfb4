"""How files differ, as values: unified diffs, which are somebody's code, word for word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlox.values import Notice, Value

if TYPE_CHECKING:
    from mlox.components import EditPlan
    from mlox.components.views import FileDiff

_OWN = ".mlox/"


def differing(diffs: Iterable[FileDiff]) -> dict[str, tuple[str, ...]]:
    """The unified diffs of those files that differ, by path."""
    found = {one.path: one.lines() for one in diffs}
    return {path: lines for path, lines in found.items() if lines}


def written_by(plan: EditPlan) -> dict[str, tuple[str, ...]]:
    """The unified diffs of what a plan writes into the user's files, by path; records of mlox's own are left out."""
    from mlox.components.views import FileDiff

    edits = ((edit.path.relative_to(plan.root).as_posix(), edit) for edit in plan.edits)
    diffs = (FileDiff(path, edit.replaces, edit.content, formatting=True) for path, edit in edits)
    return differing(one for one in diffs if not one.path.startswith(_OWN))


@dataclass(frozen=True, slots=True, repr=False)
class WouldWrite(Notice):
    """What a dry run would write into the repository: lines, and by path a unified diff.

    The diffs are for whoever has room for them, as a panel has; the text is the lines alone.
    """

    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Differences(Value):
    """Unified diffs by path, and lines before and after them. A file without a line does not differ."""

    files: Mapping[str, tuple[str, ...]]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    json: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0
    verbatim = True

    def text(self, *, detail: bool = False) -> str:
        """The lines, and the diffs between them; the same with and without ``detail``."""
        del detail
        return "\n".join([*self.before, *(line for lines in self.files.values() for line in lines), *self.after])

    def to_json(self) -> dict[str, Any]:
        """What was given, and each diff by its path."""
        return {**self.json, "files": [{"path": path, "diff": list(lines)} for path, lines in self.files.items()]}

    @property
    def exit_code(self) -> int:
        """As it was given."""
        return self.code
