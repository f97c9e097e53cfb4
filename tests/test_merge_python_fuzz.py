"""Merges of Python lose nothing and bring nothing back, whatever two sides did; what fails is git's text."""

from __future__ import annotations

import ast
import random
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.components.merge import MergeResult, merge
from mlox.components.merge.lines import with_left
from mlox.components.merge.python import merge_python
from tests.slices import seeded

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")


@st.composite
def modules(draw: st.DrawFn) -> list[str]:
    """Definitions, assignments and calls, each under a name of its own and with a mark that stands nowhere else."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=6))
    return [draw(statement(name, "old")) for name in names]


@st.composite
def statement(draw: st.DrawFn, name: str, mark: str) -> str:
    """A statement that says ``name`` and a mark; a call has no name, so what is left of a changed one is another."""
    lead = draw(st.sampled_from(["", f"# about {name}\n"]))
    forms = {
        "def": f"def {name}(a):\n    b = 'b_{name}_{mark}'\n    c = 'c_{name}_old'\n    return a, b, c\n",
        "class": f"class {name}:\n    b = 'b_{name}_{mark}'\n\n    def c(self):\n        return 'c_{name}_old'\n",
        "assign": f"{name} = ['{name}_{mark}', 'kept_{name}']\n",
        "call": f"print('{name}_{mark}')\n",
    }
    return lead + forms[draw(st.sampled_from(sorted(forms)))]


@st.composite
def sides(draw: st.DrawFn) -> tuple[str, str, str]:
    """A module, and what two sides made of it: statements added, removed, changed, in another order."""
    base = draw(modules())
    texts = ["".join(base)]
    for side in ("mine", "theirs"):
        mine: list[str] = []
        for text in base:
            what = draw(st.sampled_from(["keep", "keep", "keep", "change", "drop", "add"]))
            if what == "add":
                mine.append(draw(statement(f"{side}_{len(mine)}", side)))
            if what != "drop":
                mine.append(text.replace("_old'", f"_{side}'", draw(st.integers(1, 2))) if what == "change" else text)
        if draw(st.integers(0, 9)) == 0:
            mine.reverse()
        if draw(st.booleans()):
            mine.append(draw(statement(f"{side}_end", side)))
        texts.append("".join(mine))
    return texts[0], texts[1], texts[2]


def words(text: str) -> Counter[str]:
    """The strings of a module: each says what it is and which side wrote it."""
    return Counter(
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@given(sides())
@settings(max_examples=300, deadline=None)
def test_a_clean_merge_has_what_a_side_added_and_not_what_a_side_removed(three: tuple[str, str, str]) -> None:
    base, mine, theirs = three
    got = merge_python(base, mine, theirs, "full")
    if got is None or not got.clean:
        return
    was, left, right, now = (words(text) for text in (base, mine, theirs, got.text))
    for word in was | left | right:
        changes = {left[word] - was[word], right[word] - was[word]} - {0}
        expected = {was[word] + change for change in changes} or {was[word]}
        assert now[word] in expected, word


LIBRARY = sorted(
    path for path in Path(sysconfig.get_path("stdlib")).glob("*.py") if 2000 < path.stat().st_size < 40_000
)


def mutated(text: str, chance: random.Random) -> str:
    """A module with some of its lines and statements changed, some of which leaves no Python."""
    lines = text.splitlines(keepends=True)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(lines))
        spans = list(statements(text))
        kind = chance.choice(("drop", "copy", "word", "move", "blank", "comment", "cut"))
        if kind in {"drop", "copy", "move"} and spans:
            begin, end = chance.choice(spans)
            piece = lines[begin:end]
            if kind != "copy":
                del lines[begin:end]
            if kind != "drop":
                to = chance.choice(spans)[0]
                lines[to:to] = piece
        elif kind == "word":
            lines[at] = lines[at].replace("self", "me", 1).replace("return", "return not", 1).replace("1", "2", 1)
        elif kind in {"blank", "comment"}:
            lines.insert(at, "\n" if kind == "blank" else "# said\n")
        elif kind == "cut" and chance.random() < 0.2:
            lines[at] = lines[at][: len(lines[at]) // 2] + "\n"
        text = "".join(lines) or "\n"
        lines = text.splitlines(keepends=True)
    return text


def statements(text: str) -> Iterator[tuple[int, int]]:
    """The lines of each statement of a module and of its classes; none where it is no Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    inner = [one for outer in tree.body if isinstance(outer, ast.ClassDef) for one in outer.body]
    for node in (*tree.body, *inner):
        yield node.lineno - 1, node.end_lineno or node.lineno


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def check(base: str, mine: str, theirs: str) -> MergeResult | None:
    """The merge of three modules, which is git's, or Python, or Python once each conflict is answered with a side."""
    lines = merge(base, mine, theirs)
    better = merge_python(base, mine, theirs, "full")
    got = merge(base, mine, theirs, path="a.py")
    if lines.clean or better is None:
        assert got.text == lines.text
        return None
    assert got.text == (better if len(better.conflicts) < len(lines.conflicts) else lines).text
    assert is_python(better.text) if better.clean else is_python(with_left(better.text))
    if is_python(mine):
        assert got.kept is None or is_python(got.kept)
    return better


def played(times: int) -> tuple[int, int]:
    """Mutations of real modules, merged: how many the structure solved, and of how many."""
    _, seed = seeded()
    chance = random.Random(seed)  # noqa: S311
    print(f"\nMLOX_TEST_SEED={seed}")
    solved = tried = 0
    for _ in range(times):
        base = chance.choice(LIBRARY).read_text("utf-8", "surrogateescape")
        better = check(base, mutated(base, chance), mutated(base, chance))
        tried += better is not None
        solved += better is not None and better.clean
    return solved, tried


def test_mutations_of_real_modules_end_in_python_or_in_what_git_says() -> None:
    played(40)


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_many_mutations_of_real_modules_end_in_python_or_in_what_git_says() -> None:
    solved, tried = played(3000)
    assert tried > solved > 20
