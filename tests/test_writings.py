"""However a value is written, it is found; and text that holds none stays as it is."""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlox.matching import Matcher
from mlox.secret import MASK, Secret, made_values, mask
from mlox.writings import LONGEST_PIECE, SHORTEST, spans, writings

AWKWARD = "p@ss/w'ö\"rd<&>\\ +~%é"

WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": str,
    "URL": lambda value: f"postgresql://app:{quote(value, safe='')}@127.0.0.1/main",
    "path of a URL": quote,
    "form": lambda value: urlencode({"token": value, "x": "1"}),
    "plus": quote_plus,
    "lower case": lambda value: quote(value, safe="").lower() if value.islower() else quote(value, safe=""),
    "basic auth": lambda value: "Basic " + base64.b64encode(f"ab:{value}:c".encode()).decode(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64, shifted by one": lambda value: base64.b64encode(f"a{value}bc".encode()).decode(),
    "base64, shifted by two": lambda value: base64.b64encode(f"ab{value}b".encode()).decode(),
    "URL-safe base64": lambda value: base64.urlsafe_b64encode(f"a{value}".encode()).decode(),
    "JSON": lambda value: json.dumps({"token": value}),
    "JSON in Unicode": lambda value: json.dumps([value], ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps(json.dumps({"token": value})),
    "JSON as PHP writes it": lambda value: json.dumps(value).replace("/", "\\/"),
    "repr": lambda value: repr({"token": value}),
    "repr with both quotation marks": lambda value: repr(f'it\'s {value} "there"'),
    "ascii": ascii,
    "bytes": lambda value: repr(value.encode()),
    "shell": shlex.quote,
    "HTML": lambda value: f"<p>{html.escape(value)}</p>",
    "HTML text": lambda value: html.escape(value, quote=False),
    "HTML of a repr": lambda value: html.escape(repr([value])),
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("value", ["hunter22-and-more", AWKWARD, "a+b/c?d=e&f", "line one\nline 'two'"])
def test_a_value_is_found_however_it_is_written(value: str, write: Callable[[str], str]) -> None:
    masked = mask(write(value), [Secret(value)])
    assert MASK in masked
    # What stays of base64 are the characters that a neighbour shares, six bits at most on each side.
    assert not any(form in masked for form in writings(value))


@given(st.text(min_size=SHORTEST, max_size=30), st.sampled_from(sorted(WRITTEN)))
def test_any_value_is_found(value: str, way: str) -> None:
    assume(not value.isspace() and not any(value in text for text in (MASK, "postgresql://app:@127.0.0.1/main")))
    text = WRITTEN[way](value)
    assert spans(text, writings(value)), text


def test_every_line_of_a_key_is_found_also_escaped() -> None:
    lines = ["-----BEGIN KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEF", "-----END KEY-----"]
    account = json.dumps({"private_key": "\n".join(lines)})
    masked = mask("\n".join(lines), [Secret(account)])
    assert "MIIE" not in masked


def test_wrapped_base64_is_found() -> None:
    value = "".join(chr(65 + i * 7 % 26) for i in range(150))
    wrapped = base64.encodebytes(value.encode()).decode()
    masked = mask(wrapped, [Secret(value)])
    assert masked.replace("\n", "") == MASK * 3


def test_a_value_without_end_is_found_in_pieces() -> None:
    value = "".join(str(i) for i in range(2000))
    assert max(map(len, writings(value))) < 2 * LONGEST_PIECE
    assert mask(f"<{value}>", [Secret(value)]).strip(MASK) in ("<***>", "<" + MASK * 7 + ">")


@pytest.mark.parametrize("value", ["", "short", "ä/%!?", "      ", "\n\n\n\n\n\n\n"])
def test_what_is_short_or_blank_is_not_looked_for(value: str) -> None:
    assert writings(value) == ()


def test_a_secret_is_known_from_when_it_was_made_and_also_when_it_is_gone() -> None:
    Secret("a value that somebody revealed")
    Secret("short")
    assert "a value that somebody revealed" in made_values()
    assert "short" not in made_values()


def test_what_stands_in_a_text_in_parts_that_overlap_is_one_place() -> None:
    assert mask("abcdefghijkl", [Secret("abcdefgh"), Secret("efghijkl")]) == MASK
    assert mask("abcdefghijkl", [Secret("abcdef"), Secret("ghijkl")]) == MASK + MASK
    assert mask("aaaaaaaaaaaaaaa", [Secret("aaaaaa")]) == MASK


@given(st.lists(st.text(max_size=12), max_size=80), st.text(max_size=200))
def test_many_values_are_found_as_each_alone_is(values: list[str], text: str) -> None:
    text += "".join(values[:3])
    assert Matcher.of(values).redacted(text) == mask(text, [Secret(value) for value in values])
