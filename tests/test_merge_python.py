"""Merges of Python: what each side did is done, and what both did to the same thing is left for a person."""

from __future__ import annotations

import ast
import textwrap

import pytest

from mlox.components.merge import merge
from tests.merging_stage import merged

BASE = '''\
"""A store."""

import os
from typing import Any, List

LIMIT = 3
NAMES = ["a", "b"]


def load(path, sep=","):
    rows = open(path).read()
    rows = rows.split(sep)
    return rows


def save(path, rows):
    return path
'''


def edited(*changes: tuple[str, str], base: str = BASE) -> str:
    for old, new in changes:
        assert old in base, old
        base = base.replace(old, new, 1)
    return base


CLEAN = {
    "adjacent": (
        [("LIMIT = 3", "LIMIT = 4")],
        [('NAMES = ["a", "b"]', 'NAMES = ["a"]')],
        [("LIMIT = 3", "LIMIT = 4"), ('NAMES = ["a", "b"]', 'NAMES = ["a"]')],
    ),
    "imports of one module": (
        [("Any, List", "Any, Dict, List")],
        [("Any, List", "Any, Iterator")],
        [("Any, List", "Any, Dict, Iterator")],
    ),
    "imports in other forms": (
        [("import os\n", "import os\nimport re\n")],
        [("import os\n", "import os, sys\n")],
        [("import os\n", "import os, sys\nimport re\n")],
    ),
    "elements of a list": (
        [('"b"]', '"b", "c"]')],
        [('["a"', '["0", "a"')],
        [('["a", "b"]', '["0", "a", "b", "c"]')],
    ),
    "parameters": (
        [('sep=","', 'sep=";"')],
        [("def load(path,", "def load(name,")],
        [('load(path, sep=","', 'load(name, sep=";"')],
    ),
    "both add definitions": (
        [("    return rows\n", "    return rows\n\n\ndef mine():\n    pass\n")],
        [("    return rows\n", "    return rows\n\n\ndef theirs():\n    pass\n")],
        [("    return rows\n", "    return rows\n\n\ndef mine():\n    pass\n\n\ndef theirs():\n    pass\n")],
    ),
}


@pytest.mark.parametrize("case", CLEAN)
def test_what_lines_cannot_tell_apart_is_merged(case: str) -> None:
    mine, theirs, both = CLEAN[case]
    got = merged(BASE, edited(*mine), edited(*theirs))
    assert merge(BASE, edited(*mine), edited(*theirs)).conflicts
    assert got.clean
    assert got.text == edited(*both)
    assert got.applied


