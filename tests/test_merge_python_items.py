"""A module is cut into items that hold every byte of it, each under a name of its own."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from mlox.components.merge.python.items import Item, items_of, parts_of
from mlox.components.merge.python.scanning import Unbalanced, scan
from mlox.components.merge.python.source import lines_of, read, written
from tests.merging_stage import modules
from tests.source_tree import SOURCES

MODULE = '''\
#!/usr/bin/env python
# A licence.

"""What it is."""

import os, sys
from a import b

# A limit.
LIMIT: int = 3
x = 1; y = 2


class Store(Base):  # kept
    """Rows."""

    @property
    def rows(self):
        return 1

    @rows.setter
    def rows(self, value):
        pass
        # the end

    # of the class


if x:
    a()
elif y:
    b()
else:
    # nothing
    c()
if __name__ == "__main__":
    main()
# tail
'''


def whole(items: Sequence[Item]) -> str:
    """The text of items, read from their clauses where they have some."""
    texts = []
    for item in items:
        parts = parts_of(item)
        texts.append(item.lead + ("".join(part.header + whole(part.items) for part in parts) or item.text))
    return "".join(texts)


def test_every_item_has_its_name() -> None:
    items = items_of(read(MODULE))
    assert [item.key for item in items] == [
        *("head", "docstring", "import os", "from a", "= LIMIT", "= x", "def Store", "If", "main", "tail"),
    ]
    (store,) = [item for item in items if item.kind == "class"]
    (part,) = parts_of(store)
    assert part.header == "class Store(Base):  # kept\n"
    assert [item.key for item in part.items] == ["docstring", "def rows", "def rows@setter", "tail"]
    assert items[4].lead == "\n# A limit.\n"
    assert [part.header for part in parts_of(items[7])] == ["if x:\n", "elif y:\n", "else:\n"]


def test_comments_that_are_indented_below_a_definition_are_its_own() -> None:
    first, second = items_of(read("def f():\n    pass\n    # mine\n# yours\nx = 1\n"))
    assert first.text.endswith("# mine\n")
    assert second.lead == "# yours\n"


@given(modules())
@settings(max_examples=150, deadline=None)
def test_items_joined_are_the_file(text: str) -> None:
    try:
        source = read(text)
    except SyntaxError:
        return
    items = items_of(source)
    assert "".join(item.whole for item in items) == text
    assert whole(items) == text
    for item in items:
        if item.nodes:
            assert "".join(piece.text for piece in scan(item.text)) == item.text


@pytest.mark.parametrize("module", list(SOURCES)[::5])
def test_items_of_real_modules_joined_are_the_files(module: str) -> None:
    text = SOURCES[module]
    items = items_of(read(text))
    assert whole(items) == text
    assert sum(len(item.nodes) for item in items) == len(ast.parse(text).body)
    assert all("".join(piece.text for piece in scan(item.text)) == item.text for item in items)


@pytest.mark.parametrize(
    "text", ["\ufeffa = 1\n", "a = 1\x0c\nb = 2\r\nc = 3\rd = 4", "# coding: latin-1\nx = '\udce9'\n"]
)
def test_what_is_read_is_written_to_the_byte(text: str) -> None:
    source = read(text)
    assert written(source.text, source) == text


def test_an_encoding_cookie_is_followed() -> None:
    assert "é" in read("# coding: latin-1\nx = '\udce9'\n").text


def test_lines_are_those_of_python() -> None:
    text = "a = 1\x0c\u2028\rb = '''\r\n'''\nc = 1"
    assert len(lines_of(text)) == 4


@pytest.mark.parametrize("text", ["f(", "f)", "f(]", "'a", "f('a)"])
def test_what_does_not_match_is_no_statement(text: str) -> None:
    with pytest.raises(Unbalanced):
        scan(text)
