"""What every secret store must do, whatever it is made of: one row of STORES makes a store run all of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlox.errors import SecretError, SecretNotFoundError
from mlox.protocols import VersionedStore, WritableStore
from mlox.secret import Secret
from tests.contracts.secret_store_cases import STORES, WRITABLE, Case

any_store = pytest.mark.parametrize("case", STORES, ids=lambda case: case.name)
writable_store = pytest.mark.parametrize("case", WRITABLE, ids=lambda case: case.name)


def writable(case: Case, folder: Path, values: Mapping[str, str] | None = None) -> WritableStore:
    store = case.make(folder, values or {})
    assert isinstance(store, WritableStore)
    return store


@any_store
def test_a_store_is_writable_exactly_where_it_says_so(case: Case, tmp_path: Path) -> None:
    assert isinstance(case.make(tmp_path, {}), WritableStore) == case.writable


@any_store
def test_an_empty_store_has_no_names(case: Case, tmp_path: Path) -> None:
    store = case.make(tmp_path, {})
    assert (store.names(), store.describe()) == ((), ())


@any_store
def test_values_are_found_by_name_and_names_are_sorted(case: Case, tmp_path: Path) -> None:
    values = {"zeta": "z-value", "Alpha": "a-value", "_x.y-z": "x-value", "alpha": "other"}
    store = case.make(tmp_path, values)
    assert store.names() == ("Alpha", "_x.y-z", "alpha", "zeta")
    for name, value in values.items():
        secret = store.get(name)
        assert (secret.reveal(), store.get(name, secret.version).reveal()) == (value, value)


@any_store
def test_describe_tells_the_newest_version_and_its_time_but_no_value(case: Case, tmp_path: Path) -> None:
    before = time.time()
    store = case.make(tmp_path, {"B": "b-value", "A": "a-value"})
    described = store.describe()
    assert [one.name for one in described] == ["A", "B"]
    for one in described:
        assert one.version == store.get(one.name).version
        assert before - 5 < one.updated < time.time() + 5
        assert one.readers
    assert "-value" not in repr(described)


@any_store
def test_an_unknown_name_is_told_with_the_nearest_one_or_how_to_set_it(case: Case, tmp_path: Path) -> None:
    store = case.make(tmp_path, {"OPENAI_API_KEY": "s3cret-value"})
    with pytest.raises(SecretNotFoundError, match="no secret 'OPENAI_KEY'") as error:
        store.get("OPENAI_KEY")
    assert error.value.hint == "Did you mean 'OPENAI_API_KEY'?"
    with pytest.raises(SecretNotFoundError) as error:
        store.get("PGPASSWORD")
    assert error.value.hint == "Set it with: mlox secrets set PGPASSWORD"


@any_store
@pytest.mark.parametrize("version", ["000000000000", "", "..", "../B"])
def test_an_unknown_version_is_told_with_those_there_are(case: Case, tmp_path: Path, version: str) -> None:
    store = case.make(tmp_path, {"A": "a-value"})
    with pytest.raises(SecretNotFoundError, match="secret 'A' has no version") as error:
        store.get("A", version)
    assert str(store.get("A").version) in str(error.value.hint)


@any_store
def test_no_value_is_in_any_text_of_the_store_or_of_what_it_gives(case: Case, tmp_path: Path) -> None:
    store = case.make(tmp_path, {"A": "s3cret-value"})
    secret = store.get("A")
    for text in (repr(store), repr(secret), str(secret), f"{secret}", repr(store.describe())):
        assert "s3cret-value" not in text
    with pytest.raises(TypeError):
        json.dumps(secret)


@writable_store
def test_what_was_set_is_visible_at_once_also_to_another_reader(case: Case, tmp_path: Path) -> None:
    store = writable(case, tmp_path)
    for number in range(5):
        version = store.set("A", Secret(f"value {number}"))
        assert store.get("A").reveal() == f"value {number}"
        assert store.get("A").version == version
        assert store.get("A", version).reveal() == f"value {number}"


@writable_store
def test_older_versions_stay_readable_and_every_set_is_a_version(case: Case, tmp_path: Path) -> None:
    store = writable(case, tmp_path)
    versions = [store.set("A", Secret(value)) for value in ("one", "two", "two", "three")]
    assert len(set(versions)) == 4
    assert [store.get("A", version).reveal() for version in versions] == ["one", "two", "two", "three"]
    assert store.names() == ("A",)
    assert [one.version for one in store.describe()] == versions[-1:]
    if isinstance(store, VersionedStore):
        assert sorted(store.versions("A")) == sorted(versions)
        assert store.versions("B") + store.versions("../A") == ()


@writable_store
def test_delete_removes_every_version_and_no_other_secret(case: Case, tmp_path: Path) -> None:
    store = writable(case, tmp_path, {"a": "other"})
    versions = [store.set("A", Secret(value)) for value in ("one", "two")]
    store.delete("A")
    assert store.names() == ("a",)
    for version in (None, *versions):
        with pytest.raises(SecretNotFoundError):
            store.get("A", version)
    assert store.get("a").reveal() == "other"


@writable_store
def test_a_deleted_secret_can_be_set_again_and_its_old_versions_stay_away(case: Case, tmp_path: Path) -> None:
    store = writable(case, tmp_path)
    old = store.set("A", Secret("one"))
    store.delete("A")
    assert store.set("A", Secret("new")) != old
    assert store.get("A").reveal() == "new"
    with pytest.raises(SecretNotFoundError):
        store.get("A", old)


@writable_store
def test_what_is_not_there_cannot_be_deleted(case: Case, tmp_path: Path) -> None:
    with pytest.raises(SecretNotFoundError) as error:
        writable(case, tmp_path, {"TOKEN": "value"}).delete("TOKENS")
    assert error.value.hint == "Did you mean 'TOKEN'?"


@writable_store
def test_a_failing_write_raises_and_leaves_the_secret_as_it_was(case: Case, tmp_path: Path) -> None:
    store = writable(case, tmp_path)
    version = store.set("A", Secret("old"))
    assert case.broken is not None
    with case.broken(tmp_path, store), pytest.raises(SecretError) as error:
        store.set("A", Secret("new-value"))
    assert error.value.hint
    assert "new-value" not in str(error.value)
    assert (store.get("A").reveal(), store.get("A").version) == ("old", version)


@writable_store
def test_a_failing_delete_raises_and_leaves_the_secret_as_it_was(case: Case, tmp_path: Path) -> None:
    store = writable(case, tmp_path, {"A": "old"})
    assert case.broken is not None
    with case.broken(tmp_path, store), pytest.raises(SecretError):
        store.delete("A")
    assert store.get("A").reveal() == "old"


@writable_store
def test_an_empty_value_is_refused(case: Case, tmp_path: Path) -> None:
    store = writable(case, tmp_path)
    with pytest.raises(SecretError, match="the value for secret 'A' is empty") as error:
        store.set("A", Secret(""))
    assert error.value.hint == "Give a value, or remove it with: mlox secrets remove A"
    assert store.names() == ()


@writable_store
def test_half_a_surrogate_pair_is_refused_without_showing_the_value(case: Case, tmp_path: Path) -> None:
    store = writable(case, tmp_path)
    with pytest.raises(SecretError, match="not valid Unicode text") as error:
        store.set("A", Secret("s3cret\ud800"))
    assert error.value.__context__ is None
    assert store.names() == ()


@writable_store
@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "1a", "-a", ".a", "a b", "a\n", "a\0", "é", "a+b", "x" * 121],
)
def test_a_name_outside_the_rule_is_refused_and_never_found(case: Case, tmp_path: Path, name: str) -> None:
    store = writable(case, tmp_path)
    with pytest.raises(SecretError, match="cannot be the name of a secret") as error:
        store.set(name, Secret("value"))
    assert "begins with a letter or '_'" in str(error.value.hint)
    for act in (store.get, store.delete):
        with pytest.raises(SecretNotFoundError) as missing:
            act(name)
        assert missing.value.hint == error.value.hint
    assert store.names() == ()


@writable_store
@pytest.mark.parametrize(
    "value",
    [
        "\n",
        " ",
        "\0",
        "a\0b",
        "line\r\nline\r",
        "\ufeffmark",
        "tail\n\n",
        "é 漢 🔑 \u202e",
        "'\"$`\\!{}%",
        "x" * 1_000_000,
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_any_text_is_kept_exactly(case: Case, tmp_path: Path, value: str) -> None:
    store = writable(case, tmp_path)
    version = store.set("A", Secret(value))
    assert store.get("A").reveal() == value
    assert store.get("A", version).reveal() == value


@writable_store
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,119}", fullmatch=True),
    value=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_every_allowed_name_and_text_comes_back_as_it_was(case: Case, tmp_path: Path, name: str, value: str) -> None:
    store = writable(case, tmp_path)
    version = store.set(name, Secret(value))
    assert (store.get(name).reveal(), store.get(name).version) == (value, version)
    assert name in store.names()
