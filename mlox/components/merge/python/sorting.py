"""Where an import goes that one side adds, and whose neighbours the other side has sorted: to its sorted place."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise

from mlox.components.merge.python.imports import bindings, lead_of
from mlox.components.merge.python.rows import Row
from mlox.components.merge.python.sequences import OrderClash
from mlox.components.merge.python.source import lines_of

Order = list[int | OrderClash]
Key = tuple[bool | str, ...]
KEYS: tuple[Callable[[bool, str], Key], ...] = (
    lambda taken, module: (taken, module.lower()),
    lambda taken, module: (module.lower(), taken),
    lambda taken, module: (taken, module),
    lambda taken, module: (module, taken),
    lambda taken, module: (not taken, module.lower()),
)
"""How sorters of imports sort a group, by whether it is a ``from`` and by the module: the most usual one first."""


def resorted(rows: Sequence[Row], order: Order, texts: dict[int, str]) -> Order:
    """The order of a module's items, in which imports that one side added stand where the other has sorted them to.

    Only those move, only within the imports around them, and only where the other side put imports of the base into
    another order, which is a sorted one: else their place is the one that their side gave them. Where one becomes the
    first of its group, the blank lines above the group go above it, in ``texts``.
    """
    for host, other in (("left", "right"), ("right", "left")):
        if not _in_another_order(rows, host):
            continue
        for at in [one for one in order if isinstance(one, int) and _added(rows[one], other)]:
            order = _placed(rows, order, texts, at, host)
    return order


def _added(row: Row, side: str) -> bool:
    """Whether one side alone has an import, with nothing above it."""
    alone = row.base is None and getattr(row, side) is row.any and (row.left is None or row.right is None)
    return alone and row.any.kind == "import" and not row.any.lead


def _in_another_order(rows: Sequence[Row], side: str) -> bool:
    """Whether a side moved imports of the base past each other."""
    orders = []
    for one in ("base", side):
        items = [item for row in rows if row.any.kind == "import" and (item := getattr(row, one)) is not None]
        orders.append([name for item in sorted(items, key=lambda item: item.start) for name in bindings(item)])
    known = {*orders[0]} & {*orders[1]}
    was, now = ([name for name in names if name in known] for names in orders)
    return was != now


def _placed(rows: Sequence[Row], order: Order, texts: dict[int, str], at: int, host: str) -> Order:
    """The order with one import at its sorted place; the order as it is where that is not known."""
    here = order.index(at)
    without = [one for one in order if one != at]
    group = [one for one in _group_of(rows, without, here, at) if one in texts]
    known = [one for one in group if getattr(rows[one], host) is not None]
    if len(known) < 2 or any(name == "*" for one in (*group, at) for _, name, _ in bindings(rows[one].any)):
        return order
    keys = [key for key in KEYS if _is_sorted([_key(rows[one], key) for one in known])]
    begin = without.index(group[0])
    stays = begin <= here <= begin + len(group)
    now = [*group[: here - begin], at, *group[here - begin :]] if stays else []
    if not keys or (stays and any(_is_sorted([_key(rows[one], key) for one in now]) for key in keys)):
        return order
    mine = _key(rows[at], keys[0])
    place = next((number for number, one in enumerate(group) if _key(rows[one], keys[0]) > mine), len(group))
    if not all(texts[one].endswith(("\n", "\r")) for one in (*group, at)):
        return order
    if place == 0:
        lead = lead_of(rows[group[0]])
        if lead.strip() or not texts[group[0]].startswith(lead):
            return order
        texts[at], texts[group[0]] = lead + texts[at], texts[group[0]][len(lead) :]
    return [*without[: begin + place], at, *without[begin + place :]]


def _group_of(rows: Sequence[Row], order: Order, here: int, at: int) -> list[int]:
    """The group of imports to which one at this place belongs: the one there, else the only one of its origin."""
    groups: list[list[int]] = [[]]
    near = 0
    for one in _run(rows, order, here):
        if groups[-1] and any(not line.strip() for line in lines_of(lead_of(rows[one]))):
            groups.append([])
        groups[-1].append(one)
        near = len(groups) - 1 if order.index(one) < here else near
    origins = [{_origin(rows[one]) for one in group} for group in groups]
    mine = _origin(rows[at])
    if mine in origins[near] or not origins[near]:
        return groups[near]
    fitting = [group for group, there in zip(groups, origins, strict=True) if there == {mine}]
    return fitting[0] if len(fitting) == 1 else []


def _run(rows: Sequence[Row], order: Order, here: int) -> list[int]:
    """The imports around a place, with nothing else between them."""
    first = last = here
    while first and _is_import(rows, order[first - 1]):
        first -= 1
    while last < len(order) and _is_import(rows, order[last]):
        last += 1
    return [one for one in order[first:last] if isinstance(one, int)]


def _is_import(rows: Sequence[Row], one: int | OrderClash) -> bool:
    return isinstance(one, int) and rows[one].any.kind == "import"


def _key(row: Row, key: Callable[[bool, str], Key]) -> Key:
    module, name, _ = bindings(row.any)[0]
    return key(isinstance(row.any.node, ast.ImportFrom), module or name)


def _origin(row: Row) -> str:
    """Where a module comes from, as sorters have it."""
    module, name, _ = bindings(row.any)[0]
    root = (module or name).partition(".")[0]
    if root == "__future__" or not root:
        return root or "relative"
    return "standard" if root in sys.stdlib_module_names else "other"


def _is_sorted(keys: Sequence[Key]) -> bool:
    return all(one <= other for one, other in pairwise(keys))
