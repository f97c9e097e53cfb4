"""Whether settings files are merged by key: nothing lost, nothing back, comments kept, hostile texts left alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlox.components.merge import Level, MergeResult, formats, merge
from tests.settings_stage import FORMS, ClashError, Data, comments, diff3, edits, tables, without_order

LEVELS: tuple[Level, Level] = ("full", "strict")
MERGERS = {"yaml": formats.merge_yaml, "toml": formats.merge_toml, "json": formats.merge_json}


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[Data, Data, Data]:
    base = draw(tables())
    return base, draw(edits(base)), draw(edits(base))


def clashes(base: Data, left: Data, right: Data) -> bool:
    try:
        diff3(base, left, right)
    except ClashError:
        return True
    return False


@pytest.mark.parametrize("form", FORMS)
@example(scenario=({"alpha": 2}, {"alpha": {"beta": 2}}, {"alpha": {"gamma": 2}}), wide=False)
@given(scenario=scenarios(), wide=st.booleans())
def test_the_result_reads_as_the_diff3_of_the_data(form: str, scenario: tuple[Data, Data, Data], wide: bool) -> None:
    write, read = FORMS[form]
    base, left, right = scenario
    merged = MERGERS[form](write(base), write(left), write(right, 4 if wide else 2))
    if clashes(base, left, right):
        assert merged is None or not merged.clean
        return
    wanted = diff3(base, left, right)
    if merged is None:  # a block of YAML that nothing is left in
        assert form == "yaml"
        assert any(nothing in repr(wanted) for nothing in ("{}", "set()"))
    elif merged.clean:
        assert without_order(read(merged.text)) == without_order(wanted)
    else:  # only the places of elements can be unclear
        assert all("place" in one.reason or "order" in one.reason for one in merged.conflicts), merged.conflicts


@pytest.mark.parametrize("form", FORMS)
@given(scenario=scenarios())
def test_sides_can_be_exchanged(form: str, scenario: tuple[Data, Data, Data]) -> None:
    write, read = FORMS[form]
    base, left, right = map(write, scenario)
    one, other = MERGERS[form](base, left, right), MERGERS[form](base, right, left)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.clean == other.clean
        assert not one.clean or read(one.text) == read(other.text)


@pytest.mark.parametrize("form", FORMS)
@given(scenario=scenarios())
def test_a_side_that_changed_nothing_changes_nothing(form: str, scenario: tuple[Data, Data, Data]) -> None:
    write, _ = FORMS[form]
    base, left, _ = map(write, scenario)
    for merged in (MERGERS[form](base, base, left), MERGERS[form](base, left, base), MERGERS[form](base, left, left)):
        assert merged == MergeResult(left)


@pytest.mark.parametrize("form", ["yaml", "toml"])
@given(scenario=scenarios())
def test_comments_of_what_nobody_changed_are_all_there(form: str, scenario: tuple[Data, Data, Data]) -> None:
    write, read = FORMS[form]
    base, left, right = map(write, scenario)
    merged = MERGERS[form](base, left, right)
    if merged is not None and merged.clean:
        there = comments(read(merged.text))  # type: ignore[arg-type]
        for comment in there:
            assert merged.text.count(comment) == 1


CASES = {
    "a value that both changed": ("a: 1\n", "a: 2\n", "a: 3\n", "a"),
    "taken out and changed": ("a: 1\nb: 1\n", "b: 1\n", "a: 2\nb: 1\n", "a"),
    "two other elements in place of one": ("a: [x]\n", "a: [y]\n", "a: [z]\n", "a"),
    "elements of a sequence at one place": ("command: [a]\n", "command: [a, b]\n", "command: [a, c]\n", "command"),
    "another kind of value": ("a: {b: 1}\n", "a: [b]\n", "a: {b: 2}\n", "a"),
    "both changed a comment": ("# x\na: 1\n", "# y\na: 1\n", "# z\na: 1\n", "a"),
    "both added it": ("b: 1\n", "b: 1\na: 2\n", "b: 1\na: 3\n", "a"),
    "repeats at one place": ("a: [1, 1]\n", "a: [1, 1, 2]\n", "a: [1, 1, 3]\n", "a"),
    "another anchor": ("a: &x {b: 1}\n", "a: &y {b: 1}\n", "a: &z {b: 1}\n", "a"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_both_sides_changed_is_a_conflict_with_its_key(case: str) -> None:
    base, left, right, key = CASES[case]
    for sides in ((left, right), (right, left)):
        merged = formats.merge_yaml(base, *sides)
        assert merged is not None
        assert [one.key for one in merged.conflicts] == [key]
        assert "<<<<<<<" in merge(base, *sides, path="x.yaml").text


@pytest.mark.parametrize(
    ("base", "left", "right", "result"),
    [
        ("a: 1  # x\n", "a: 1  # y\n", "a: 2  # x\n", "a: 2  # y\n"),
        ("# top\n\na: 1\n", "# top\n\nb: 2\na: 1\n", "# top\n\nc: 3\na: 1\n", "# top\n\nb: 2\nc: 3\na: 1\n"),
        ("a: 1", "a: 1\nb: 2", "a: 1\nc: 3", "a: 1\nb: 2\nc: 3"),
        ("a: 1\r\n", "a: 1\r\nb: 2\r\n", "a: 1\r\nc: 3\r\n", "a: 1\r\nb: 2\r\nc: 3\r\n"),
        ("\ufeffa: 1\n", "\ufeffa: 1\nb: 2\n", "\ufeffa: 1\nc: 3\n", "\ufeffa: 1\nb: 2\nc: 3\n"),
        (
            "x: &x\n  a: 1\ny:\n  <<: *x\n",
            "x: &x\n  a: 2\ny:\n  <<: *x\n",
            "x: &x\n  a: 1\n  b: 'q'\ny:\n  <<: *x\n  c: |\n    t\n",
            "x: &x\n  a: 2\n  b: 'q'\ny:\n  <<: *x\n  c: |\n    t\n",
        ),
        (
            "on:\n- name: a\n  v: 1\n- name: b\n",
            "on:\n- name: a\n  v: 2\n- name: b\n- name: c\n",
            "on:\n- name: a\n  v: 1\n  w: 1\n- name: d\n- name: b\n",
            "on:\n- name: a\n  v: 2\n  w: 1\n- name: d\n- name: b\n- name: c\n",
        ),
        ("a: {x: 1}\n", "a: {x: 1, y: 2}  # f\n", "a: {z: 3, x: 1}\n", "a: {z: 3, x: 1, y: 2}  # f\n"),
    ],
)
def test_yaml_that_is_put_together(base: str, left: str, right: str, result: str) -> None:
    merged = formats.merge_yaml(base, left, right)
    assert merged is not None
    assert merged.text == result
    assert merged.clean
    assert merged.applied


def test_strict_does_not_unite_mappings_that_are_called_by_a_name() -> None:
    texts = ("- name: a\n", "- name: a\n- name: b\n", "- name: a\n- name: c\n")
    full, strict = (formats.merge_yaml(*texts, level=level) for level in LEVELS)
    assert full is not None
    assert full.text == "- name: a\n- name: b\n- name: c\n"
    assert strict is not None
    assert not strict.clean


HOSTILE = {
    "a bomb": "a: &a [x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)),
    "deep": "a: " + "[" * 5000 + "]" * 5000 + "\n",
    "deep blocks": "".join(f"{' ' * n}a:\n" for n in range(900)),
    "a key twice": "a: 1\na: 2\n",
    "no YAML": "a: [1\nb: }\n",
    "two documents": "a: 1\n---\na: 2\n",
    "huge": "a: 1\n" + "".join(f"k{n}: 1\n" for n in range(300_000)),
    "an alias of nothing": "a: *b\n",
    "tabs": "a:\t1\n",
    "mixed line ends": "a: 1\r\nb: 2\n",
    "question marks": "? [a]\n: 1\n",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", MERGERS)
def test_hostile_texts_are_left_to_the_lines_quickly(form: str, name: str) -> None:
    text = HOSTILE[name]
    begin = time.monotonic()
    merged = MERGERS[form](text, f"{text}x: 1\n", f"{text}y: 1\n")
    assert time.monotonic() - begin < 20
    if name != "a bomb" or form != "yaml":  # aliases are not followed, so there is nothing to grow
        assert merged is None


@given(st.lists(st.text(alphabet="ab:-# \n[]{},\"'&*|>=.\\0", max_size=60), min_size=3, max_size=3))
@pytest.mark.parametrize("merger", formats.__all__)
def test_no_text_is_too_odd(merger: str, texts: list[str]) -> None:
    merged = getattr(formats, merger)(*texts)
    assert merged is None or isinstance(merged, MergeResult)
