"""Imports and fragments go into a module and out again: any order gives the same text, and its bytes come back."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.components.bindings import Binding, imported, with_import, without_import
from mlox.components.fragments import Fragment, plain, touched, with_fragment, without_fragment
from tests.layer_stage import APP

NAMES = st.sampled_from(["os", "json", "fastapi", "churn.limits", ".routes", "..base", "__future__", "starlette.types"])
BINDINGS = st.builds(
    lambda module, name: Binding(module, "annotations" if module == "__future__" else name),
    NAMES,
    st.sampled_from(["Request", "LIMIT", "limits", "app"]),
)
MODULES = st.sampled_from(
    [
        "",
        "x = 1\n",
        '"""Doc."""\n',
        '"""Doc."""\n\nimport sys\n\n\ndef f():\n    pass\n',
        "# a comment\n\nimport zlib\n\nfrom pandas import (\n    DataFrame,  # it\n    Series,\n)\n\nx = 1\n",
        "from churn.zoo import zebra\n\nx = 1\n",
        "from fastapi import FastAPI\n# about types\nfrom starlette.types import Scope\n\nx = 1",
        "import os  # noqa: F401\nif True:\n    import json\n",
    ]
)


@given(MODULES, st.lists(BINDINGS, unique=True, max_size=5), st.randoms())
def test_imports_go_in_and_out_again_in_any_order(text: str, bindings: list[Binding], random: object) -> None:
    new = [one for one in bindings if one not in imported(text)]
    after = text
    for binding in new:
        after = with_import(after, binding, "churn")
    assert imported(after) == imported(text) | set(new)
    shuffled = list(new)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = text
    for binding in shuffled:
        other = with_import(other, binding, "churn")
    assert other == after
    for binding in shuffled:
        after = without_import(after, binding)
    assert after.rstrip("\n") == text.rstrip("\n")
    assert imported(after) == imported(text)


LINES = st.sampled_from(["first(app)", "second(app)", "X = 1", "def own():\n    return 1", "# said\nthird(app)"])


@settings(max_examples=60)
@given(st.lists(st.lists(LINES, min_size=1, max_size=3, unique=True), min_size=2, max_size=3), st.randoms())
def test_fragments_go_in_and_out_again_in_any_order(parts: list[list[str]], random: object) -> None:
    base = APP.decode()
    fragments = []
    for number, lines in enumerate(parts):
        own = [
            line.replace("app", f"app, {number}").replace("own", f"own{number}").replace("X", f"X{number}")
            for line in lines
        ]
        body = "\n\n\n".join(own)
        head = f"from churn.serving.app import app\nfrom churn.p{number} import thing{number}\n\n"
        fragments.append(Fragment(head + body + "\n", (1, f"p{number}"), "churn.serving.app", "churn"))
    texts = set()
    for order in itertools.permutations(fragments):
        text = base
        done: list[Fragment] = []
        for fragment in order:
            text = with_fragment(text, fragment, done, base)
            assert with_fragment(text, fragment, done, base) == text
            done.append(fragment)
        texts.add(text)
    assert len(texts) == 1
    (text,) = texts
    assert not any(touched(text, fragment) for fragment in fragments)
    assert plain(text, fragments, base) == base
    random.shuffle(fragments)  # type: ignore[attr-defined]
    while fragments:
        fragment = fragments.pop()
        text = without_fragment(text, fragment, fragments, imported(base))
    assert text == base
