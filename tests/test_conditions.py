"""When a rule holds: the closed grammar of conditions, and what errors about rules say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.documents import parse
from mlox.errors import SpecError
from mlox.specs import StackSpec, condition
from mlox.specs.conditions import FORMS, Condition

OPERATORS = st.sampled_from([">", ">=", "<", "<="])
COMPARED = st.one_of(
    st.builds(Condition, st.sampled_from(["memory", "disk"]), OPERATORS, st.integers(0, 2**50)),
    st.builds(Condition, st.just("cpu"), OPERATORS, st.integers(0, 10**8 - 1).map(lambda n: n / 100)),
    st.builds(Condition, st.just("restarts"), OPERATORS, st.integers(0, 10**8)),
    st.builds(Condition, st.just("probe"), OPERATORS, st.integers(0, 10**8)),
    st.builds(Condition, st.just("backup"), st.just(">"), st.integers(0, 10**8)),
    st.sampled_from([Condition("unhealthy"), Condition("unanswered")]),
)


@given(COMPARED)
def test_a_condition_is_read_back_as_it_is_written(made: Condition) -> None:
    assert condition(str(made)) == made


@given(st.text(max_size=60) | st.from_regex(r"(memory|cpu|backup|probe) ?[<>older than]{0,12} ?[0-9.gms%d]{0,6}"))
def test_a_text_is_a_condition_or_an_error_that_shows_what_one_is(text: str) -> None:
    try:
        found = condition(text)
    except ValueError as error:
        assert any(form in str(error) for form in FORMS)
    else:
        assert condition(str(found)) == found


@given(COMPARED.filter(lambda one: bool(one.operator)), st.floats(0, 1e12), st.floats(0, 1e12))
def test_whoever_is_further_beyond_a_limit_is_beyond_it_too(made: Condition, one: float, other: float) -> None:
    low, high = sorted((one, other))
    further, nearer = (high, low) if made.operator.startswith(">") else (low, high)
    assert made.holds(further) >= made.holds(nearer)


@pytest.mark.parametrize("form", FORMS)
def test_every_example_is_one(form: str) -> None:
    assert condition(f"  {form} ") == condition(form)


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("memory > 2 GiB", 2.5 * 2**30, "2.5 GiB"),
        ("disk > 1g", 2**20, "1.0 MiB"),
        ("cpu > 90%", 99.6, "100%"),
        ("restarts > 3", 4, "4"),
        ("probe > 500ms", 612.4, "612 ms"),
        ("backup older than 1d", 3 * 86400.0, "3 d"),
        ("backup older than 1h", 5400.0, "90 min"),
    ],
)
def test_values_are_shown_in_their_units(text: str, value: float, shown: str) -> None:
    found = condition(text)
    assert found.holds(value) == (text != "disk > 1g")
    assert found.shown(value) == shown


WRONG = {
    "rules: {a: {}}": ("alerts.rules.a.when: missing", None),
    "rules: {a: {wen: unhealthy}}": ("unknown key 'wen'", "'when'"),
    "rules: {a: {when: unhealthy, fro: 5m}}": ("unknown key 'fro'", "'for'"),
    "rules: {a: {when: unhealthy, for_: 5m}}": ("unknown key 'for_'", "'for'"),
    "rules: {a: {when: unhealthy, for: soon}}": ("alerts.rules.a.for: not a duration", None),
    "rules: {a: {when: memori > 2}}": ("'memori > 2' is no condition: write one like unhealthy", None),
    "rules: {a: {when: memory > lots}}": ("not a size", None),
    "rules: {a: {when: cpu > 90}}": ("not a share: write 90%, where 100% is one core", None),
    "rules: {a: {when: restarts > many}}": ("not a whole number; for example: restarts > 3", None),
    "rules: {a: {when: unanswered, service: redis}}": ("is about servers and backups", None),
    "rules: {Up: {when: unhealthy}}": ("not a valid name", None),
    "tell: {slack: x}": ("alerts.tell: unknown key 'slack'", "email, notebook, webhook"),
    "tell: {webhook: 'http://example.org/x'}": ("it has to begin with https://", None),
    "tell: {webhook: 'ftp://example.org/x'}": ("it is https://HOST/..., or the name of a secret", None),
    "tell: {email: {to: [], server: x}}": ("alerts.tell.email.to", None),
    "tell: {email: {to: [me], server: x}}": ("not an address: write name@example.org", None),
    "tell: {email: {to: a@b.c, server: x, user: me}}": ("user and password belong together", None),
    "tell: {email: {to: a@b.c, server: x, user: me, password: P, tls: none}}": ("without TLS", None),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_rule_is_named_with_its_line(text: str) -> None:
    problem, hint = WRONG[text]
    with pytest.raises(SpecError) as error:
        parse(f"name: demo\nalerts:\n  {text}\n", StackSpec, source="mlox.yaml")
    assert problem in error.value.problem
    assert error.value.problem.startswith("mlox.yaml:3: ")
    assert hint is None or hint in (error.value.hint or "")


def test_what_is_left_out_of_mail_follows_from_the_port() -> None:
    text = "name: demo\nalerts: {tell: {email: {to: a@b.c, server: x, port: %s}}}\n"
    specs = [parse(text % port, StackSpec, source="x").alerts.tell.email for port in (465, 587, 25)]
    assert [spec.security for spec in specs if spec is not None] == ["tls", "starttls", "starttls"]
    assert [spec.sender for spec in specs if spec is not None] == ["a@b.c"] * 3
