"""The diff3 over keys: what two sides made of a tree of pieces, laid together, each unchanged piece as it was."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeVar

from mlox.components.merge.formats.order import Sides, UnclearError, aligned, merged_order
from mlox.components.merge.formats.pieces import Body, Leaf, Piece, Value, shifted, shifted_body, text_of
from mlox.components.merge.outcome import Applied, Conflict, Level

ORDERED = frozenset({"addopts", "args", "cmd", "command", "entrypoint", "run", "script", "scripts", "steps", "test"})
"""Lists below these keys are sequences, of which no element may come between others unasked."""

Path = tuple[Hashable, ...]
InsteadT = TypeVar("InsteadT", Body, Leaf, Value, str)


@dataclass(slots=True)
class ThreeWay:
    """One merge: where it stands in the tree, what it could not decide, and what it did."""

    level: Level = "full"
    sets: bool = True
    conflicts: list[Conflict] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)

    def body(self, base: Body, left: Body, right: Body, path: Path = ()) -> Body:
        """The mapping or list that both sides together make of ``base``."""
        if left.text in {base.text, right.text}:
            return right
        if right.text == base.text:
            return left
        if not (base.kind == left.kind == right.kind) or left.anchor != right.anchor:
            return self._clash(path, "both sides changed what kind of value it is", left)
        is_left = _look(left) != _look(base) or _look(right) == _look(base)
        base, left, right = (_indented(one, left if is_left else right) for one in (base, left, right))
        skeleton = left if is_left else right
        sides, united, order = self._order(base, left, right, path)
        if order is None:
            return left
        old, mine, theirs = ({one.key: one for one in side} for side in sides)
        kept = [self._piece(old.get(key), mine.get(key), theirs.get(key), path) for key in order]
        gone = [one for key, one in old.items() if key not in mine or key not in theirs]
        for one in gone:
            self._gone(one, mine.get(one.key), theirs.get(one.key), path)
        self._note(old, mine, theirs, base, united, path)
        foreign = theirs if skeleton is left else mine
        own = mine if skeleton is left else theirs
        fitted = [
            _fitted(piece, skeleton) if key in foreign and key not in own else piece
            for key, piece in zip(order, kept, strict=True)
        ]
        if skeleton.flow:
            firsts = {side[0].key for side in sides if side}
            fitted = _leads(fitted, order, firsts, skeleton)
        elif len(fitted) > 1:
            fitted = _told_once(fitted, order, old)
        closing = self._text(base.closing, left.closing, right.closing, path, "the end of it")
        opening = self._text(base.opening, left.opening, right.opening, path, "the beginning of it")
        return replace(skeleton, pieces=tuple(fitted), opening=opening, closing=closing)

    def _order(
        self, base: Body, left: Body, right: Body, path: Path
    ) -> tuple[Sides, set[Hashable], list[Hashable] | None]:
        """The pieces of the sides with keys that tell which are the same, and the order of the merged keys."""
        name = path[-1] if path else None
        name = name[-1] if isinstance(name, tuple) and name else name
        scalars = name not in ORDERED and self.sets
        sides: Sides = (base.pieces, left.pieces, right.pieces)
        united: set[Hashable] = set()
        try:
            if base.kind == "list":
                sides, united = aligned(*sides, scalars=scalars, names=self.level == "full")
            else:
                for group in sorted({one.group for side in sides for one in side} - {None}, key=repr):
                    sides = self._grouped(sides, group)
            keys = [[one.key for one in side] for side in sides]
            return sides, united, merged_order(*keys, free=base.kind == "map", united=united)
        except UnclearError as error:
            self._clash(path, str(error), left)
            return sides, united, None

    def _grouped(self, sides: Sides, group: Hashable) -> Sides:
        """The pieces with keys for the elements of one list that stands among them."""
        old, mine, theirs = (tuple(one for one in side if one.group == group) for side in sides)
        (base, left, right), united = aligned(old, mine, theirs, scalars=True, names=self.level == "full")
        new = [{one.key for one in side} - {one.key for one in base} for side in (left, right)]
        if all(new) and new[0] != new[1] and not (new[0] | new[1]) <= united:
            raise UnclearError("both sides added elements")
        found = []
        for side, elements in zip(sides, (base, left, right), strict=True):
            each = iter(elements)
            found.append(tuple(_in_group(next(each), group) if one.group == group else one for one in side))
        return found[0], found[1], found[2]

    def _piece(self, base: Piece | None, left: Piece | None, right: Piece | None, path: Path) -> Piece:
        if left is None or right is None:
            found = left or right
            assert found is not None  # noqa: S101 - the order has no other keys
            return found
        where = (*path, left.key)
        if base is None:
            return self._same_addition(left, right, where)
        texts = [text_of(one) for one in (base, left, right)]
        if texts[1] in (texts[0], texts[2]):
            return right
        if texts[2] == texts[0]:
            return left
        lead = self._text(base.lead, left.lead, right.lead, where, "the comment above it")
        value = self._value(base.value, left.value, right.value, where)
        if _in_brackets(left.value) != _in_brackets(right.value):
            formed = left if _in_brackets(value) == _in_brackets(left.value) else right
            return replace(formed, key=left.key, lead=lead, value=value)
        return replace(
            left,
            lead=lead,
            head=self._text(base.head, left.head, right.head, where, "its name", strict=False),
            value=value,
            foot=self._text(base.foot, left.foot, right.foot, where, "what stands behind it"),
            trail=self._text(base.trail, left.trail, right.trail, where, "the comment behind it"),
        )

    def _value(self, base: Value, left: Value, right: Value, path: Path) -> Value:
        match left, right:
            case Body(), Body():
                left, right = _as_lines(left, right), _as_lines(right, left)
        match base, left, right:
            case Body(), Body(), Body() if _form(left) == _form(right) and _form(base)[:2] == _form(left)[:2]:
                return self.body(base, left, right, path)
        old, mine, theirs = base.meaning, left.meaning, right.meaning
        if mine not in (old, theirs) and theirs != old:
            return self._clash(path, "both sides changed it", left)
        if left.text != base.text and right.text not in (base.text, left.text):
            self.applied.append(Applied("reformatted", told(path)))
        return right if mine == old and (theirs != old or left.text == base.text) else left

    def _same_addition(self, left: Piece, right: Piece, path: Path) -> Piece:
        mine, theirs = left.value, right.value
        if mine.meaning == theirs.meaning:
            if text_of(left) != text_of(right):
                self.applied.append(Applied("same-addition", told(path)))
            return left if "#" in text_of(left) or "#" not in text_of(right) else right
        match mine, theirs:
            case Body(pieces=(_, *_)), Body(pieces=(_, *_)) if self.level == "full" and _form(mine) == _form(theirs):
                empty = replace(mine, pieces=(), closing=theirs.closing)
                return replace(left, value=self.body(empty, mine, theirs, path))
        self._clash(path, "both sides added it, with different values", mine)
        return left

    def _gone(self, base: Piece, left: Piece | None, right: Piece | None, path: Path) -> None:
        """Check that what one side took out was left alone by the other one."""
        there = left or right
        if there is not None and (there.value.meaning != base.value.meaning or _said(there) != _said(base)):
            self._clash((*path, base.key), "one side took it out, the other one changed it", there.value)

    def _text(self, base: str, left: str, right: str, path: Path, what: str, *, strict: bool = True) -> str:
        if left in (base, right):
            return right
        if right == base:
            return left
        words = [one.split() for one in (base, left, right)]
        if words[1] == words[0]:
            return right
        if words[2] in (words[0], words[1]) or (not strict and "#" not in left + right):
            return left
        return self._clash(path, f"both sides changed {what}", left)

    def _clash(self, path: Path, reason: str, instead: InsteadT) -> InsteadT:
        self.conflicts.append(Conflict(told(path), reason))
        return instead

    def _note(
        self,
        base: Mapping[Hashable, Piece],
        left: Mapping[Hashable, Piece],
        right: Mapping[Hashable, Piece],
        body: Body,
        united: set[Hashable],
        path: Path,
    ) -> None:
        """Write down by which rule both sides' changes of one mapping or list were laid together."""
        changed = [
            {key for key in {**base, **side} if _written(base.get(key)) != _written(side.get(key))}
            for side in (left, right)
        ]
        if not (changed[0] - changed[1] and changed[1] - changed[0]):
            return
        rule = "keys" if body.kind == "map" else "union" if united else "elements"
        self.applied.append(Applied(rule, told(path)))


