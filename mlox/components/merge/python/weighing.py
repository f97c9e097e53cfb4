"""How much two sides changed: where one changed little, or nothing but what the other did too, a merge is surer."""

from __future__ import annotations

import ast
import re
from collections import Counter

from mlox.components.merge.python.elements import comments_of
from mlox.components.merge.python.source import Source

SLIGHT = 2
"""So many lines, added and removed, are a small change."""
SHORT = 3
"""Lines of so few characters say nothing: brackets, ``else``."""
_WORD = re.compile(r"\w+")


def plain(base: str, left: str, right: str) -> bool:
    r"""Whether one side changed little (few lines, one name), or added no line, or no new word, without the other.

    Of 1,839 merges of real files whose lines conflicted, the plain ones that were solved were as their developers had
    them in 359 of 429 cases, the others in 325 of 474.

    Example:
        >>> old = "alpha = 1\nbeta = 2\ngamma = 3\n"
        >>> plain(old, old.replace("1", "4"), "other = 5\nlines = 6\nhere = 7\n")
        True
        >>> plain(old, "another = 8\nthat = 9\nwas = 0\n", "other = 5\nlines = 6\nhere = 7\n")
        False
    """
    was, *sides = (_lines(text) for text in (base, left, right))
    sizes = [(side - was).total() + (was - side).total() for side in sides]
    if min(sizes) <= SLIGHT or _within(*(side - was for side in sides)):
        return True
    said, *words = (_words(lines) for lines in (was, *sides))
    if any(max(len(one - said), len(said - one)) <= 1 for one in words):
        return True
    return _within(*(Counter(set(one) - set(said)) for one in words))


def formatted(was: Source, side: Source) -> bool:
    r"""Whether a side only formatted a module: the same statements and comments, imports in any order.

    Where one name is imported twice, or whatever there is (``*``), the order of imports says something.

    Example:
        >>> from mlox.components.merge.python.source import read
        >>> was = read("import b, a\nx = {'c': 1}\n")
        >>> formatted(was, read("import a, b\n\nx = {\n    \"c\": 1,\n}\n")), formatted(was, read("x = {'c': 1}\n"))
        (True, False)
    """
    return _said(was) == _said(side)


def _said(source: Source) -> tuple[list[str], list[str], Counter[str]]:
    imports: list[str] = []
    bound: list[str] = []
    others: list[str] = []
    for node in source.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            start = f"{node.module}:{node.level}" if isinstance(node, ast.ImportFrom) else ""
            imports += [f"{start} {ast.dump(name)}" for name in node.names]
            bound += [name.asname or name.name for name in node.names]
        else:
            others.append(ast.dump(node))
    free = "*" not in bound and len(set(bound)) == len(bound)
    return sorted(imports) if free else imports, others, Counter(comments_of(source.text))


def _within(one: Counter[str], other: Counter[str]) -> bool:
    """Whether one of two has something, and the other has it too."""
    return bool(one and other) and (one <= other or other <= one)


def _lines(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.splitlines() if len(line.strip()) > SHORT)


def _words(lines: Counter[str]) -> Counter[str]:
    words: Counter[str] = Counter()
    for line, times in lines.items():
        for word in _WORD.findall(line):
            words[word] += times
    return words
