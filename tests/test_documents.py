"""YAML becomes a spec, or one clear error; hostile YAML costs little."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.documents import line_of, load, parse
from mlox.errors import SpecError
from mlox.specs import CatalogService, StackSpec

YAMLISH = st.text(alphabet="ab:- \n#{}[]&*!|>'\"%@`,?~0.<=$\t\\\u2028é", max_size=60)
PARTS = (
    "name: a|id: a-0001|services:|- |: |{|}|[|]|, |&a |*a|<<: *a|!!bool x|!!int ''|!!set |!!binary '#'|!!omap |? |'|\"|"
)
PARTS += "!!timestamp x|\\U|null|1e999|.nan|2001-99-99|12:30|0o9|---|...|%YAML 1.2|# c|\ufeff|>|\n|\n  |\n    |\n\n"
TOKENS = st.lists(st.sampled_from([*PARTS.split("|"), "| "]), max_size=14).map("".join)


# Reading


@given(st.text(max_size=80) | YAMLISH | TOKENS)
@settings(max_examples=150)
def test_any_text_is_data_or_one_clear_error(text: str) -> None:
    try:
        load(text, source="mlox.yaml")
    except SpecError as error:
        assert error.problem.startswith("mlox.yaml")
        assert error.hint


@given(YAMLISH | TOKENS | TOKENS.map(lambda text: f"name: a\nservices:\n  {text}"))
@settings(max_examples=150)
def test_any_text_is_a_stack_or_one_clear_error(text: str) -> None:
    try:
        parse(text, StackSpec, source="mlox.yaml")
    except SpecError as error:
        assert error.problem.startswith("mlox.yaml")
        assert error.hint


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghi")
)
MERGES = "a0: &a0 {k: v}\n" + "".join(
    f"a{i + 1}: &a{i + 1} {{<<: [{','.join([f'*a{i}'] * 9)}], k{i}: v}}\n" for i in range(12)
)
HOSTILE = {
    "aliases that multiply": (BOMB, "too deep, or too many values"),
    "merge keys that multiply": (MERGES, "too deep, or too many values"),
    "a list that holds itself": ("a: &a [*a]", "too deep"),
    "a mapping that holds itself": ("&a {a: *a}", "too deep"),
    "a long list": ("- 1\n" * 200_000, "too many values"),
    "deep brackets": ("[" * 3000, "not valid YAML|too deep"),
    "deep mappings": ("".join(f"{' ' * i}a:\n" for i in range(200)), "too deep"),
    "a large file": ("# " + "x" * 1_000_001, "larger than 1,000,000 bytes"),
    "a tag of Python": ("!!python/object/apply:os.system [true]", ":1: not valid YAML"),
    "a tag of nobody": ("a: !vault x", ":1: not valid YAML"),
    "a truth that is none": ("!!bool x", "not valid YAML"),
    "a number without digits": ("!!int ''", "not valid YAML"),
    "a number without end": ("a: " + "9" * 5000, "not valid YAML"),
    "a day that there is not": ("a: 2001-99-99", "not valid YAML"),
    "a character that there is not": ('"\\UFFFFFFFF"', "not valid YAML"),
    "NUL": ("a: b\0c", "not valid YAML"),
    "half a character": ("a: \ud800", "not valid YAML"),
    "a tab": ("a:\n\tb: 1", ":2: not valid YAML"),
    "a key twice": ("a: 1\nb: 2\na: 3", ":3: not valid YAML"),
    "two documents": ("a: 1\n---\nb: 2", ":2: not valid YAML"),
    "an alias of nothing": ("a: *b", ":1: not valid YAML"),
    "a key that is a mapping": ("? {a: b}\n: 1", "not valid YAML"),
    "conflict marks of git": ("<<<<<<< ours\nname: a\n=======\nname: b\n>>>>>>> theirs\n", "not valid YAML"),
    "not closed": ("a: 'b", "not valid YAML"),
}


@pytest.mark.parametrize(("text", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_yaml_is_refused_soon(text: str, problem: str) -> None:
    began = time.process_time()
    with pytest.raises(SpecError, match=problem) as caught:
        load(text, source="mlox.yaml")
    assert time.process_time() - began < 10
    assert caught.value.hint
    assert len(caught.value.problem) < 500


def test_aliases_and_merges_of_a_person_are_fine() -> None:
    assert load("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: *a", source="x") == {
        "a": {"x": 1},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1},
    }


def test_an_anchor_that_is_used_again_means_the_newer_one_and_warns_nobody() -> None:
    assert load("a: &x 1\nb: &x 2\nc: *x\n", source="mlox.yaml") == {"a": 1, "b": 2, "c": 2}


def test_tags_that_the_caller_knows_are_read() -> None:
    assert load("a: !py name", source="x", tags={"py": str.upper}) == {"a": "NAME"}


STACK_ERRORS = {
    "": ("is empty, not a mapping", "name"),
    "[]": ("holds a list", "name"),
    "just text": ("holds a str", "name"),
    "id: a-0001\n": ("name: missing", "Mend it"),
    "name: A b\n": (":1: name: not a valid name", "Mend it"),
    "name: a\nservices: [redis]\n": ("2: services: is a list, not a mapping", ""),
    "name: a\nservices: {redis: redis}\n": ("2: services.redis: is a text, not a mapping", ""),
    "name: a\nservices:\n  db: {service: redis, ports: {redis: 99999}}\n": ("must be less than or equal to 65535", ""),
    "nme: a\n": ("unknown key 'nme'", "'name'"),
    "name: a\nservices:\n  db:\n    servce: redis\n": (":4: services.db: unknown key 'servce'", "'service'"),
    "name: a\nservices:\n  db:\n    service: redis\n    optoins: {}\n": (":5: services.db: unknown key", "'options'"),
    "name: a\nservices: {Db: {service: redis}}\n": (":2: services.Db: not a valid name", "Mend it"),
    "name: a\nservices:\n  db:\n    service: redis\n    version: 7.2\n": ("write the version in quotes", "Mend it"),
    "name: a\nservices:\n  db:\n    service: redis\n    ports: {redis: 70000}\n": (
        ":5: services.db.ports.redis",
        "Mend it",
    ),
    "name: a\nservers:\n  box: {ssh: me@box, local: true}\n": (":3: servers.box: a server has exactly one of", "Mend"),
    "name: a\nid: other\n": (":2: id", "Mend it"),
    "name: a\n1: b\n": ("mlox.yaml", "Known keys|Mend it"),
}


@pytest.mark.parametrize(("text", "parts"), STACK_ERRORS.items())
def test_a_wrong_stack_is_told_with_line_and_key(text: str, parts: tuple[str, str]) -> None:
    with pytest.raises(SpecError, match=parts[0]) as caught:
        parse(text, StackSpec, source="mlox.yaml")
    assert any(part in (caught.value.hint or "") for part in parts[1].split("|"))


def test_many_errors_are_three_and_a_count() -> None:
    text = "name: a\nservices:\n" + "".join(f"  s{i}: {{}}\n" for i in range(7))
    with pytest.raises(SpecError) as caught:
        parse(text, StackSpec, source="mlox.yaml")
    assert caught.value.problem.count("missing") == 3
    assert caught.value.problem.endswith("(and 4 more)")


def test_a_value_is_never_repeated_in_an_error() -> None:
    with pytest.raises(SpecError) as caught:
        parse("name: hunter22 hunter22\n", StackSpec, source="mlox.yaml")
    assert "hunter22" not in caught.value.problem


@pytest.mark.parametrize(
    ("location", "line"),
    [(("a",), 1), (("a", "b"), 2), (("a", "b", 1), 4), (("a", "b", 9), 2), (("c",), None), ((), None), (("a", "x"), 1)],
)
def test_lines_are_found(location: tuple[str | int, ...], line: int | None) -> None:
    assert line_of("a:\n  b:\n  - 1\n  - 2\n", location) == line


def test_a_catalog_service_has_the_same_errors() -> None:
    with pytest.raises(SpecError, match="services/x.yaml:1: unknown key 'versoin'"):
        parse("versoin: 1\nname: x\nversion: '1'\nsummary: s\n", CatalogService, source="services/x.yaml")


def test_a_section_of_which_only_the_key_is_left_is_empty() -> None:
    spec = parse("name: a\nservices:\nservers: # none\nprofiles:\n", StackSpec, source="mlox.yaml")
    assert (spec.services, spec.servers, spec.profiles) == ({}, {}, {})