def told(path: Path) -> str:
    """A path of keys for people: dots between names.

    Example:
        >>> told((("tool", "ruff"), "line-length"))
        'tool.ruff.line-length'
    """
    words: list[str] = []
    for key in path:
        parts = key if isinstance(key, tuple) else (key,)
        words += [str(part) for part in _flat(parts) if part != ""]
    return ".".join(words)


def _flat(parts: tuple[Hashable, ...]) -> list[Hashable]:
    return [deep for one in parts for deep in (_flat(one) if isinstance(one, tuple) else [one])]


def _in_group(piece: Piece, group: Hashable) -> Piece:
    return replace(piece, key=("element", group, piece.key))


def _written(piece: Piece | None) -> str | None:
    return None if piece is None else text_of(piece)


def _said(piece: Piece) -> list[str]:
    """The comments of a piece."""
    value = piece.value.text if isinstance(piece.value, Body) else ""
    lines = f"{piece.lead}\n{piece.head}\n{value}\n{piece.foot}{piece.trail}".splitlines()
    return [line.partition("#")[2].strip() for line in lines if "#" in line]


def _form(body: Body) -> tuple[str, str, bool]:
    return body.kind, body.anchor, body.flow


def _in_brackets(value: Value) -> bool:
    return isinstance(value, Body) and value.flow


