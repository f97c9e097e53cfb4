"""YAML becomes a spec, or one clear error; hostile YAML costs little; an edit touches nothing but its place."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.documents import REMOVED, edited, line_of, load, parse
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


def test_tags_that_the_caller_knows_are_read() -> None:
    assert load("a: !py name", source="x", tags={"py": str.upper}) == {"a": "NAME"}


STACK_ERRORS = {
    "": ("is empty, not a mapping", "name"),
    "[]": ("holds a list", "name"),
    "just text": ("holds a str", "name"),
    "id: a-0001\n": ("name: missing", "Mend it"),
    "name: A b\n": (":1: name: not a valid name", "Mend it"),
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


# Editing

REAL = {
    "comments everywhere": """\
# top of the file

# second block
name: churn   # the name
id: churn-00aa # the id

# about services
services:
  # about redis
  redis:   # behind redis
    service: redis   # behind service
    version: "7.0.15"  # quoted
    # at the end of redis

  # about cache
  cache:
    service: redis
    version: '7.0.15'
    options: {maxmemory_mb: 10}   # flow
    # at the end of cache

# about profiles
profiles:
  heavy:
    options:
      redis: {maxmemory_mb: 10}

# the end
""",
    "four spaces and lists": """\
name: churn
id: churn-00aa

services:
    redis:
        service: redis
        version: "7"
        options:
            maxmemory_mb: 1

alerts:
    - kind: mail
      to: somebody
    # one more would go here
    - kind: page
