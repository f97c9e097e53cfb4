"""The grammar of catalog texts: what goes in comes out, and nothing of the grammar survives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.errors import SpecError, UnknownNameError
from mlox.hashing import hashed
from mlox.secret import Secret
from mlox.variables import KINDS, Variable, finish, literal, parse, references, substitute

TEXT = st.text(max_size=40)
TRICKY = st.text(alphabet="$${}{}abc.\\ \n", max_size=25)
REFERENCES = {
    "published.http": Variable("published", "http", ""),
    "port.http": Variable("port", "http", ""),
    "dir.data": Variable("dir", "data", ""),
    "secret.password": Variable("secret", "password", ""),
    "secretfile.password": Variable("secretfile", "password", ""),
    "quoted.password": Variable("quoted", "password", ""),
    "need.database.url": Variable("need", "database", "url"),
    "grant.user": Variable("grant", "user", ""),
    "option.max_size": Variable("option", "max_size", ""),
    "version": Variable("version", "", ""),
    "bind": Variable("bind", "", ""),
    "name": Variable("name", "", ""),
    "escaped.password": Variable("escaped", "password", ""),
    "bcrypt.password": Variable("bcrypt", "password", ""),
    "file.pgpass": Variable("file", "pgpass", ""),
    "url.http": Variable("url", "http", ""),
    "host.http": Variable("host", "http", ""),
}


@pytest.mark.parametrize(("text", "variable"), REFERENCES.items())
def test_every_kind_of_variable_is_read(text: str, variable: Variable) -> None:
    assert parse(text) == variable
    assert list(references(f"a ${{{text}}} b ${{{text}}}")) == [variable, variable]


def test_the_kinds_are_the_ones_that_are_told() -> None:
    assert {variable.kind for variable in REFERENCES.values()} == set(KINDS)


@pytest.mark.parametrize(
    "text", ["", "port", "port.", "port.a.b", "need.a", "version.x", "HOME", "port.Http", "port.a-b", " port.a", "x.y"]
)
def test_what_is_not_of_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        list(references(f"${{{text}}}"))
    assert f"${{{text}}} is not a variable" in caught.value.problem


def test_a_misspelt_kind_gets_the_nearest_one() -> None:
    with pytest.raises(SpecError) as caught:
        parse("optoin.workers")
    assert caught.value.hint == "Did you mean 'option'?"


@pytest.mark.parametrize("text", ["${", "${port.http", "a ${port.{x}}", "${${port.http}}"])
def test_a_variable_that_is_not_closed_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        substitute(text, lambda _: "1")
    assert "not closed" in caught.value.problem
    assert "$$" in (caught.value.hint or "")


@given(TEXT | TRICKY)
def test_a_plain_value_comes_back_exactly(value: str) -> None:
    assert finish(literal(value)) == value
    assert finish(substitute("[${option.x}]", lambda _: literal(value))) == f"[{value}]"


@given(TRICKY, TRICKY)
def test_values_that_meet_do_not_make_a_variable(left: str, right: str) -> None:
    rendered = substitute("${option.a}${option.b}", lambda v: literal(left if v.name == "a" else right))
    assert list(references(rendered)) == []
    assert finish(rendered) == left + right


@given(st.text(alphabet="$ab {}", max_size=8).filter(lambda text: "${" not in text))
def test_a_dollar_of_the_author_never_meets_the_brace_of_a_value(before: str) -> None:
    embedded = substitute("x$", lambda _: None)
    values = {"need": embedded, "option": literal("{secret.p}")}
    rendered = substitute(f"{before} ${{need.a.url}}${{option.b}}", lambda variable: values[variable.kind])
    assert list(references(rendered)) == []
    assert finish(rendered).endswith(" x${secret.p}")


@given(TEXT | TRICKY)
def test_any_text_either_ends_without_the_grammar_or_is_refused(text: str) -> None:
    try:
        kept = substitute(text, lambda _: "")
    except SpecError:
        assert "${" in text
        return
    assert list(references(kept)) == []
    assert finish(kept).count("{") <= text.count("{")


@given(TRICKY)
def test_a_text_that_is_left_for_later_means_the_same_later(text: str) -> None:
    try:
        list(references(text))
    except SpecError:
        return
    later = substitute(text, lambda _: None)
    assert substitute(later, lambda _: None) == later
    assert list(references(later)) == list(references(text))


def test_dollars() -> None:
    assert finish("$$5") == "$5"
    assert finish("$5 and $") == "$5 and $"
    assert finish("$${port.http}") == "${port.http}"
    assert finish("$$$${version}") == "$${version}"


@given(TEXT | TRICKY)
def test_a_secret_is_filled_in_exactly_and_not_read_as_grammar(value: str) -> None:
    assert finish("p=${secret.p};", {"p": Secret(value)}) == f"p={value};"


@given(st.text(max_size=40).filter(lambda text: text.isprintable()))
def test_a_quoted_secret_holds_nothing_that_an_address_would_read(value: str) -> None:
    assert not set(finish("${quoted.p}", {"p": Secret(value)})) & set("/:@?#[] $&+%\"'") - {"%"}


def test_a_hashed_secret_is_one_of_bcrypt_and_one_that_is_too_long_is_refused() -> None:
    assert finish("mlox:${bcrypt.p}", {"p": Secret("word")}) == f"mlox:{hashed('word')}"
    with pytest.raises(SpecError, match="the secret 'p' cannot be hashed: bcrypt takes up to 72 bytes"):
        finish("${bcrypt.p}", {"p": Secret("w" * 73)})


def test_a_secret_that_is_not_given_is_named() -> None:
    with pytest.raises(UnknownNameError) as caught:
        finish("${secret.pasword}", {"password": Secret("x")})
    assert caught.value.hint == "Did you mean 'password'?"


def test_another_variable_that_is_left_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        finish("${port.http}")
    assert "${port.http} has no value here" in caught.value.problem