def _as_lines(body: Body, other: Body) -> Body:
    """The same; empty brackets in the form of the other side's lines."""
    if body.flow and not body.pieces and not other.flow and body.kind == other.kind:
        return replace(other, pieces=(), opening="", closing="", anchor=body.anchor)
    return body


def _look(body: Body) -> tuple[int, str]:
    return body.indent, body.pieces[0].lead if body.pieces and not body.pieces[0].lead.strip() else ""


def _indented(body: Body, like: Body) -> Body:
    """The same, its lines indented as those of ``like``."""
    return body if body.flow or like.flow else shifted_body(body, like.indent - body.indent)


def _fitted(piece: Piece, skeleton: Body) -> Piece:
    """A piece of the other side with the blanks before it that those in the same brackets have."""
    like = next((one.lead for one in skeleton.pieces if "\n" in one.lead and not one.lead.strip()), None)
    if like is None or piece.lead.strip() or "\n" not in piece.lead or like == piece.lead:
        return piece
    return replace(shifted(piece, len(like) - len(piece.lead), flow=True), lead=like)


def _leads(pieces: list[Piece], order: list[Hashable], firsts: set[Hashable], skeleton: Body) -> list[Piece]:
    """The pieces of a body in brackets, with the blanks before them that the first one and the others have."""
    plain = [one.lead for one in skeleton.pieces if not one.lead.strip()]
    if not plain:
        return pieces
    first = skeleton.pieces[0].lead if not skeleton.pieces[0].lead.strip() else plain[0]
    others = skeleton.pieces[1].lead if len(skeleton.pieces) > 1 else first if "\n" in first else " "
    if others.strip():
        others = plain[-1]
    settled = []
    for number, (key, piece) in enumerate(zip(order, pieces, strict=True)):
        was_first = key in firsts
        moved = was_first != (number == 0) and not piece.lead.strip()
        settled.append(replace(piece, lead=first if number == 0 else others) if moved else piece)
    return settled


def _told_once(pieces: list[Piece], order: list[Hashable], old: Mapping[Hashable, Piece]) -> list[Piece]:
    """The pieces; of two new ones that both took the comment at their place along, the first has it."""
    told_once = pieces[:1]
    for (above, key), (before, piece) in zip(pairwise(order), pairwise(pieces), strict=True):
        twice = above not in old and key not in old and "#" in piece.lead and piece.lead == before.lead
        told_once.append(replace(piece, lead="") if twice else piece)
    return told_once
