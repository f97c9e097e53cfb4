"""Whether settings of components come and go without a trace: nothing that is there changes, no order shows."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.components.settings import FormName, Setting, put_settings, take_settings
from mlox.errors import MloxError, SpecError, WorkspaceError
from tests.settings_stage import FORMS, NAMES, WORDS, Data, comments, tables

FORM_NAMES: tuple[FormName, ...] = ("yaml", "toml", "json")


def fragments(depth: int = 2, path: str = "") -> st.SearchStrategy[Data]:
    """Settings whose kinds follow from their names and whose values from their places: no two components differ."""
    found: dict[str, st.SearchStrategy[Any]] = {name: st.just(f"{path}.{name}") for name in NAMES[:3]}
    found |= {name: st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True) for name in NAMES[3:5]}
    found |= {name: fragments(depth - 1, f"{path}.{name}") for name in NAMES[5:]} if depth else {}
    return st.fixed_dictionaries({}, optional=found).map(lambda data: dict(list(data.items())[:3])).filter(bool)


def laid_over(below: Any, above: Any) -> Any:
    """What the user has, and what is missing of the fragment."""
    if isinstance(below, dict) and isinstance(above, dict):
        new = {key: value for key, value in above.items() if key not in below}
        return {key: laid_over(value, above[key]) if key in above else value for key, value in below.items()} | new
    if isinstance(below, list) and isinstance(above, list):
        return [*below, *(one for one in above if one not in below)]
    return below


def as_sets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_sets(one) for key, one in value.items()}
    return set(value) if isinstance(value, list) else value


@pytest.mark.parametrize("form", FORM_NAMES)
@given(user=tables(), wanted=st.lists(fragments(), min_size=3, max_size=3), data=st.data())
def test_settings_of_three_components_come_in_any_order_and_go_in_any(
    form: FormName, user: Data, wanted: list[Data], data: st.DataObject
) -> None:
    write, read = FORMS[form]
    before = write(user)
    before = before.removesuffix("\n") if data.draw(st.booleans()) else before
    orders = data.draw(st.lists(st.permutations(range(3)), min_size=2, max_size=2))
    seen = set()
    for order in orders:
        text, written = before, dict[int, tuple[Setting, ...]]()
        for number in order:
            others = [one for many in written.values() for one in many]
            put = put_settings(text, write(wanted[number]), form, source="x", others=others)
            assert as_sets(laid_over(read(text), wanted[number])) == as_sets(read(put.text))
            text, written[number] = put.text, put.settings
        assert form == "json" or all(text.count(one) >= 1 for one in comments(user))
        seen.add((text, tuple(frozenset(written[number]) for number in range(3))))
        for number in reversed(order) if data.draw(st.booleans()) else order:
            gone = written.pop(number)
            text, kept = take_settings(
                text, gone, form, source="x", others=[s for many in written.values() for s in many]
            )
            assert not kept
        assert text == before
    assert len(seen) == 1


PLACES = {
    "a file that is not there": ("yaml", None, "a: 1\n", "a: 1\n"),
    "JSON that is not there": ("json", None, '{"a": {"b": [1]}}', '{\n  "a": {\n    "b": [\n      1\n    ]\n  }\n}\n'),
    "TOML that is not there": ("toml", None, "[b]\nx = 1\n[a]\ny = 1\n", "[a]\ny = 1\n\n[b]\nx = 1\n"),
    "comments stay": (
        "yaml",
        "# top\n\na: 1  # x\n# end\n",
        "# why\nb: 2\n",
        "# top\n\na: 1  # x\n# why\nb: 2\n# end\n",
    ),
    "brackets": ("yaml", "a: {b: 1}\n", "a:\n  c:\n    d: 2\n", "a: {b: 1, c: {d: 2}}\n"),
    "empty brackets": ("json", "{ }", '{"a": 1}', '{"a": 1 }'),
    "a table": ("toml", "[a]\nx = 1\n# end\n", "[a]\ny = 2\n", "[a]\nx = 1\ny = 2\n# end\n"),
    "windows": ("env", "A=1\r\n", "B=2\n", "A=1\r\nB=2\r\n"),
    "a mapping with nothing in it": (
        "compose",
        "services: {}\n",
        "volumes:\n  data: {}\n",
        "services: {}\nvolumes:\n  data: {}\n",
    ),
    "names": ("env", "A=1", "# why\nB=2\nA=3\n", "A=1\n# why\nB=2"),
    "ports": (
        "compose",
        'services:\n  web:\n    ports:\n      - "80:80"\n',
        'services:\n  web:\n    ports: ["81:80", "90:90"]\n    command: [z, a]\n',
        'services:\n  web:\n    ports:\n      - "80:80"\n      - "90:90"\n    command: [z, a]\n',
    ),
}


@pytest.mark.parametrize("case", PLACES)
def test_where_settings_go(case: str) -> None:
    form, before, fragment, after = PLACES[case]
    put = put_settings(before, fragment, form, source="x")  # type: ignore[arg-type]
    assert put.text == after
    text, kept = take_settings(put.text, put.settings, form, source="x")  # type: ignore[arg-type]
    assert (text, kept) == (before if before is not None else "{\n}\n" if form == "json" else "", ())


def test_what_is_there_is_kept_and_told() -> None:
    put = put_settings("a:\n  b: 1\nc: [x]\n", "a:\n  b: 2\n  d: 3\nc: {e: 1}\n", "yaml", source="x")
    assert put.text == "a:\n  b: 1\n  d: 3\nc: [x]\n"
    assert put.kept == ("a.b", "c")
    assert [one.name for one in put.settings] == ["a.d"]


def test_what_the_user_changed_stays_and_is_told() -> None:
    put = put_settings("a: 1\n", "b: {c: 2, d: 3}\ne: 4\n", "yaml", source="x")
    text, kept = take_settings(put.text.replace("c: 2", "c: 5"), put.settings, "yaml", source="x")
    assert (text, kept) == ("a: 1\nb:\n  c: 5\n", ("b.c",))


def test_after_a_formatter_only_the_settings_go() -> None:
    put = put_settings('{"a": 1}', '{"b": {"c": 2}}', "json", source="x")
    formatted = json.dumps(json.loads(put.text), indent=4, sort_keys=True) + "\n"
    text, kept = take_settings(formatted, put.settings, "json", source="x")
    assert (text, kept) == ('{\n    "a": 1\n}\n', ())


@pytest.mark.parametrize(
    ("form", "fragment", "result", "withheld"),
    [
        ("env", "A=1\nTOKEN=abc\nURL=${secret:db.url}\n", "A=1\nTOKEN=\nURL=\n", {"TOKEN", "URL"}),
        ("yaml", "a: {TOKEN: abc, b: '${secret.x}'}\nc: 1\n", "c: 1\n", {"a.TOKEN", "a.b"}),
        ("toml", "x = 1\n[a]\nTOKEN = 'abc'\n", "x = 1\n", {"a.TOKEN"}),
        ("json", '{"TOKEN": "abc", "b": [1]}', '{\n  "b": [\n    1\n  ]\n}\n', {"TOKEN"}),
    ],
)
def test_secrets_are_never_written(form: FormName, fragment: str, result: str, withheld: set[str]) -> None:
    put = put_settings(None, fragment, form, source="x", secrets={"TOKEN"})
    assert put.text == result
    assert set(put.withheld) == withheld
    assert "abc" not in repr(put)


def test_two_components_that_set_one_thing_otherwise_are_refused() -> None:
    put = put_settings("a: 1\n", "b: 2\n", "yaml", source="x.yaml")
    with pytest.raises(WorkspaceError, match="another component sets b"):
        put_settings(put.text, "b: 3\n", "yaml", source="x.yaml", others=put.settings)


@pytest.mark.parametrize("text", ["a: [\n", "a: 1\r\nb: 2\n", "a: 1\n---\nb: 2\n", "just words\n"])
def test_a_file_that_cannot_be_edited_is_refused_by_name(text: str) -> None:
    with pytest.raises((SpecError, WorkspaceError), match=r"^x\.yaml"):
        put_settings(text, "c: 1\n", "yaml", source="x.yaml")


def test_every_order_of_three_is_one_text_with_names_too() -> None:
    parts = ["B=1\n", "A=2\nC=3\n", "# why\nAB=4\n"]
    texts = set()
    for order in permutations(parts):
        text, written = "Z=1\n", list[Setting]()
        for part in order:
            put = put_settings(text, part, "env", source=".env", others=written)
            text = put.text
            written += put.settings
        texts.add(text)
    assert texts == {"Z=1\nA=2\n# why\nAB=4\nB=1\nC=3\n"}
    assert issubclass(WorkspaceError, MloxError)
