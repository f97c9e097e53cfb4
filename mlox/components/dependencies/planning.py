"""What is written into a project's requirements when a component comes, and what goes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlox.components.dependencies.arrays import PYPROJECT, ArraySheet
from mlox.components.dependencies.homes import OTHERS, home_of, listed_in, not_supported, sheet_at, text_of
from mlox.components.dependencies.members import beside
from mlox.components.dependencies.sheets import Sheet, put, taken
from mlox.components.dependencies.versions import Listed, combined, extras_of, listed, satisfiable
from mlox.components.records import DependencyRecord
from mlox.components.tree import Tree, inside
from mlox.errors import DependencyError, WorkspaceError
from mlox.journal import Edit


@dataclass(frozen=True, slots=True)
class Written:
    """What adding requirements changes: the edit, what is recorded, what the project has anyway, the file if it is new.

    ``together`` is all that the project then depends on, for a resolver; empty where nothing is written.
    """

    edits: tuple[Edit, ...] = ()
    records: tuple[DependencyRecord, ...] = ()
    known: tuple[str, ...] = ()
    made: bytes | None = None
    together: tuple[str, ...] = ()


def requirements_added(
    tree: Tree,
    wanted: Sequence[str],
    others: Iterable[DependencyRecord],
    *,
    new: Callable[[], bytes],
    project: str = "",
) -> Written:
    """The plan that makes the project in a folder depend on ``wanted``.

    ``others`` are those that mlox wrote for other components; ``new`` is the ``pyproject.toml`` of one
    without.

    Raises:
        DependencyError: what is there and what is wanted exclude each other. SpecError: a file is wrong.
        WorkspaceError: the project says what it depends on in a form that mlox does not write.
    """
    try:
        sheet = home_of(tree, wanted, project)
    except WorkspaceError:
        if wanted and not _all_known(tree, wanted, project):
            raise
        return Written(known=tuple(wanted))
    made = None if sheet is not None or not wanted else new()
    sheet = sheet or ArraySheet(("project",), "dependencies", inside(project, PYPROJECT))
    there = text_of(tree, sheet.path)
    text = made.decode() if made is not None else there or ""
    ours = [one for one in others if (one.path, one.where) == (sheet.path, sheet.where)]
    before, entries, whole = _without_ours(sheet, text, ours)
    users = listed_in(tree, sheet, before)
    known = tuple(one for one in wanted if _is_there(users, one, sheet))
    missing = [one for one in wanted if one not in known]
    _check_each_other(missing, ours)
    whole = whole if ours else bool(missing) and sheet.is_new(before)
    after = _with_ours(sheet, before, [*entries, *missing], made=whole, requirements=missing)
    records = tuple(
        DependencyRecord(requirement=one, path=sheet.path, where=sheet.where, made=whole) for one in missing
    )
    replaces = None if there is None else there.encode()
    edit = Edit(tree.at(sheet.path), after.encode(), replaces=replaces)
    together = (
        (*beside(tree, project, _pep508(users)), *combined([*entries, *missing])) if missing and after != text else ()
    )
    return Written((edit,) if missing else (), records, known, made if missing else None, together)


def requirements_removed(
    tree: Tree,
    gone: Sequence[DependencyRecord],
    others: Iterable[DependencyRecord],
    *,
    used: Callable[[Sequence[str]], Iterable[str]] = lambda _: (),
) -> tuple[list[Edit], list[str]]:
    """The edits that take out what only ``gone`` asked for, and which requirements those are.

    ``used`` tells which of them the user's own code imports: they stay, and are the user's from now on.

    Raises:
        SpecError: a file is wrong.
    """
    others = list(others)
    asked = {(one.requirement, one.path) for one in others}
    going = [one.requirement for one in gone if (one.requirement, one.path) not in asked]
    staying = set(used(going)) if going else set()
    edits: list[Edit] = []
    out: list[str] = []
    for place in dict.fromkeys((one.path, one.where) for one in gone):
        text = text_of(tree, place[0])
        if text is None:
            continue
        sheet = sheet_at(*place)
        left = [one for one in others if (one.path, one.where) == place]
        mine = [one for one in gone if (one.path, one.where) == place]
        before, _, whole = _without_ours(sheet, text, [*left, *mine])
        names = {canonicalize_name(Requirement(one.requirement).name) for one in left}
        kept = [one.requirement for one in mine if one.requirement in staying and _name(one.requirement) not in names]
        after = put(sheet, before, combined(kept), made=whole and bool(kept))
        after = put(sheet, after, combined(one.requirement for one in left), made=whole and not kept)
        if after != text:
            edits.append(Edit(tree.at(place[0]), after.encode(), replaces=text.encode()))
        out += [one.requirement for one in mine if one.requirement in going and one.requirement not in staying]
    return edits, out


def declared(tree: Tree, requirements: Sequence[str], project: str = "") -> tuple[str, ...]:
    """Those of ``requirements`` that the project depends on already, in versions that can be the same.

    Raises:
        MloxError: as :func:`requirements_added`.
    """
    sheet = home_of(tree, requirements, project)
    users = listed_in(tree, sheet, text_of(tree, sheet.path) or "") if sheet is not None else ()
    return tuple(one for one in requirements if sheet is not None and _is_there(users, one, sheet))


def _without_ours(sheet: Sheet, text: str, ours: Sequence[DependencyRecord]) -> tuple[str, tuple[str, ...], bool]:
    """The text as the user wrote it, what mlox put in, and whether that made the list too."""
    asked = [one.requirement for one in ours]
    whole = any(one.made for one in ours)
    found = taken(sheet, text, combined(asked), made=whole)
    if found is not None:
        return found, tuple(asked), whole
    for entry in combined(asked):  # somebody has edited around them: each is taken out where it stands
        text = sheet.without(text, entry)
    return text, tuple(asked), False


def _with_ours(sheet: Sheet, text: str, entries: Sequence[str], *, made: bool, requirements: Sequence[str]) -> str:
    together = combined(entries)
    names = [_name(one) for one in together]
    if sheet.names_are_keys and len(set(names)) < len(names):
        raise not_supported(f"{sheet.path} has a place for each name once", requirements, sheet.path)
    try:
        return put(sheet, text, together, made=made)
    except WorkspaceError as error:
        raise not_supported(error.problem, requirements, sheet.path) from error


def _is_there(users: Sequence[Listed], wanted: str, sheet: Sheet) -> bool:
    """Whether the user's own requirements have it: the extras too, and for all that it is wanted for.

    Raises:
        DependencyError: their versions exclude each other.
    """
    one = Requirement(wanted)
    same = [user for user in users if user.name == canonicalize_name(one.name)]
    for user in same:
        if user.versions is not None and not user.marker and not satisfiable(user.versions, one.specifier):
            raise DependencyError(
                f"the project asks for {user.text}, the component for {wanted}; no version is both",
                hint=f"Change it in {sheet.path}, or take another version of the component; nothing was written.",
            )
    marker = str(one.marker or "")
    if any(user.extras >= extras_of(one) and user.marker in {"", marker} for user in same):
        return True
    if same and sheet.names_are_keys:
        raise not_supported(f"{sheet.path} has {same[0].text} and cannot have it twice", (wanted,), sheet.path)
    return False


def _check_each_other(missing: Sequence[str], ours: Iterable[DependencyRecord]) -> None:
    """Raise a :class:`DependencyError` where another component excludes what is wanted."""
    for wanted in missing:
        one = Requirement(wanted)
        for record in ours:
            other = Requirement(record.requirement)
            same = canonicalize_name(other.name) == canonicalize_name(one.name) and other.marker == one.marker
            if same and not satisfiable(one.specifier, other.specifier):
                raise DependencyError(
                    f"another component asks for {other}, this one for {one}; no version is both",
                    hint="Take another version of one of them, or take the other one out; nothing was written.",
                )


def _all_known(tree: Tree, wanted: Sequence[str], project: str) -> bool:
    """Whether a file of a form that mlox does not write names all of them, one a line."""
    text = "\n".join(filter(None, (text_of(tree, inside(project, name)) for name in OTHERS)))
    lines = (listed(line.split("#")[0].strip(" \t-,'\"")) for line in text.splitlines())
    names = {line.name for line in lines if line is not None}
    return {_name(one) for one in wanted} <= names


def _pep508(users: Sequence[Listed]) -> tuple[str, ...]:
    """What the user asks for, as a resolver reads it."""
    lines = []
    for user in users:
        extras = f"[{','.join(sorted(user.extras))}]" if user.extras else ""
        if user.versions is not None:
            lines.append(f"{user.name}{extras}{user.versions}" + (f"; {user.marker}" if user.marker else ""))
        elif listed(user.text) is not None:
            lines.append(user.text)
    return tuple(lines)


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)
