"""Which pieces of three versions are the same one, and in which order the merged ones stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from mlox.components.merge.formats.pieces import Body, Leaf, Piece, UnreadableError

NAMES = ("id", "name", "key", "job_name", "alias", "host", "url", "repo", "path", "module")
"""What an element of a list is called by, where it is a mapping: the first of these that all of them have."""

SCALAR = "="
"""A scalar of a list has the key ``(SCALAR, meaning)``."""

MAX_PAIRS = 4_000_000
START = object()

Pieces = tuple[Piece, ...]
Sides = tuple[Pieces, Pieces, Pieces]


class UnclearError(Exception):
    """The order of elements, or which of them are the same, is not clear."""


def aligned(base: Pieces, left: Pieces, right: Pieces, *, scalars: bool, names: bool) -> tuple[Sides, set[Hashable]]:
    """The elements of three lists, each with a key that tells which are the same, and the keys that may be united.

    With ``scalars``, lists of scalars without repeats are sets; with ``names``, mappings that are called by a name.

    Raises:
        UnreadableError: there are too many.
    """
    sides = (base, left, right)
    everything = [one for side in sides for one in side]
    called = _called(sides) if all(isinstance(one.value, Body) and one.key is None for one in everything) else None
    if called is not None:
        keyed = tuple(tuple(replace(one, key=("named", _fields(one)[called])) for one in side) for side in sides)
        return (keyed[0], keyed[1], keyed[2]), {one.key for side in keyed for one in side} if names else set()
    twice = {key for side in sides for key, count in Counter(one.key for one in side).items() if count > 1}
    keys = {one.key for one in everything} - twice - {None}
    is_set = scalars and not any(_is_scalar(key) for key in twice)
    known = keys if is_set else {key for key in keys if not _is_scalar(key)}
    first = tuple(replace(one, key=one.key if one.key in known else ("at", number)) for number, one in enumerate(base))
    second, third = (_paired(base, first, side, known) for side in (left, right))
    return (first, second, third), known


def merged_order(
    base: Sequence[Hashable],
    left: Sequence[Hashable],
    right: Sequence[Hashable],
    *,
    free: bool,
    united: Collection[Hashable] = (),
) -> list[Hashable]:
    """All keys of both sides but those that either took out, in their order.

    With ``free`` the order means nothing; else both sides may put something at one place only if it is ``united``.

    Raises:
        UnclearError: both sides put different things at one place, or both changed the order.
    """
    spine, moved = _spine(base, left, right, free=free)
    inside = set(base) & set(left) & set(right) if moved else set(base)
    runs = [_runs(side, set(base), inside) for side in (left, right)]
    lasting, added = set(left) & set(right), {*left, *right} - set(base)
    both = (free or added <= set(united)) and all(len(side) > 1 and _is_sorted(side) for side in (base, left, right))
    order: list[Hashable] = []
    done: set[Hashable] = set()
    for number, anchor in enumerate((START, *spine)):
        if anchor is not START and anchor in lasting:
            order.append(anchor)
        mine, theirs = (run.get(anchor, []) for run in runs)
        following = spine[number] if number < len(spine) else None
        replaced = number < len(spine) and following not in left and following not in right
        if replaced and not free and mine != theirs:
            raise UnclearError("both sides put something else in place of one element")
        new = [*mine, *theirs] if both else _joined(mine, theirs, free=free, united=united)
        new = [key for key in dict.fromkeys(new) if key not in done]
        order += sorted(new, key=_sort_key) if both else new
        done |= set(new)
    return order


def _spine(
    base: Sequence[Hashable], left: Sequence[Hashable], right: Sequence[Hashable], *, free: bool
) -> tuple[list[Hashable], bool]:
    """The keys of the base in the order of the side that moved them; whether one did."""
    known = set(base)
    mine, theirs = ([key for key in side if key in known] for side in (left, right))
    in_left, in_right = set(mine), set(theirs)
    moved_left = mine != [key for key in base if key in in_left]
    moved_right = theirs != [key for key in base if key in in_right]
    if not moved_left and not moved_right:
        return list(base), False
    common = [key for key in mine if key in in_right]
    if moved_left and moved_right and common != [key for key in theirs if key in in_left] and not free:
        raise UnclearError("both sides changed the order")
    chosen = mine if moved_left else theirs
    return [*chosen, *(key for key in base if key not in set(chosen))], True


def _runs(
    side: Sequence[Hashable], base: Collection[Hashable], anchors: Collection[Hashable]
) -> dict[Hashable, list[Hashable]]:
    """What a side has put in, by the last key above it that is an anchor."""
    runs: dict[Hashable, list[Hashable]] = {}
    anchor: Hashable = START
    for key in side:
        if key in base:
            anchor = key if key in anchors else anchor
        else:
            runs.setdefault(anchor, []).append(key)
    return runs


def _joined(
    mine: list[Hashable], theirs: list[Hashable], *, free: bool, united: Collection[Hashable]
) -> list[Hashable]:
    if mine == theirs or not theirs:
        return mine
    if not mine:
        return theirs
    if free:
        return [*mine, *theirs]
    common = [key for key in mine if key in theirs]
    if common != [key for key in theirs if key in mine]:
        raise UnclearError("both sides put the same elements in, in another order")
    joined: list[Hashable] = []
    for key in (*common, START):
        parts = []
        for run in (mine, theirs):
            end = run.index(key) if key is not START else len(run)
            parts.append(run[:end])
            del run[: end + 1]
        if all(parts) and any(one not in united for part in parts for one in part):
            raise UnclearError("both sides put something in at one place")
        for part in sorted(parts, key=repr):  # the same whichever side is called left
            joined += part
        joined += [key] if key is not START else []
    return joined


def _paired(base: Pieces, keyed: Pieces, side: Pieces, known: Collection[Hashable]) -> Pieces:
    """The elements of a side with the keys of those in the base that they are, or became."""
    if len(base) * len(side) > MAX_PAIRS:
        raise UnreadableError("the lists are too long")
    tokens = [[one.key if one.key in known else ("bare", one.value.meaning) for one in many] for many in (base, side)]
    found: list[Piece] = []
    counted: Counter[Hashable] = Counter()
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, tokens[0], tokens[1], autojunk=False).get_opcodes():
        if tag == "equal":
            found += [replace(side[j1 + n], key=keyed[i1 + n].key) for n in range(i2 - i1)]
            continue
        old = [one for one in keyed[i1:i2] if one.key not in known]
        new = [one for one in side[j1:j2] if one.key not in known]
        pairs = iter(old) if [_sort(one) for one in old] == [_sort(one) for one in new] else None
        for one in side[j1:j2]:
            if one.key in known:
                found.append(one)
            elif pairs is not None:
                found.append(replace(one, key=next(pairs).key))
            else:
                meaning = one.value.meaning
                counted[meaning] += 1
                found.append(replace(one, key=("new", one.sort, meaning, counted[meaning])))
    return tuple(found)


def _is_scalar(key: Hashable) -> bool:
    return isinstance(key, tuple) and key[:1] == (SCALAR,)


def _sort(piece: Piece) -> tuple[str, bool]:
    return piece.sort, isinstance(piece.value, Leaf)


def _called(sides: Sides) -> str | None:
    """The field that all elements are called by, each by another value."""
    if not any(sides):
        return None
    for name in NAMES:
        values = [[_fields(one).get(name) for one in side] for side in sides]
        if all(None not in many and len(set(many)) == len(many) for many in values):
            return name
    return None


def _fields(piece: Piece) -> Mapping[Hashable, Hashable]:
    """The scalars of an element that is a mapping, by name."""
    fields: dict[Hashable, Hashable] = {}
    if isinstance(piece.value, Body):
        for one in piece.value.pieces:
            name = one.key[-1] if isinstance(one.key, tuple) and one.key else one.key
            if isinstance(one.value, Leaf):
                fields[name] = one.value.meaning
            elif one.key == ():  # the lines of a table above its own tables
                fields |= _fields(one)
    return fields


def _sort_key(key: Hashable) -> str:
    return str(key[-1] if isinstance(key, tuple) and key else key).lower()


def _is_sorted(keys: Sequence[Hashable]) -> bool:
    shown = [_sort_key(key) for key in keys]
    return shown == sorted(shown)
