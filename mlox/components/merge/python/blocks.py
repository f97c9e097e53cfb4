"""The merge of a sequence of items: which are kept, what each becomes, and in which order they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from mlox.components.merge.python.aligning import align, alike
from mlox.components.merge.python.contents import merge_item, says_no_more
from mlox.components.merge.python.imports import Imports
from mlox.components.merge.python.items import Item, name_of
from mlox.components.merge.python.meeting import together
from mlox.components.merge.python.notes import Notes
from mlox.components.merge.python.rows import Row
from mlox.components.merge.python.sequences import OrderClash, merge_orders
from mlox.components.merge.python.sorting import resorted

NEAR = 0.7


def merge_block(
    base: Sequence[Item], left: Sequence[Item], right: Sequence[Item], notes: Notes, *, ordered: bool, path: str
) -> str:
    """The text of a block with what both sides changed; conflicts stand in it with markers, and in ``notes``."""
    block = _Block(_rows(base, left, right, ordered=ordered), notes, ordered, path)
    was, mine, theirs = (
        [at for at, _ in block.placed(side) if at in block.texts] for side in ("base", "left", "right")
    )
    try:
        order = merge_orders(was, mine, theirs, block.meet)
    except OrderClash:
        whole = ["".join(item.whole for item in side) for side in (left, base, right)]
        return notes.conflict(path, "both sides moved things here", *whole)
    if [one for one in mine if one in set(theirs)] != [one for one in theirs if one in set(mine)]:
        notes.use("moved", path)
    block.note_neighbours(order)
    if block.repeats(order, base, left, right):
        whole = ["".join(item.whole for item in side) for side in (left, base, right)]
        return notes.conflict(path, "both sides add the same here", *whole)
    apart = block.apart(order)
    if apart is not None:
        return apart
    if not ordered:
        order = resorted(block.rows, order, block.texts)
    return "".join(block.texts[one] if isinstance(one, int) else block.clash(one) for one in order)


def _rows(base: Sequence[Item], left: Sequence[Item], right: Sequence[Item], *, ordered: bool) -> list[Row]:
    """What stands on the three sides for the same item, in the order of the base, then of the left, then the right."""
    to_left, to_right = align(base, left, ordered=ordered), align(base, right, ordered=ordered)
    rows = [
        Row(item, left[to_left[at]] if at in to_left else None, right[to_right[at]] if at in to_right else None)
        for at, item in enumerate(base)
    ]
    mine = [item for at, item in enumerate(left) if at not in set(to_left.values())]
    theirs = [item for at, item in enumerate(right) if at not in set(to_right.values())]
    same = _added_twice(mine, theirs, ordered=ordered) if mine and theirs else {}
    rows += [Row(None, item, theirs[same[at]] if at in same else None) for at, item in enumerate(mine)]
    return rows + [Row(None, None, item) for at, item in enumerate(theirs) if at not in same.values()]


def _added_twice(mine: Sequence[Item], theirs: Sequence[Item], *, ordered: bool) -> dict[int, int]:
    """What both sides add, by its name, or by its text where it has none."""
    names = {item.loose if ordered or item.kind == "other" else item.key: at for at, item in enumerate(theirs)}
    found: dict[int, int] = {}
    for at, item in enumerate(mine):
        name = item.loose if ordered or item.kind == "other" else item.key
        if name in names:
            found[at] = names.pop(name)
    free = [at for at, item in enumerate(theirs) if at not in found.values() and _nameless(item, ordered=ordered)]
    for at, item in enumerate(mine):
        if at not in found and _nameless(item, ordered=ordered):
            near = [one for one in free if type(theirs[one].node) is type(item.node)]
            best = max(near, key=lambda one: alike(item.text, theirs[one].text), default=None)
            if best is not None and alike(item.text, theirs[best].text) > NEAR:
                found[at] = best
                free.remove(best)
    return found


def _nameless(item: Item, *, ordered: bool) -> bool:
    return bool(item.nodes) and item.kind != "import" and (ordered or item.kind == "other")


@dataclass(slots=True, init=False)
class _Block:
    rows: list[Row]
    notes: Notes
    ordered: bool
    path: str
    texts: dict[int, str]
    beside: set[int]

    def __init__(self, rows: list[Row], notes: Notes, ordered: bool, path: str) -> None:
        self.rows, self.notes, self.ordered, self.path = rows, notes, ordered, path
        imports = Imports(rows, notes)
        self.texts, self.beside = {}, set()
        for at, row in enumerate(rows):
            text = imports.text(at) if at in imports else self._text(row)
            if text is not None:
                self.texts[at] = text

    def _text(self, row: Row) -> str | None:
        """What an item becomes; None where it goes."""
        mine, was, theirs = row.left, row.base, row.right
        key = f"{self.path}{row.any.key}"
        self._note_renamed(row, key)
        if mine is not None and theirs is not None:
            return merge_item(row, self.notes, key, merge_block)
        kept = mine or theirs
        if was is None or kept is None:
            return kept.whole if kept else None
        if says_no_more(kept, was):
            return None
        sides = ("" if item is None else item.whole for item in (mine, was, theirs))
        return self.notes.conflict(key, "one side deletes what the other changes", *sides)

    def _note_renamed(self, row: Row, key: str) -> None:
        """Write down the old name of a definition that a side renamed."""
        if row.base is None or row.base.kind not in {"def", "class"}:
            return
        names = [name_of(item) for item in (row.base, row.left, row.right) if item is not None]
        if len(set(names)) > 1:
            self.notes.renamed.append((names[0], "left" if row.left and name_of(row.left) != names[0] else "right"))
            if row.changed == "" and row.left and row.right:
                self.notes.use("rename", key)

    def placed(self, side: str) -> list[tuple[int, Row]]:
        """The rows that a side has, in its order."""
        there = [(at, row) for at, row in enumerate(self.rows) if getattr(row, side) is not None]
        return sorted(there, key=lambda pair: getattr(pair[1], side).start)

    def meet(self, mine: Sequence[int], theirs: Sequence[int]) -> list[int] | None:
        """How what both sides add at one place follows each other."""
        found = together(self.rows, mine, theirs, ordered=self.ordered)
        if found is None:
            return None
        self.notes.use(found[1], f"{self.path}{self.rows[theirs[0]].any.key}")
        return found[0]

    def clash(self, clash: OrderClash) -> str:
        """The markers for what both sides add at one place."""
        sides = ["".join(self.rows[at].any.whole for at in run) for run in (clash.left, clash.right)]
        key = f"{self.path}{self.rows[clash.left[0]].any.key}"
        return self.notes.conflict(key, "both sides add something here", sides[0], "", sides[1])

    def repeats(self, order: Sequence[int | OrderClash], *sides: Sequence[Item]) -> bool:
        """Whether a statement would stand here more often than on any side."""
        most: Counter[str] = Counter()
        for side in sides:
            most |= Counter(item.loose for item in side)
        now = Counter(self.rows[one].now for one in order if isinstance(one, int))
        return any(times > most[text] for text, times in now.items() if text and times > 1)

    def note_neighbours(self, order: Sequence[int | OrderClash]) -> None:
        """Write down where each side changed another one of two neighbours, which lines cannot tell apart."""
        before, deleted, last = "", False, -1
        for one in self._with_the_deleted(order):
            row = self.rows[one]
            now = row.changed
            if before and now and before != now:
                gone = row.base is not None and (row.left is None or row.right is None)
                rule = "statements" if self.ordered else "deleted-beside" if gone or deleted else "adjacent"
                rule = "same-beside" if "both" in {before, now} else rule
                if self.notes.may(rule):
                    self.notes.use(rule, f"{self.path}{row.any.key}")
                else:
                    self.beside |= {last, one}
            last = one
            before, deleted = now, row.base is not None and (row.left is None or row.right is None)

    def apart(self, order: Sequence[int | OrderClash]) -> str | None:
        """The block with a conflict for each run of neighbours of which each side changed another; None without any."""
        if not self.beside:
            return None
        if not all(isinstance(one, int) for one in order):
            self.notes.use("statements", self.path)
            return None
        texts = []
        for clashing, run in groupby(self._with_the_deleted(order), key=self.beside.__contains__):
            places = list(run)
            if not clashing:
                texts += [self.texts.get(one, "") for one in places]
                continue
            rows = [self.rows[one] for one in places]
            sides = (
                "".join(item.whole for row in rows if (item := getattr(row, side)))
                for side in ("left", "base", "right")
            )
            key = f"{self.path}{rows[0].any.key}"
            texts.append(self.notes.conflict(key, "each side changes another of these", *sides))
        return "".join(texts)

    def _with_the_deleted(self, order: Sequence[int | OrderClash]) -> Iterator[int]:
        """The rows in their order, and those that went before the ones that they stood before in the base."""
        at = 0
        kept = {one for one in order if isinstance(one, int)}
        for one in order:
            if not isinstance(one, int):
                continue
            if self.rows[one].base is not None and one >= at:
                yield from (gone for gone in range(at, one) if gone not in kept and self.rows[gone].base is not None)
                at = one + 1
            yield one
        yield from (gone for gone in range(at, len(self.rows)) if gone not in kept and self.rows[gone].base is not None)
