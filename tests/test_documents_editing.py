"""An edit of YAML touches nothing but its place, whatever people have written around it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.documents import REMOVED, edited, load, parse
from mlox.errors import SpecError
from mlox.specs import StackSpec

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

backups:
    to: /srv/backups
    # one more would go here
    keep: 3
alerts:
    rules:
        down: {when: unhealthy}
    # one more would go here
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