CONFLICTS = {
    "three values": ([("LIMIT = 3", "LIMIT = 4")], [("LIMIT = 3", "LIMIT = 5")]),
    "delete against modify": (
        [('NAMES = ["a", "b"]\n', "")],
        [('NAMES = ["a", "b"]', 'NAMES = ["b"]')],
    ),
    "both add it, each otherwise": (
        [("LIMIT = 3\n", "LIMIT = 3\nMOST = 1\n")],
        [("LIMIT = 3\n", "LIMIT = 3\nMOST = 2\n")],
    ),
    "one name from two modules": (
        [("import os\n", "import os\nfrom a import run\n")],
        [("import os\n", "import os\nfrom b import run\n")],
    ),
    "a name that nothing binds any more": (
        [("LIMIT = 3\nNAMES", "NAMES")],
        [('NAMES = ["a", "b"]', 'NAMES = ["a", "b", LIMIT]')],
    ),
    "one side renames what the other begins to use": (
        [("def save(path, rows)", "def keep(path, rows)"), ("LIMIT = 3", "LIMIT = 4")],
        [('NAMES = ["a", "b"]', 'NAMES = ["a", save]')],
    ),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_what_both_changed_is_left(case: str) -> None:
    mine, theirs = CONFLICTS[case]
    got = merged(BASE, edited(*mine), edited(*theirs))
    assert not got.clean
    assert got.text.count("<<<<<<< mine") == got.text.count(">>>>>>> theirs") >= 1


ENDS = {
    "blank lines": ("", "\n\n\n", "{theirs}\n\n\n"),
    "a comment": ("", "\n\n# mine\n", "\n\n# mine\n{theirs}"),
    "the comment above what is deleted": ("\n\n# why\ndef g():\n    pass\n", "\n\n# why\n", "\n\n# why\n{theirs}"),
}


@pytest.mark.parametrize("case", ENDS)
def test_what_follows_the_last_statement_is_no_conflict_with_what_is_added_there(case: str) -> None:
    last, mine, both = ENDS[case]
    new = "\n\ndef new():\n    return 2\n"
    got = merged(BASE + last, BASE + mine, BASE + last + new)
    assert got.text == BASE + both.format(theirs=new)
    other = merged(BASE + last, BASE + last + new, BASE + mine)
    assert other.clean
    assert sorted(other.text.split()) == sorted(got.text.split())


@pytest.mark.parametrize(
    "theirs", ["def new():\n    return MINE\n", "MINE = 4\n", "class MINE:\n    pass\n", "run()\n"]
)
def test_additions_at_one_place_that_may_know_each_other_are_left(theirs: str) -> None:
    assert not merged(BASE, f"{BASE}\n\nMINE = 3\n", f"{BASE}\n\n{theirs}").clean


UNUSED = {
    "a local": "def f(a):\n    b = a\n    x = b\n    y = b\n    return x, y\n",
    "an import": "import b\n\nx = b\ny = b\n",
    "an import in a function": "def f():\n    import b\n\n    x = b\n    y = b\n    return x, y\n",
}


@pytest.mark.parametrize("case", UNUSED)
def test_what_would_be_there_for_nothing_any_more_is_left(case: str) -> None:
    base = UNUSED[case]
    assert merged(base, base.replace("x = b", "x = 1"), base.replace("y = b", "y = b.c")).clean
    assert not merged(base, base.replace("x = b", "x = 1"), base.replace("y = b", "y = 2")).clean


def test_one_side_formatted_and_the_other_changed() -> None:
    base = "def f(a, b):\n    return {'a': a, 'b': b}\n\nx = f(1, 2)\n"
    mine = textwrap.dedent("""\
        def f(
            a,
            b,
        ):
            return {
                "a": a,
                "b": b,
            }


        x = f(1, 2)
        """)
    theirs = base.replace("'b': b", "'b': b, 'c': 3").replace("(1, 2)", "(1, 3)")
    got = merged(base, mine, theirs)
    assert got.clean
    assert ast.dump(ast.parse(got.text)) == ast.dump(ast.parse(theirs))
    assert got.text.startswith("def f(\n    a,\n    b,\n):\n    return {\n")
    assert '        "c": 3,\n' in got.text


def test_a_file_that_is_no_python_stays_as_git_left_it() -> None:
    base, mine, theirs = "a = (\nb\nc\n", "a = (\nB\nc\n", "a = (\nX\nc\n"
    assert merged(base, mine, theirs) == merge(base, mine, theirs)


def test_line_ends_and_encodings_stay() -> None:
    base = BASE.replace("\n", "\r\n")
    mine, theirs = (edited(*changes).replace("\n", "\r\n") for changes in CLEAN["adjacent"][:2])
    got = merged(base, mine, theirs)
    assert got.text == edited(*CLEAN["adjacent"][2]).replace("\n", "\r\n")
    cookie = b"# coding: latin-1\n\nA = '\xe9'\nB = 1\n"
    answer = merge(cookie, cookie.replace(b"A =", b"AA ="), cookie.replace(b"B = 1", b"B = 2"), path="a.py")
    assert answer.text.encode("utf-8", "surrogateescape") == b"# coding: latin-1\n\nAA = '\xe9'\nB = 2\n"
