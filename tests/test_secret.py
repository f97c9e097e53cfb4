"""A secret shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import string
import traceback
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlox.secret import MASK, Secret, mask

VALUE = "hunter22-and-more"
SHOWN: dict[str, Callable[[Secret], object]] = {
    "str": str,
    "repr": repr,
    "format": lambda secret: f"{secret}",
    "format with a width": lambda secret: f"{secret:>40}",
    "format of a list": lambda secret: f"{[secret]} {(secret,)} {{'a': {secret!r}}}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "str.format": lambda secret: "{} {!r}".format(secret, secret),  # noqa: UP032
    "template": lambda secret: string.Template("$x").substitute(x=secret),
    "print of attributes": lambda secret: [getattr(secret, name) for name in dir(secret) if not name.startswith("_")],
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_nothing_that_prints_shows_it(show: Callable[[Secret], object]) -> None:
    assert VALUE not in str(show(Secret(VALUE, "v1")))


REFUSED: dict[str, Callable[[Secret], object]] = {
    "JSON": json.dumps,
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "joining": lambda secret: str.join(", ", [secret]),  # type: ignore[list-item]
    "adding": lambda secret: "x" + secret,  # type: ignore[operator]
    "encoding": lambda secret: b"x" + secret,  # type: ignore[operator]
    "iterating": lambda secret: [*secret],  # type: ignore[misc]
    "hashing": hash,
    "a set": lambda secret: {secret},
    "vars": vars,
    "ordering": lambda secret: secret < Secret("x"),  # type: ignore[operator]
}


@pytest.mark.parametrize("use", REFUSED.values(), ids=REFUSED)
def test_what_would_carry_it_away_is_refused(use: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as caught:
        use(Secret(VALUE))
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_a_log_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("somebody").warning("login %s %r", Secret(VALUE), {"a": Secret(VALUE)})
    assert VALUE not in caplog.text
    assert MASK in caplog.text


@given(st.text(), st.none() | st.text(max_size=5))
def test_it_is_handed_out_exactly(value: str, version: str | None) -> None:
    secret = Secret(value, version)
    assert secret.reveal() == value
    assert secret.version == version
    assert bool(secret) == bool(value)


@given(st.text(max_size=5), st.text(max_size=5))
def test_two_are_equal_when_their_values_are(one: str, other: str) -> None:
    assert (Secret(one, "a") == Secret(other, "b")) == (one == other)


def test_it_is_not_equal_to_its_text() -> None:
    assert Secret(VALUE) != VALUE
    assert Secret(VALUE) != None  # noqa: E711


@pytest.mark.parametrize("value", [b"bytes", 1, None, Secret("x")])
def test_it_holds_text_alone(value: object) -> None:
    with pytest.raises(TypeError, match="a Secret holds text"):
        Secret(value)  # type: ignore[arg-type]


# Masking


@given(st.text(max_size=20), st.text(min_size=6, max_size=12), st.text(max_size=20))
def test_no_text_shows_a_value_after_masking(before: str, value: str, after: str) -> None:
    assume(value not in MASK and not value.isspace())
    masked = mask(before + value + after, [Secret(value)])
    assert value not in masked or value in mask(before, [Secret(value)]) + MASK + mask(after, [Secret(value)])
    assert MASK in masked


@given(st.lists(st.text(alphabet="abc", min_size=6, max_size=9), min_size=1, max_size=4))
def test_a_value_that_holds_another_is_masked_as_a_whole(values: list[str]) -> None:
    secrets = [Secret(value) for value in values]
    longest = max(values, key=len)
    assert mask(f"<{longest}>", secrets) == f"<{MASK}>"
    assert mask(f"<{longest}>", tuple(reversed(secrets))) == f"<{MASK}>"


def test_a_value_in_a_url_is_masked_as_it_stands_there() -> None:
    value = "p@ss/word%"
    text = f"cannot connect to postgresql://app:{quote(value, safe='')}@127.0.0.1/main"
    assert mask(text, [Secret(value)]) == "cannot connect to postgresql://app:***@127.0.0.1/main"


def test_every_line_of_a_value_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n"
    for line in key.splitlines():
        assert mask(f"read {line}", [Secret(key)]) == "read ***"
    assert mask(f"[{key}]", [Secret(key)]) == "[***]"


def test_short_values_are_left_alone() -> None:
    assert mask("a is a word", [Secret("a"), Secret(""), Secret("word"), Secret("is a")]) == "a is a word"


def test_nothing_to_mask() -> None:
    assert mask("text", []) == "text"
    assert mask("", [Secret("hunter22")]) == ""
