"""What a text may hold is told for small and large ones, for few and many literals, and in several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.literals import LARGE, Literals
from mlox.matching import Matcher
from mlox.writings import spans, writings

MANY = [writings(f"{number * 7919 % 1000003}-another value-{number}") for number in range(30)]
"""So many that anchors are chosen."""

FILLING = {
    "lower case": "lorem ipsum dolor sit amet\n",
    "all characters": "".join(map(chr, range(32, 127))) + "\n",
    "beyond Latin": "Epoch 3: 17%|█████▌   | ½\n",
}
VALUES = st.lists(st.text(min_size=6, max_size=90), min_size=1, max_size=8)


@pytest.mark.parametrize("filling", FILLING.values(), ids=FILLING)
@settings(max_examples=20)
@given(values=VALUES, chosen=st.integers(0, 7), before=st.integers(0, 200))
def test_in_a_large_text_all_is_found_that_is_there(filling: str, values: list[str], chosen: int, before: int) -> None:
    groups = [*map(writings, values), *MANY]
    literals, forms = Literals(groups), [form for group in groups for form in group]
    start = (filling * (LARGE // len(filling) + 3))[: LARGE + 200 - before]
    assert len(start) >= LARGE
    text = start + values[chosen % len(values)] + filling
    assert spans(text, [] if literals.lacked(text) else literals.held(text)) == spans(text, forms)


@settings(max_examples=30)
@given(VALUES, st.sampled_from(sorted(FILLING)), st.randoms())
def test_whichever_engine_is_asked_nothing_that_is_there_is_missed(values: list[str], kind: str, dice: Random) -> None:
    groups = [writings(value) for value in values]
    literals = Literals([*groups, *MANY])
    filling = FILLING[kind] * (LARGE // len(FILLING[kind]) + 1)
    for forms in filter(None, groups):
        form = dice.choice(forms)
        for text in (form, filling + form, form + filling):
            assert not literals.lacked(text)
            assert form in literals.held(text)


def test_threads_that_search_at_the_same_time_all_find_it() -> None:
    matcher = Matcher.of(f"value-{number}" for number in range(40))
    text = FILLING["all characters"] * 800
    with ThreadPoolExecutor(8) as threads:
        texts = [text + (f"value-{number}" if number % 2 else "") + text for number in range(40)]
        found = list(threads.map(matcher.places, texts))
    assert [bool(places) for places in found] == [bool(number % 2) for number in range(40)]


@pytest.mark.parametrize("where", [0, LARGE, 3 * LARGE])
def test_lone_surrogates_hide_nothing(where: int) -> None:
    text = FILLING["all characters"] * (4 * LARGE // 95)
    text = text[:where] + "\ud800" + text[where:] + "hunter22"
    assert Matcher.of(["hunter22", "\ud800\ud800surrogate"]).places(text) == [(len(text) - 8, len(text))]


def test_large_texts_that_lack_what_all_literals_have_are_told_at_once() -> None:
    literals = Literals([("Qx7-secret", "UXg3LXNlY3JldA"), ("AbCdEf",)])
    assert literals.lacked("only lower case and 0123 " * 4000)
    assert not literals.lacked("only lower case")
    assert not literals.lacked(FILLING["all characters"] * 4000)


def test_literals_shorter_than_an_anchor_are_found_in_large_texts_at_their_end() -> None:
    literals = Literals([("ab",), ("abc",), ("abcd",), *MANY])
    for text in ("ab", "abc", "abcd"):
        assert text in literals.held("_" * LARGE + text)
    assert literals.held("_" * LARGE) == []
