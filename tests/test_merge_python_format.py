"""What one side formatted stays so, and what the other changed goes into it: no other byte, and no other tree."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlox.components.merge.python import merge_python
from mlox.components.merge.python.elements import comments_of
from mlox.components.merge.python.quoting import quoted, turned
from mlox.components.merge.python.refitting import meaning, refit
from mlox.components.merge.python.source import read
from mlox.components.merge.python.weighing import formatted

REFITTED = {
    "a value": ("f(a, b=1)\n", "f(\n    a,\n    b=1,\n)\n", "f(a, b=2)\n", "f(\n    a,\n    b=2,\n)\n"),
    "an argument more": ("f(a)\n", "f(\n    a,\n)\n", "f(a, b)\n", "f(\n    a,\n    b,\n)\n"),
    "a first argument more": ("f(a)\n", "f(\n    a\n)\n", "f(b, a)\n", "f(\n    b,\n    a\n)\n"),
    "an argument less": ("f(a, b)\n", "f(\n    a,\n    b,\n)\n", "f(b)\n", "f(\n    b,\n)\n"),
    "no argument any more": ("f(a)\n", "f(\n    a,\n)\n", "f()\n", "f()\n"),
    "a term more": ("a = b + c\n", "a = (\n    b\n    + c\n)\n", "a = b + c - d\n", "a = (\n    b\n    + c - d\n)\n"),
    "a term less": (
        "a = b + c + d\n",
        "a = (\n    b\n    + c\n    + d\n)\n",
        "a = b + c\n",
        "a = (\n    b\n    + c\n)\n",
    ),
    "an operator": ("a = b + c\n", "a = (\n    b\n    + c\n)\n", "a = b - c\n", "a = (\n    b\n    - c\n)\n"),
    "an attribute": ("a.b(c).d()\n", "a.b(\n    c\n).d()\n", "a.e(c).d()\n", "a.e(\n    c\n).d()\n"),
    "parentheses taken away": ("if (a):\n", "if a:\n", "if (a and b):\n", "if a and b:\n"),
    "a negation": (
        "if a and b:\n",
        "if (\n    a\n    and b\n):\n",
        "if not a and b:\n",
        "if (\n    not a\n    and b\n):\n",
    ),
    "a header": (
        "    def f(a, b) -> int:\n",
        "    def f(\n        a,\n        b,\n    ) -> int:\n",
        "    def g(a, b, *, c=1) -> int:\n",
        "    def g(\n        a,\n        b,\n        *,\n        c=1,\n    ) -> int:\n",
    ),
    "decorators": ("@a(b,c)\n", "@a(b, c)\n", "@a(d,c)\n", "@a(d, c)\n"),
    "elif": ("    elif a(b):\n", "    elif a( b ):\n", "    elif a(c):\n", "    elif a( c ):\n"),
    "except": ("except(A,B):\n", "except (A, B):\n", "except(A,C):\n", "except (A, C):\n"),
    "case": ("    case [a,b]:\n", "    case [a, b]:\n", "    case [a,c]:\n", "    case [a, c]:\n"),
    "a comment of the formatted side": (
        "f(a, b)\n",
        "f(\n    a,  # one\n    b,\n)\n",
        "f(a, c)\n",
        "f(\n    a,  # one\n    c,\n)\n",
    ),
    "a comment that comes along": (
        "f(a)\n",
        "f( a )\n",
        "f(\n    # why\n    b,\n    a)\n",
        "f(\n    # why\n    b, a )\n",
    ),
    "a comment at what goes": ("f(a, b)\n", "f(\n    a,\n    b,  # ours\n)\n", "f(a)\n", None),
    "a comment that goes": ("f(a)  # old\n", "f( a )  # old\n", "f(b)\n", None),
    "a tuple of one": ("a = (b,)\n", "a = ( b, )\n", "a = (b, c)\n", "a = ( b, c )\n"),
    "lines of another kind": ("f(a, b)\r\n", "f(\r\n    a, b)\r\n", "f(a, [\n  c])\n", "f(\r\n    a, [\r\n  c])\r\n"),
    "a string in other quotes": ("f('a')\n", 'f( "a" )\n', "f('b', b'c', 'd\"')\n", 'f( "b", b"c", \'d"\' )\n'),
    "letters outside of ASCII": ("f('ä', b)\n", "f(\n    'ä', b)\n", "f('ä', ß)\n", "f(\n    'ä', ß)\n"),
    "no format": ("f(a)\n", "f(c)\n", "f(b)\n", None),
    "the same said": ("f(a)\n", "f( a )\n", "f(a )\n", None),
}


@pytest.mark.parametrize("case", REFITTED)
def test_a_change_goes_into_the_text_that_was_formatted(case: str) -> None:
    was, form, now, both = REFITTED[case]
    quote = '"' if "quotes" in case else ""
    got = refit(was, form, now, quote)
    assert got == both
    assert got is None or meaning(got) == meaning(now)


NAMES = st.sampled_from(["alpha", "beta", "gamma", "delta"])
WORDS = st.one_of(NAMES, st.sampled_from(["1", "2.5", "'one'", "'two'", "b'x'", "[]", "None", "-3"]))


@st.composite
def calls(draw: st.DrawFn, depth: int = 2) -> tuple[str, ...]:
    """The words of a call: names, brackets, commas, operators and values."""
    words: list[str] = [draw(NAMES), draw(st.sampled_from(["(", "["]))]
    opens = words[-1]
    for at in range(draw(st.integers(1, 4))):
        words += [","] if at else []
        words += draw(calls(depth=depth - 1)) if depth and draw(st.booleans()) else (draw(WORDS),)
        if draw(st.booleans()):
            words += [draw(st.sampled_from(["+", "and", "==", "if"])), draw(WORDS)]
            words += ["else", draw(WORDS)] if words[-2] == "if" else []
    return (*words, ")" if opens == "(" else "]")


def laid(words: Sequence[str], gaps: Sequence[str]) -> str:
    """A statement of these words, with these gaps between them; none before the first bracket."""
    return f"x = {words[0]}{''.join(f'{gap}{word}' for gap, word in zip(gaps, words[1:], strict=True))}\n"


@st.composite
def substitutions(draw: st.DrawFn) -> tuple[str, str, str, str]:
    """A statement, another form of it, one value changed in it, and that in the other form."""
    words = draw(calls())
    places = [at for at, word in enumerate(words) if word in {"1", "2.5", "'one'", "'two'", "alpha", "beta", "gamma"}]
    assume(places)
    changed = list(words)
    changed[draw(st.sampled_from(places))] = draw(st.sampled_from(["other", "4", "'three'"]))
    plain = [" "] * (len(words) - 1)
    space = st.sampled_from([" ", "  ", "\n    ", "\n\t", "  # said\n        "])
    form = [draw(space) if at else draw(st.sampled_from(["", " "])) for at in range(len(words) - 1)]
    return laid(words, plain), laid(words, form), laid(changed, plain), laid(changed, form)


@given(substitutions())
@settings(max_examples=300, deadline=None)
def test_one_word_changes_in_the_formatted_text_and_no_other_byte(four: tuple[str, str, str, str]) -> None:
    was, form, now, both = four
    assume(meaning(was) == meaning(form) != meaning(now) is not None)
    got = refit(was, form, now)
    assert got is not None
    assert ast.dump(ast.parse(got)) == ast.dump(ast.parse(now))
    assert got == both


@given(calls(), calls(), st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_is_changed_the_tree_is_that_of_the_change(
    words: tuple[str, ...], others: tuple[str, ...], data: st.DataObject
) -> None:
    form = [data.draw(st.sampled_from([" ", "\n  ", "  # said\n    "])) for _ in words[1:]]
    at = data.draw(st.integers(0, min(len(words), len(others))))
    change = data.draw(st.sampled_from([others, (*words[:at], *others[at:]), (*words, "+", *others)]))
    was, formatted, now = (
        laid(words, [" "] * (len(words) - 1)),
        laid(words, form),
        laid(change, [" "] * (len(change) - 1)),
    )
    got = refit(was, formatted, now)
    if got is not None:
        assert ast.dump(ast.parse(got)) == ast.dump(ast.parse(now))
        assert comments_of(got) == comments_of(formatted)


@pytest.mark.parametrize(
    ("was", "now", "quote"),
    [
        ("a = 'b'\nc = 'd'\n", 'a = "b"\nc = "d"\n', '"'),
        ('a = "b"\n', "a = 'b'\n", "'"),
        ("a = 'b'\nc = 'd'\n", "a = \"b\"\nc = 'd'\n", ""),
        ("a = 'b'\n", 'a = "b"\nc = \'it is "c"\'\n', '"'),
        ("a = 'b'\n", "a = \"b\"\n# don't\n'''c'''\n", '"'),
        ('a = "b"\n', 'a = "b"\nc = "d"\n', ""),
    ],
)
def test_which_quotes_a_formatter_has_put(was: str, now: str, quote: str) -> None:
    assert turned(was, now) == quote


@given(st.text(alphabet="ab'\"\\{}n\n ", max_size=12), st.sampled_from(["", "b", "r", "f", "Rb"]))
def test_other_quotes_leave_a_string_what_it_is(text: str, prefix: str) -> None:
    for string in (f"{prefix}'{text}'", f'{prefix}"{text}"', f"{prefix}'''{text}'''"):
        try:
            said = ast.dump(ast.parse(string))
        except (SyntaxError, ValueError):
            continue
        try:
            other = quoted(string, '"')
        except ValueError:
            continue
        assert ast.dump(ast.parse(other)) == said


def test_a_side_that_only_formatted_is_in_nobodys_way() -> None:
    base = "import sys\nimport os\n\n\ndef run(a, b):\n    first, second = a.one, b.two\n    return first + second\n"
    left = (
        "import os\nimport sys\n\n\ndef run(\n    a,\n    b,\n):\n"
        "    first, second = (\n        a.one,\n        b.two,\n    )\n"
        "    return first + second\n"
    )
    right = base.replace("    first", "    newer = os.name\n    print(newer)\n    first") + (
        "\n\ndef more():\n    return sys.path\n\n\ndef most():\n    return os.sep\n"
    )
    merged = merge_python(base, left, right, "full")
    assert merged is not None
    assert merged.conflicts == ()
    assert "    newer = os.name\n    print(newer)\n    first, second = (\n        a.one,\n" in merged.text
    assert merged.text.startswith("import os\nimport sys\n")
    assert merged.text.endswith("def most():\n    return os.sep\n")


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("import b\nimport a\n", "import a\nimport b\n", True),
        ("from m import b, a\n", "from m import (\n    a,\n    b,\n)\n", True),
        ("from m import *\nfrom n import *\n", "from n import *\nfrom m import *\n", False),
        ("from m import one\nfrom n import one\n", "from n import one\nfrom m import one\n", False),
        ("import a  # why\n", "import a\n", False),
        ("a = 1\nb = 2\n", "b = 2\na = 1\n", False),
    ],
)
def test_what_only_formats(old: str, new: str, same: bool) -> None:
    assert formatted(read(old), read(new)) == same