""",
    "services last": "name: churn\nid: churn-00aa\nservices:\n  redis:\n    service: redis\n\n\n# the end\n",
    "flow": "{name: churn, id: churn-00aa, services: {redis: {service: redis, version: '7'}}}\n",
    "flow inside": "name: churn\nid: churn-00aa\nservices:\n  redis: {service: redis, version: '7'}  # short\n# end\n",
    "flow over lines": "name: churn\nid: churn-00aa\nservices: {\n  redis: {service: redis},  # one\n}\n# end\n",
    "no final newline": "name: churn\nid: churn-00aa\nservices:\n  redis:\n    service: redis",
    "line ends of Windows": "name: a\r\nid: a-00aa\r\n# c\r\nservices:\r\n  redis:\r\n    service: redis\r\n# end\r\n",
    "a byte order mark": "\ufeffname: churn\nid: churn-00aa\nservices:\n  redis:\n    service: redis\n",
    "marks of a document": "---\n# c\nname: churn\nid: churn-00aa\nservices:\n  redis:\n    service: redis\n...\n",
    "other scripts": "name: churn  # ünïcödé ☃ 😀\nservices:\n  redis:\n    service: redis\n    options: {x: 'é😀'}\n",
    "blocks of text": (
        "name: churn\nid: churn-00aa\nservices:\n  redis:\n    service: redis\n    options:\n      a: |\n        x\n"
        "        # text, no comment\n\n      b: >-\n        folded\n        more\n# the end\n"
    ),
    "services first": "services:\n  redis:\n    service: redis\n# behind services\nname: churn\nid: churn-00aa\n",
    "wide": "name:   churn\nid:     churn-00aa\n\n\nservices:\n\n  redis:\n\n    service:   redis\n\n\n",
    "a service that is commented out": (
        "name: churn\nid: a-00aa\nservices:\n  redis:\n    service: redis\n  # cache:\n  #   service: redis\n\n# end\n"
    ),
}
NEW = {"service": "mlflow", "version": "3.17.2", "needs": {"database": "embedded"}, "options": {"workers": 2}}


def lines_of(text: str) -> list[str]:
    return text.removeprefix("\ufeff").splitlines()


def assert_only_added(before: str, after: str, added: int) -> None:
    """Every line of ``before`` is in ``after``, in its order, and ``added`` more."""
    rest = iter(lines_of(after))
    for line in lines_of(before):
        assert line in rest, f"lost: {line!r}"
    assert len(lines_of(after)) == len(lines_of(before)) + added


@pytest.mark.parametrize("text", REAL.values(), ids=REAL)
def test_a_new_service_changes_no_line_that_is_there(text: str) -> None:
    after = edited(text, {"services": {"mlflow": NEW}}, source="mlox.yaml")
    expected = load(text, source="x")
    expected["services"]["mlflow"] = NEW  # type: ignore[index]
    assert load(after, source="x") == expected
    assert list(load(after, source="x")["services"])[-1] == "mlflow"  # type: ignore[index]
    parse(after, StackSpec, source="x")
    if "{redis:" in text or "services: {" in text:
        assert after.count("\n") == text.count("\n")
    else:
        assert_only_added(text, after, 7)
        assert ("\r\n" in after) == ("\r\n" in text)
        assert after.count("\r\n") in (0, after.count("\n"))


@pytest.mark.parametrize("text", REAL.values(), ids=REAL)
def test_a_new_value_changes_no_other_line(text: str) -> None:
    after = edited(text, {"services": {"redis": {"options": {"appendfsync": "no"}}}}, source="mlox.yaml")
    expected = load(text, source="x")
    expected["services"]["redis"].setdefault("options", {})["appendfsync"] = "no"  # type: ignore[index]
    assert load(after, source="x") == expected
    changed = set(lines_of(text)) - set(lines_of(after))
    assert len(changed) <= 1
    assert all("redis" in line or "options" in line for line in changed)
    assert after.startswith("\ufeff") == text.startswith("\ufeff")


@pytest.mark.parametrize("text", REAL.values(), ids=REAL)
def test_taking_a_service_out_leaves_the_comments_of_others(text: str) -> None:
    after = edited(text, {"services": {"redis": REMOVED}}, source="mlox.yaml")
    expected = load(text, source="x")
    del expected["services"]["redis"]  # type: ignore[index]
    assert load(after, source="x") == expected
    kept = [
        "# top of",
        "# the name",
        "# about services",
        "# about cache",
        "# about profiles",
        "# the end",
        "# end",
        "# c",
    ]
    for comment in kept:
        assert (comment in text) == (comment in after), comment
    parse(after, StackSpec, source="x")


@pytest.mark.parametrize("text", REAL.values(), ids=REAL)
def test_an_edit_that_is_undone_gives_the_text_back(text: str) -> None:
    there = edited(text, {"services": {"mlflow": NEW}}, source="mlox.yaml")
    back = edited(there, {"services": {"mlflow": REMOVED}}, source="mlox.yaml")
    assert load(back, source="x") == load(text, source="x")
    if "services: {" not in text:
        assert back.rstrip("\r\n") == text.rstrip("\r\n")


def test_a_service_goes_below_the_others_and_above_the_comment_of_what_follows() -> None:
    after = edited(REAL["comments everywhere"], {"services": {"mlflow": {"service": "mlflow"}}}, source="x")
    assert "    # at the end of cache\n  mlflow:\n    service: mlflow\n\n# about profiles\n" in after


def test_the_indentation_of_the_file_is_taken() -> None:
    after = edited(REAL["four spaces and lists"], {"services": {"mlflow": NEW}}, source="x")
    assert (
        '\n    mlflow:\n        service: mlflow\n        version: "3.17.2"\n        needs:\n            database'
        in after
    )


EMPTY = {
    "no services": ("name: churn\n", "name: churn\nservices:\n  db:\n    service: redis\n"),
    "empty services": ("name: churn\nservices: {}\n", "name: churn\nservices:\n  db:\n    service: redis\n"),
    "empty services, a comment": (
        "name: churn\nservices: {}  # none yet\n# end\n",
        "name: churn\nservices:  # none yet\n  db:\n    service: redis\n# end\n",
    ),
    "services without a value": (
        "name: churn\nservices:  # none yet\n# end\n",
        "name: churn\nservices:  # none yet\n  db:\n    service: redis\n# end\n",
    ),
    "no newline": ("name: churn", "name: churn\nservices:\n  db:\n    service: redis\n"),
    "a comment at the end": ("name: churn\n# end\n", "name: churn\n# end\nservices:\n  db:\n    service: redis\n"),
}


@pytest.mark.parametrize(("before", "after"), EMPTY.values(), ids=EMPTY)
def test_the_first_service(before: str, after: str) -> None:
    assert edited(before, {"services": {"db": {"service": "redis"}}}, source="x") == after


def test_the_last_service_leaves_an_empty_mapping() -> None:
    before = "name: churn\nservices:  # ours\n  db:\n    service: redis\n# end\n"
    assert edited(before, {"services": {"db": REMOVED}}, source="x") == "name: churn\nservices: {}  # ours\n# end\n"


def test_a_key_behind_another() -> None:
    before = "# a\nname: churn  # b\n\n# c\nservices: {}\n"
    after = "# a\nname: churn  # b\nid: churn-0001\n\n# c\nservices: {}\n"
    assert edited(before, {"id": "churn-0001"}, source="x", after="name") == after


def test_a_key_without_a_value_gets_one() -> None:
    before = "name: churn\nid:   # not yet\nservices: {}\n"
    assert edited(before, {"id": "churn-0001"}, source="x") == "name: churn\nid: churn-0001   # not yet\nservices: {}\n"


def test_a_value_is_changed_in_its_place() -> None:
    before = 'a: {b: "1"  , c: two}  # x\nd: 3 # y\n'
    assert edited(before, {"a": {"b": "2"}, "d": 4}, source="x") == 'a: {b: "2"  , c: two}  # x\nd: 4 # y\n'


def test_anchors_are_left_to_the_round_trip_and_keep_their_meaning() -> None:
    before = (
        "services:\n    redis: &r\n        service: redis  # c\n        version: '7'\n"
        "    cache:\n        <<: *r\nname: churn\n"
    )
    after = edited(before, {"services": {"cache": {"options": {"x": 1}}}}, source="x")
    assert load(after, source="x") == {
        "services": {
            "redis": {"service": "redis", "version": "7"},
            "cache": {"service": "redis", "version": "7", "options": {"x": 1}},
        },
        "name": "churn",
    }
    assert "# c" in after
    assert "<<: *r" in after
    assert "\n        service: redis  # c\n" in after


@pytest.mark.parametrize("text", ["", "[]", "a: [", "a: 1\na: 2"])
def test_what_is_no_mapping_is_not_edited(text: str) -> None:
    with pytest.raises(SpecError):
        edited(text, {"a": 1}, source="mlox.yaml")


SCALARS = st.text(max_size=20) | st.sampled_from(
    ["yes", "null", "1", "1.0", "~", "on", "0x1", "a: b", "#", "- a", "''"]
)
VALUES = SCALARS | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)


@given(
    st.sampled_from(sorted(REAL)),
    st.dictionaries(KEYS, VALUES, max_size=3),
    KEYS,
)
@settings(max_examples=60)
def test_any_value_that_is_written_is_read_again(case: str, values: dict[str, object], name: str) -> None:
    after = edited(REAL[case], {"services": {name: {"service": "x", "options": values}}}, source="mlox.yaml")
    written = load(after, source="x")["services"][name]  # type: ignore[index]
    assert written["options"] == {**written["options"], **values}
    assert [line for line in lines_of(REAL[case]) if "# about" in line or "# top" in line] == [
        line for line in lines_of(after) if "# about" in line or "# top" in line
    ]


def test_an_anchor_that_is_used_again_means_the_newer_one_and_warns_nobody() -> None:
    assert load("a: &x 1\nb: &x 2\nc: *x\n", source="mlox.yaml") == {"a": 1, "b": 2, "c": 2}
