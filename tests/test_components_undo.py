"""What was done to components is taken back, one change after the other, and never over somebody's work."""

from __future__ import annotations

import pytest

from mlox.errors import UsageError, WorkspaceError
from tests.component_stage import WORDS, WORDS_PATH, Shop, newer


@pytest.mark.parametrize("change", ["add", "update", "remove", "resolve"])
def test_each_change_is_taken_back(shop: Shop, change: str) -> None:
    if change != "add":
        shop.add()
        shop.put(WORDS_PATH, shop.read(WORDS_PATH).replace("Hello", "Good day"))
        newer(shop)
    if change == "resolve":
        shop.update()
    before = shop.tree()
    if change == "resolve":
        shop.changes.resolve("greeting", "theirs")
    else:
        getattr(shop, change)()
    assert shop.tree() != before
    assert shop.changes.undo().what.startswith(change)
    assert shop.tree() == before


def test_many_changes_are_taken_back_one_by_one(shop: Shop) -> None:
    states = [shop.tree()]
    shop.add()
    for number in range(25):
        states.append(shop.tree())
        newer(shop, WORDS + b"\n# %d\n" % number, version=f"1.{number + 1}")
        shop.update()
    for state in states[:-21:-1]:
        shop.changes.undo()
        assert shop.tree() == state
    with pytest.raises(UsageError, match="no change to take back"):
        shop.changes.undo()


def test_what_was_changed_since_is_not_taken_back(shop: Shop) -> None:
    shop.add()
    shop.put(WORDS_PATH, "mine = 1\n")
    before = shop.tree()
    with pytest.raises(WorkspaceError, match="was changed since"):
        shop.changes.undo()
    assert shop.tree() == before
