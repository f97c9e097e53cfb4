"""A text in parts comes out as it does whole: redacted, and otherwise the same to the last character."""

from __future__ import annotations

import html
import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mlox.matching import COLOURS, Matcher
from mlox.secret import MASK

ALPHABET = 'abA1"é'
VALUES = st.lists(st.text(alphabet=ALPHABET, min_size=6, max_size=10), min_size=1, max_size=5)
NOISE = st.text(alphabet=ALPHABET + " \x1b[3m;\n\ud800", max_size=30)


@st.composite
def written(draw: st.DrawFn) -> tuple[Matcher, list[str], list[str]]:
    """Values, and a text that holds some, also with colours inside, in parts."""
    values = draw(VALUES)
    chosen = st.sampled_from(values)
    coloured = st.tuples(chosen, st.integers(0, 10)).map(
        lambda pair: f"{pair[0][: pair[1]]}\x1b[1;31m{pair[0][pair[1] :]}"
    )
    text = "".join(draw(st.lists(NOISE | chosen | coloured, max_size=6)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=10)))
    ends = [0, *cuts, len(text)]
    return Matcher.of(values), values, [text[a:b] for a, b in pairwise(ends)]


def shown(matcher: Matcher, parts: list[str]) -> str:
    """What a reader sees of a stream in these parts, when it has ended."""
    seen, held = "", ""
    for part in parts:
        ready, held = matcher.cut(held + part)
        seen += ready
    return seen + matcher.redacted(held, COLOURS)


@given(written())
def test_a_text_in_any_parts_shows_what_it_shows_as_a_whole(case: tuple[Matcher, list[str], list[str]]) -> None:
    matcher, values, parts = case
    seen = shown(matcher, parts)
    assert seen == matcher.redacted("".join(parts), COLOURS)
    assert not any(value in COLOURS.sub("", seen) for value in values)


@given(written())
def test_what_is_no_value_is_all_there_in_its_order(case: tuple[Matcher, list[str], list[str]]) -> None:
    matcher, _, parts = case
    text, seen = (COLOURS.sub("", each) for each in ("".join(parts), shown(matcher, parts)))
    kept = [re.escape(piece) for piece in seen.split(MASK)]
    assert re.fullmatch("(?s:.)*?".join(kept), text)


@given(st.lists(st.text(max_size=40), max_size=8))
def test_without_values_parts_come_at_once_and_unchanged(parts: list[str]) -> None:
    matcher = Matcher()
    for part in parts:
        assert matcher.redacted(part) == part
        begun = re.search(r"\x1b(\[[0-9;:]*)?\Z", part)
        assert begun or matcher.cut(part) == (part, "")


def test_only_what_may_be_a_beginning_is_held_back() -> None:
    matcher = Matcher.of(["hunter22"])
    assert matcher.cut("no match\n") == ("no match\n", "")
    assert matcher.cut("say hunt") == ("say ", "hunt")
    assert matcher.cut("say hunter22") == (f"say {MASK}", "")
    assert matcher.cut("hunter22hunter2") == (MASK, "hunter2")


def test_a_value_in_colours_is_found_and_the_colours_stay() -> None:
    matcher = Matcher.of(["hunter22-and-more"])
    assert matcher.redacted("x \x1b[31mhunter\x1b[1;36m22\x1b[0m-and-more\x1b[0m y") == (
        "x \x1b[31m***\x1b[1;36m\x1b[0m\x1b[0m y"
    )
    assert matcher.cut("hunter\x1b[3") == ("", "hunter\x1b[3")


def test_a_value_in_html_with_colours_is_found() -> None:
    matcher = Matcher.of(["hunter<22>and more"])
    marked = html.escape("hunter<") + '<span style="color: #008080">22</span>' + html.escape(">and more")
    assert matcher.redacted(f"<pre>{marked}</pre>") == '<pre>***<span style="color: #008080"></span></pre>'


def test_hundreds_of_values_are_found_in_a_large_text() -> None:
    values = [f"value-{number}-{number * 7919 % 1000003}" for number in range(300)]
    matcher = Matcher.of(values)
    text = "lorem ipsum dolor " * 5000
    assert matcher.redacted(text) == text
    assert matcher.redacted(text + values[250] + text) == text + MASK + text


def test_bytes_are_found_by_their_length() -> None:
    matcher = Matcher.of(["pässword"])
    content = b"\x00\xff" + "pässword".encode() + b"\x80"
    assert matcher.in_latin_1.places(content.decode("latin-1")) == [(2, 11)]
