"""Every rule of the merge of Python: what it solves, that it says so, and that ``strict`` uses it only where it may."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mlox.components.merge import merge
from mlox.components.merge.python.rules import RULES, allowed
from tests.merging_stage import merged


@dataclass(frozen=True, slots=True)
class Case:
    """Three sides whose lines conflict, and what one rule makes of them; ``beside`` names others that it needs."""

    base: str
    mine: str
    theirs: str
    both: str
    beside: frozenset[str] = frozenset()


DEF = "def f(a):\n    x = 1\n    y = 2\n    return x + y + a\n"
LONG = "def load(path):\n    rows = open(path)\n    text = rows.read()\n    return text.split()\n"
CASES = {
    "adjacent": Case("a = 1\nb = 2\n", "a = 3\nb = 2\n", "a = 1\nb = 4\n", "a = 3\nb = 4\n"),
    "statements": Case(
        DEF,
        DEF.replace("x = 1", "x = 3"),
        DEF.replace("y = 2", "y = 4"),
        DEF.replace("x = 1", "x = 3").replace("y = 2", "y = 4"),
    ),
    "additions": Case(
        "a = 1\n",
        "a = 1\n\n\ndef f():\n    return 1\n",
        "a = 1\n\n\ndef g():\n    return 2\n",
        "a = 1\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n",
        frozenset({"adjacent"}),
    ),
    "unrelated": Case(
        "a = 1\n",
        "a = 1\n\n\nb = a\n\n\nif __name__ == '__main__':\n    print(b)\n",
        "a = 1\n\n\ndef f():\n    return 1\n",
        "a = 1\n\n\nb = a\n\n\ndef f():\n    return 1\n\n\nif __name__ == '__main__':\n    print(b)\n",
        frozenset({"adjacent"}),
    ),
    "imports": Case(
        "from a import b\n\nb()\n",
        "from a import b, c\n\nb(c)\n",
        "from a import b, d\n\n\nb()\nd()\n",
        "from a import b, c, d\n\n\nb(c)\nd()\n",
        frozenset({"clauses", "adjacent"}),
    ),
    "rename": Case(
        LONG,
        LONG.replace("def load", "def read"),
        LONG.replace("split()", 'split(";")').replace("def load(path)", "def load(path, sep)"),
        LONG.replace("split()", 'split(";")').replace("def load(path)", "def read(path, sep)"),
    ),
    "same-addition": Case(
        "a = 1\n",
        "a = 1\n\n\ndef f(b):\n    return g(b, 1)\n",
        'a = 1\n\n\ndef f(b):\n    """Why."""\n    return g(b, 1)\n',
        'a = 1\n\n\ndef f(b):\n    """Why."""\n    return g(b, 1)\n',
    ),
    "same-change": Case("a = f(1)\n", "a = f(1, 2)\n", "a = f(\n    1, 2\n)\n", "a = f(1, 2)\n"),
    "elements": Case("a = f(1, 2)\n", "a = f(0, 1, 2)\n", "a = f(1, 2, 3)\n", "a = f(0, 1, 2, 3)\n"),
    "lines": Case(
        'a = """\none\ntwo\nthree"""\nb = 1\n',
        'a = """\nONE\ntwo\nthree"""\nb = 2\n',
        'a = """\none\ntwo\nTHREE"""\nb = 1\n',
        'a = """\nONE\ntwo\nTHREE"""\nb = 2\n',
    ),
    "contained": Case("a = one + two\n", "a = one - three\n", "a = one + three\n", "a = one - three\n"),
    "decorators": Case(
        "@one\ndef f(a):\n    pass\n",
        "@two\ndef f(a):\n    pass\n",
        "@one\ndef f(a, b):\n    pass\n",
        "@two\ndef f(a, b):\n    pass\n",
    ),
    "entries": Case(
        'a = {"x": 1}\n', 'a = {"x": 1, "m": 2}\n', 'a = {"x": 1, "t": 3}\n', 'a = {"x": 1, "t": 3, "m": 2}\n'
    ),
    "same-beside": Case("a = 1\nb = 2\n", "a = 3\nb = 2\n", "a = 3\nb = 4\n", "a = 3\nb = 4\n"),
    "clauses": Case(
        "# one\ndef f(a):\n    return a\n",
        "# two\ndef f(a):\n    return a\n",
        "# one\ndef f(a, b):\n    return a\n",
        "# two\ndef f(a, b):\n    return a\n",
    ),
    "reformatted": Case(
        "a = b + c\n", "a = (\n    b\n    + c\n)\n", "a = b + c + d\n", "a = (\n    b\n    + c + d\n)\n"
    ),
    "moved": Case(
        "def f():\n    return 1\n\n\ndef g():\n    return 2\n",
        "def g():\n    return 2\n\n\ndef f():\n    return 1\n",
        "def f():\n    return 1\n\n\ndef g():\n    return 3\n",
        "def g():\n    return 3\n\n\ndef f():\n    return 1\n",
    ),
    "comments": Case(
        "a = 1\n# one\n# two\n# three\nb = 1\n",
        "a = 1\n# ONE\n# two\n# three\nb = 1\n",
        "a = 2\n# one\n# two\n# THREE\nb = 1\n",
        "a = 2\n# ONE\n# two\n# THREE\nb = 1\n",
    ),
    "deleted-beside": Case("a = 1\nb = 2\nc = 3\n", "a = 1\nc = 3\n", "a = 1\nb = 2\nc = 4\n", "a = 1\nc = 4\n"),
}


def test_every_rule_has_its_case() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_was_right_more_often_than_wrong(rule: str) -> None:
    assert RULES[rule].right > RULES[rule].wrong >= 0
    assert RULES[rule].right > 3 * RULES[rule].wrong or not RULES[rule].strict


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_solves_what_lines_leave_and_says_so(rule: str) -> None:
    case = CASES[rule]
    assert merge(case.base, case.mine, case.theirs).conflicts
    got = merged(case.base, case.mine, case.theirs)
    assert got.text == case.both
    used = {one.rule for one in got.applied}
    assert rule in used <= {rule, *case.beside}


@pytest.mark.parametrize("rule", CASES)
def test_strict_uses_what_is_sure_alone(rule: str) -> None:
    case = CASES[rule]
    full = merged(case.base, case.mine, case.theirs)
    strict = merge(case.base, case.mine, case.theirs, path="a.py", level="strict")
    assert strict.clean == allowed(full.applied, "strict", plain=True)
    assert strict.text == (full.text if strict.clean else merge(case.base, case.mine, case.theirs).text)


OTHERS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
"""What both sides also change far from each other, each to something of its own: such a merge is not plain."""


def busy(side: str) -> str:
    return "".join(f"{one}_{side} = make_{one}_{side}()\n" for one in OTHERS)


def between(text: str, first: str, last: str) -> str:
    """A text whose first lines one side changes and whose last lines the other."""
    middle = "".join(f"kept{at} = {at}\n" for at in range(9))
    return f"{first}{middle}{text}{middle.replace('kept', 'held')}{last}"


@pytest.mark.parametrize("rule", CASES)
def test_where_both_changed_much_what_was_wrong_too_often_is_left(rule: str) -> None:
    case = CASES[rule]
    old, last, mine, theirs = (busy(side) for side in ("old", "last", "mine", "theirs"))
    got = merged(between(case.base, old, last), between(case.mine, mine, last), between(case.theirs, old, theirs))
    assert got.clean != RULES[rule].plain
    if got.clean:
        assert got.text == between(case.both, mine, theirs)
