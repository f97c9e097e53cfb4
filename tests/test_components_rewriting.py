"""Whether a template becomes the user's own by its imports and constants alone, and what tells definitions apart."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.components.definitions import definitions
from mlox.components.rewriting import rewritten
from mlox.errors import SpecError


def rewrite(text: str, **constants: str | float | bool) -> str:
    return rewritten(text.encode(), "my.shop", constants, where="x.py").decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from project import a\n", "from my.shop import a\n"),
        ("from project.a.b import (\n    c,\n)\n", "from my.shop.a.b import (\n    c,\n)\n"),
        ("import os; from project import a\n", "import os; from my.shop import a\n"),
        ("def f():\n    from project.a import b  # project\n", "def f():\n    from my.shop.a import b  # project\n"),
        ("from \\\n  project import a\n", "from \\\n  my.shop import a\n"),
        ("if True: from project import a\n", "if True: from my.shop import a\n"),
        ("from .project import a\n", "from .project import a\n"),
        ("from . import project\n", "from . import project\n"),
        ("from projects import a\n", "from projects import a\n"),
        ('"""from project import a"""\nproject = 1\n', '"""from project import a"""\nproject = 1\n'),
        ("def f(x):\n    yield from project\n", "def f(x):\n    yield from project\n"),
        ("from project import a\r\nb = 'é\x0c'\r\n", "from my.shop import a\r\nb = 'é\x0c'\r\n"),
    ],
)
def test_only_the_root_of_absolute_imports_changes(before: str, after: str) -> None:
    assert rewrite(before) == after


@pytest.mark.parametrize("text", ["import project\n", "import project.a as b\n", "import project.a\n"])
def test_an_import_that_binds_the_root_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        rewrite(text)
    assert "from project" in str(caught.value.hint)


@given(st.text(max_size=20), st.sampled_from(["x", "y"]))
def test_any_text_can_be_the_value_of_a_constant(value: str, name: str) -> None:
    text = 'x = "é"  # first\ny: str = ("a" "b")  # second\n'
    after = rewrite(text, **{name: value})
    scope: dict[str, object] = {}
    exec(after, scope)  # noqa: S102 - what is asked is what Python makes of it
    assert scope[name] == value
    assert after.count("#") >= 2
    assert len(ast.parse(after).body) == 2


@pytest.mark.parametrize("text", ["y = 1\n", "x = [\n 1]\n", "def f():\n    x = 1\n", "x: int\n", "x = = 1\n"])
def test_a_constant_that_is_not_there_is_a_fault_of_the_template(text: str) -> None:
    with pytest.raises(SpecError, match=r"x\.py"):
        rewrite(text, x=2)


SAME = {
    "formatting": ("def f(a,b):\n  return {'a':a}", 'def f(\n    a,\n    b,\n):\n    return {"a": a}  # as a dict'),
    "other definitions": ("A = 1\ndef f(): pass", "def g(): ...\n\n\ndef f():\n    pass\n\n\nA = 1"),
}


@pytest.mark.parametrize("case", SAME)
def test_a_definition_is_the_same_whatever_its_form_and_place(case: str) -> None:
    one, other = (definitions(text.encode()) for text in SAME[case])
    assert {name: other[name] for name in one} == one


def test_another_meaning_is_another_digest() -> None:
    texts = [
        "def f(a): return a",
        "def f(a): return -a",
        "def f(b): return b",
        "async def f(a): return a",
        "@x\ndef f(a): return a",
    ]
    assert len({definitions(text.encode())["f"] for text in texts}) == len(texts)


def test_digests_do_not_depend_on_the_version_of_python() -> None:
    text = b'def f(a: int = 1, *, b: str = "x") -> str:\n    """Say."""\n    return f"{a!r:>{b}}"\n'
    assert definitions(text) == {"f": "934960f342f96b11"}


def test_names_that_stand_twice_are_told_apart_and_what_is_no_python_has_none() -> None:
    assert set(definitions(b"def f(): pass\ndef f(): pass\nx = y = 1")) == {"f", "f#2", "x", "y"}
    assert definitions(b"<<<<<<< mine") == {}
    assert definitions(b"\0") == {}
