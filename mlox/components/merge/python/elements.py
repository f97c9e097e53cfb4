"""The merge inside a statement: elements of its brackets, by their names or by their texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mlox.components.merge.python.scanning import TRIVIA, Atom, Element, Group, Piece, Unbalanced, scan
from mlox.components.merge.python.sequences import OrderClash, edits, merge_orders, pairs

ATOMIC = frozenset({"for", "lambda", "if"})


def comments_of(text: str) -> list[str]:
    """The comments in a text, in order."""
    if "#" not in text:
        return []
    try:
        return list(_comments(scan(text)))
    except Unbalanced:
        return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


def _comments(pieces: Sequence[Piece]) -> list[str]:
    found: list[str] = []
    for piece in pieces:
        if isinstance(piece, Atom):
            found += [piece.text] if piece.kind == "comment" else []
            continue
        for element in piece.elements:
            found += (
                _of_text(element.lead) + _comments(element.pieces) + _of_text(element.gap) + _of_text(element.after)
            )
        found += _of_text(piece.end)
    return found


def _of_text(trivia: str) -> list[str]:
    return [line.strip() for line in trivia.splitlines() if line.strip().startswith("#")]


def merge_statement(base: str, left: str, right: str) -> tuple[str, str] | None:
    """A statement whose brackets both sides changed, and the rule for it; None where they changed the same, or words.

    What both sides add at one place of a dictionary, a set or ``__all__``, and arguments by keyword, are ``entries``:
    the right ones first. Elsewhere their order means something.
    """
    statement = _Statement(unordered=base.lstrip().startswith("__all__"))
    try:
        text = statement.pieces(scan(base), scan(left), scan(right))
    except (Unbalanced, RecursionError):
        return None
    if text is None or not _says_all(text, base, left, right):
        return None
    return text, "entries" if statement.met else "elements"


def _says_all(text: str, base: str, left: str, right: str) -> bool:
    """Whether every comment that a side added is there."""
    was, now = Counter(comments_of(base)), Counter(comments_of(text))
    return all(Counter(comments_of(side)) - was <= now for side in (left, right))


class _Statement:
    """A statement on three sides; ``met`` tells whether both added something at one place."""

    def __init__(self, *, unordered: bool) -> None:
        self.unordered = unordered
        self.met = False

    def pieces(self, base: Sequence[Piece], left: Sequence[Piece], right: Sequence[Piece]) -> str | None:
        """Pieces of one shape, where one side alone changed words, and the other then nothing."""
        sides = [_solid(side) for side in (base, left, right)]
        if not _shape(sides[0]) == _shape(sides[1]) == _shape(sides[2]) or not _apart(sides):
            return None
        merged = []
        was, theirs = iter(sides[0]), iter(sides[2])
        for piece in left:
            if isinstance(piece, Atom) and piece.kind in TRIVIA:
                merged.append(piece.text)
                continue
            before, other = next(was), next(theirs)
            text = _chosen(before.text, piece.text, other.text)
            if text is None and isinstance(piece, Group) and isinstance(other, Group) and isinstance(before, Group):
                text = self.group(before, piece, other)
            if text is None:
                return None
            merged.append(text)
        return "".join(merged)

    def group(self, base: Group, left: Group, right: Group) -> str | None:
        """A bracket that both sides changed; None where it is no list."""
        return (
            None if None in (_names(base), _names(left), _names(right)) else _Elements(self, base, left, right).text()
        )


def _apart(sides: Sequence[Sequence[Piece]]) -> bool:
    """Whether what one side did to words touches nothing that the other did to words or brackets."""
    words = [[piece.text for piece in side if isinstance(piece, Atom)] for side in sides]
    groups = [[piece.text for piece in side if isinstance(piece, Group)] for side in sides]
    if words[1] == words[2]:
        return True
    return (words[2] == words[0] and groups[2] == groups[0]) or (words[1] == words[0] and groups[1] == groups[0])


def _solid(pieces: Sequence[Piece]) -> list[Piece]:
    return [piece for piece in pieces if isinstance(piece, Group) or piece.kind not in TRIVIA]


def _shape(pieces: Sequence[Piece]) -> list[str]:
    return [piece.opens if isinstance(piece, Group) else "" for piece in pieces]


def _chosen(base: str, left: str, right: str) -> str | None:
    if right in (left, base):
        return left
    return right if left == base else None


def _names(group: Group) -> list[str] | None:
    """What each element is called in its bracket; None for a comprehension and other things that are no list."""
    for element in group.elements:
        if any(isinstance(piece, Atom) and piece.text in ATOMIC for piece in element.pieces):
            return None
    seen: Counter[str] = Counter()
    names = []
    for element in group.elements:
        name = called(group, element)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def called(group: Group, element: Element) -> str:
    """What an element of a bracket is found by: its key, its keyword, else all of it."""
    solid = _solid(element.pieces)
    texts = [piece.text for piece in solid]
    if group.opens == "{" and ":" in texts:
        return "".join(texts[: texts.index(":")]).replace("'", '"')
    if group.opens == "(" and len(texts) > 1 and texts[1] == "=":
        return f"{texts[0]}="
    return element.loose


class _Elements:
    """Three brackets of one kind, merged by their elements."""

    def __init__(self, statement: _Statement, base: Group, left: Group, right: Group) -> None:
        self.statement = statement
        self.sides = (base, left, right)
        self.names = [_names(group) or [] for group in self.sides]
        self.rows: list[list[Element | None]] = []
        self.orders: list[list[int]] = []

    def text(self) -> str | None:
        """The merged bracket, or None."""
        self._align()
        chosen: dict[int, Element] = {}
        for at, (was, mine, theirs) in enumerate(self.rows):
            if was is not None and (mine is None or theirs is None):
                if (mine or theirs or was).loose != was.loose:
                    return None
            else:
                merged = self._element(was, mine, theirs)
                if merged is None:
                    return None
                chosen[at] = merged
        return self._ordered(chosen)

    def _ordered(self, chosen: Mapping[int, Element]) -> str | None:
        was, mine, theirs = ([one for one in order if one in chosen] for order in self.orders)
        try:
            order = merge_orders(was, mine, theirs, self._meet)
        except OrderClash:
            return None
        if any(isinstance(one, OrderClash) for one in order):
            return None
        return self._rendered([chosen[one] for one in order if isinstance(one, int)])

    def _align(self) -> None:
        base, left, right = self.sides
        maps = []
        for names in self.names[1:]:
            found = dict(pairs(self.names[0], names))
            for b0, b1, s0, s1 in edits(self.names[0], names):
                if b1 - b0 == s1 - s0:
                    found |= dict(zip(range(b0, b1), range(s0, s1), strict=True))
            maps.append(found)
        self.rows = [
            [
                one,
                left.elements[maps[0][at]] if at in maps[0] else None,
                right.elements[maps[1][at]] if at in maps[1] else None,
            ]
            for at, one in enumerate(base.elements)
        ]
        inverse = [{side: at for at, side in found.items()} for found in maps]
        self.orders = [list(range(len(base.elements))), [], []]
        added: dict[str, int] = {}
        for at, name in enumerate(self.names[1]):
            if at not in inverse[0]:
                added[name] = len(self.rows)
                self.rows.append([None, left.elements[at], None])
            self.orders[1].append(inverse[0].get(at, len(self.rows) - 1))
        for at, name in enumerate(self.names[2]):
            if at in inverse[1]:
                self.orders[2].append(inverse[1][at])
            elif name in added:
                self.rows[added[name]][2] = right.elements[at]
                self.orders[2].append(added[name])
            else:
                self.orders[2].append(len(self.rows))
                self.rows.append([None, None, right.elements[at]])

    def _element(self, was: Element | None, mine: Element | None, theirs: Element | None) -> Element | None:
        if mine is None or theirs is None:
            return mine or theirs
        if mine.loose == theirs.loose:
            return mine
        if was is None:
            return None
        if was.loose == mine.loose:
            return replace(theirs, lead=mine.lead)
        if was.loose == theirs.loose:
            return mine
        text = self.statement.pieces(was.pieces, mine.pieces, theirs.pieces)
        return None if text is None else replace(mine, pieces=[Atom("merged", text)])

    def _meet(self, mine: Sequence[int], theirs: Sequence[int]) -> list[int] | None:
        """Elements that both sides add at one place, where their order means nothing."""
        opens = self.sides[0].opens
        unordered = opens == "{" or self.statement.unordered
        if not unordered and not (opens == "(" and all(self._keyword(at) for at in (*mine, *theirs))):
            return None
        self.statement.met = True
        return [*theirs, *mine]

    def _keyword(self, at: int) -> bool:
        return self._called(at).endswith("=")

    def _called(self, at: int) -> str:
        element = next(one for one in self.rows[at] if one is not None)
        return called(self.sides[0], element)

    def _rendered(self, elements: Sequence[Element]) -> str:
        """The elements in the form of the side that has more lines."""
        _, left, right = self.sides
        form = max((left, right), key=lambda group: sum("\n" in one.lead for one in group.elements))
        leads = [one.lead for one in form.elements if not one.lead.strip()]
        usual = max(set(leads[1:]), key=leads.count, default=" ") if len(leads) > 1 else (leads or [" "])[0] or " "
        first = form.elements[0].lead if form.elements else ""
        placed = []
        for at, one in enumerate(elements):
            lead = one.lead
            if at == 0 and "\n" not in lead:
                lead = first if not first.strip() else lead
            elif (at and ("\n" in usual) != ("\n" in lead) and not lead.strip()) or (at and not lead):
                lead = usual
            placed.append(replace(one, lead=lead))
        return replace(form, elements=placed, comma=form.comma and bool(placed)).text
