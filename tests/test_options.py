"""Options of a service: typed in YAML, typed on the command line, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.catalog import Catalog
from mlox.errors import SpecError, UnknownNameError
from mlox.resolve import check_options, read_option
from mlox.resolve.options import render_option
from mlox.specs import CatalogService, OptionSpec
from mlox.specs.model import Scalar

TYPES = ("string", "integer", "number", "boolean")


def option(kind: str = "string", **rules: object) -> OptionSpec:
    return OptionSpec.model_validate({"help": "what it is for", "type": kind, **rules})


READ: list[tuple[str, str, Scalar]] = [
    ("string", "4", "4"),
    ("string", "", ""),
    ("string", "true", "true"),
    ("string", "a=b", "a=b"),
    ("integer", "4", 4),
    ("integer", "-4", -4),
    ("number", "4", 4.0),
    ("number", "0.5", 0.5),
    ("number", "1e3", 1000.0),
    ("boolean", "true", True),
    ("boolean", "No", False),
    ("boolean", "on", True),
    ("boolean", "FALSE", False),
]


@pytest.mark.parametrize(("kind", "text", "value"), READ)
def test_a_text_of_the_command_line_has_the_type_of_its_option(kind: str, text: str, value: Scalar) -> None:
    read = read_option(option(kind), text, where="x")
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("integer", "4.5"), ("integer", "four"), ("integer", ""), ("number", "much"), ("boolean", "1"), ("boolean", "")],
)
def test_a_text_that_does_not_fit_is_told_with_the_help(kind: str, text: str) -> None:
    with pytest.raises(SpecError, match=f"x takes a value of type {kind}, not") as caught:
        read_option(option(kind, help="size of the JVM"), text, where="x")
    assert caught.value.hint == "Size of the JVM."


def service(**options: OptionSpec) -> CatalogService:
    return Catalog().get("redis").service.model_copy(update={"options": options})


RULES: list[tuple[OptionSpec, Scalar, str | None]] = [
    (option("integer", minimum=1, maximum=3), 1, None),
    (option("integer", minimum=1, maximum=3), 3, None),
    (option("integer", minimum=1, maximum=3), 0, "the least is 1"),
    (option("integer", minimum=1, maximum=3), 4, "the most is 3"),
    (option("number", minimum=0), -0.1, "the least is 0"),
    (option("number", minimum=0), float("nan"), "cannot be nan"),
    (option("number"), float("inf"), "cannot be inf"),
    (option("number"), 3, None),
    (option("number"), True, "type number"),
    (option("integer"), True, "type integer"),
    (option("integer"), 1.0, "type integer"),
    (option("boolean"), 1, "type boolean"),
    (option("boolean"), "yes", "type boolean"),
    (option("string"), 1, "type string"),
    (option("string"), False, "type string"),
    (option("string", choices=["a", "b"]), "b", None),
    (option("string", choices=["a", "b"]), "c", "cannot be 'c'"),
    (option("integer", choices=[1, 2]), 3, "cannot be 3"),
    (option("string", pattern="[a-z]+"), "abc", None),
    (option("string", pattern="[a-z]+"), "abc1", "does not match"),
    (option("string"), "two\nlines", "control character"),
    (option("string"), "a\x00b", "control character"),
    (option("string"), "a\tb", "control character"),
    (option("string"), "é 😀 $x ${version}", None),
]


@pytest.mark.parametrize(("spec", "value", "problem"), RULES)
def test_a_value_keeps_the_rules_of_its_option(spec: OptionSpec, value: Scalar, problem: str | None) -> None:
    if problem is None:
        assert check_options(service(x=spec), {"x": value}, where="db") == {"x": value}
        return
    with pytest.raises(SpecError, match=problem) as caught:
        check_options(service(x=spec), {"x": value}, where="db")
    assert caught.value.problem.startswith("db: option 'x' ")
    assert caught.value.hint


def test_defaults_are_taken_where_nothing_is_given() -> None:
    specs = {"a": option("integer", default=0), "b": option("boolean", default=False), "c": option(default="")}
    assert check_options(service(**specs), {}, where="db") == {"a": 0, "b": False, "c": ""}


def test_without_a_default_a_value_is_missing() -> None:
    with pytest.raises(SpecError, match="db: the option 'a' is missing: what it is for") as caught:
        check_options(service(a=option()), {}, where="db")
    assert caught.value.hint == "Give it: --set a=VALUE."


def test_an_unknown_option_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="db: unknown option 'worker'") as caught:
        check_options(service(workers=option(default="x")), {"worker": "1"}, where="db")
    assert caught.value.hint == "Did you mean 'workers'?"


@given(st.sampled_from(TYPES), st.text(max_size=20))
def test_any_text_is_a_value_of_the_type_or_one_clear_error(kind: str, text: str) -> None:
    try:
        value = read_option(option(kind, default=None), text, where="x")
        checked = check_options(service(x=option(kind)), {"x": value}, where="x")["x"]
    except SpecError as error:
        assert error.hint
        return
    assert read_option(option(kind), render_option(checked), where="x") == checked


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (1, "1"), (0.5, "0.5"), ("a b", "a b")])
def test_the_text_of_a_value_in_a_template(value: Scalar, text: str) -> None:
    assert render_option(value) == text
