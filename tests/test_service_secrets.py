"""Where a service on this machine finds what a person has set for it before it joined, and where its own goes."""

from __future__ import annotations

import pytest

import mlox
from mlox.errors import SecretConflictError
from mlox.protocols import SecretStore
from mlox.secret import Secret
from mlox.secret_stores.service import ServiceStore
from mlox.testing import FakeBackend, FakeSecretStore
from tests.shell_stage import Say
from tests.vault_stage import Team, git

NAME = "cache.password"


@pytest.fixture
def stack(machine: FakeBackend) -> mlox.Stack:
    """A stack with a secret for a service that is to join under a name of its own."""
    del machine
    made = mlox.Stack("churn")
    made.init()
    mlox.secrets.set(NAME, "chosen by a person")
    return made


def joined(stack: mlox.Stack) -> mlox.Stack:
    stack.add("redis", name="cache")
    stack.up()
    return stack


def runs_with(stack: mlox.Stack) -> str:
    """The value of the version that the annotation of what runs tells."""
    around = stack.surroundings()
    (ref,) = {ref for o in around.observed.values() for ref in o.unit.secrets if ref.name == NAME}
    return around.store.get(ref.name, ref.version).reveal()


def has(store: SecretStore) -> bool:
    return NAME in store.names()


def test_what_is_set_before_a_service_joins_is_what_it_starts_with(stack: mlox.Stack) -> None:
    assert (has(stack.surroundings().vault), has(stack.surroundings().own)) == (True, False)
    joined(stack)
    assert runs_with(stack) == "chosen by a person"
    assert not has(stack.surroundings().own), "nothing was generated in its place"
    url = stack.service("cache").env["REDIS_URL"]
    assert isinstance(url, Secret)
    assert url.reveal().startswith("redis://default:chosen%20by%20a%20person@")
    assert stack.plan().actions == ()


def test_its_own_store_comes_first_and_is_where_a_new_value_goes(stack: mlox.Stack) -> None:
    joined(stack)
    mlox.secrets.set(NAME, "set again")
    assert has(stack.surroundings().own)
    assert mlox.secrets.get(NAME).reveal() == "set again", "what is read is what was set"
    assert [action.kind for action in stack.plan().actions] == ["update"]
    stack.up()
    assert runs_with(stack) == "set again"
    assert stack.surroundings().vault.get(NAME).reveal() == "chosen by a person"


def test_a_new_version_in_the_vault_is_taken_over_by_what_is_read_from_there(stack: mlox.Stack) -> None:
    joined(stack)
    stack.surroundings().vault.set(NAME, Secret("changed by a colleague"))
    assert runs_with(stack) == "chosen by a person", "until up, what runs is what it started with"
    stack.up()
    assert runs_with(stack) == "changed by a colleague"


def test_what_the_service_has_is_not_replaced_by_what_comes_with_the_repository(stack: mlox.Stack) -> None:
    stack.surroundings().own.set(NAME, Secret("generated here"))
    joined(stack)
    stack.surroundings().vault.set(NAME, Secret("from somebody else"))
    assert stack.plan().actions == ()
    assert runs_with(stack) == "generated here"


def test_a_rotation_keeps_what_people_share_and_counts_from_then_on(stack: mlox.Stack) -> None:
    joined(stack)
    stack.rotate(NAME)
    new = runs_with(stack)
    assert new not in ("chosen by a person", "")
    assert mlox.secrets.get(NAME).reveal() == new
    assert stack.surroundings().vault.get(NAME).reveal() == "chosen by a person"
    assert stack.plan().actions == ()


def test_a_purge_leaves_what_a_person_set_and_says_so(stack: mlox.Stack) -> None:
    joined(stack)
    stack.rotate(NAME)
    done = stack.down("cache", purge=True)
    assert done.notes == (f"{NAME} stays in the vault (remove it: {{mlox}} secrets remove {NAME})",)
    around = stack.surroundings()
    assert (has(around.vault), has(around.own)) == (True, False)
    stack.up()
    assert runs_with(stack) == "chosen by a person"


def test_a_purge_without_any_in_the_vault_says_nothing(stack: mlox.Stack) -> None:
    stack.surroundings().vault.delete(NAME)
    joined(stack)
    assert stack.down("cache", purge=True).notes == ()


def test_two_branches_that_set_it_are_told_before_anything_starts(
    machine: FakeBackend, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team(tmp_path_factory.mktemp("team"))
    anna = team.person("anna")
    monkeypatch.setenv("MLOX_DATA_HOME", str(anna.home))
    stack = mlox.Stack("churn", path=anna.clone)
    stack.add("redis", name="cache")
    vault = stack.surroundings().vault
    vault.set(NAME, Secret("first"))
    anna.push()
    git(anna.clone, "checkout", "-q", "-b", "other")
    vault.set(NAME, Secret("one"))
    anna.commit()
    git(anna.clone, "checkout", "-q", "main")
    vault.set(NAME, Secret("two"))
    anna.commit()
    git(anna.clone, "merge", "-q", "--no-edit", "other")
    with pytest.raises(SecretConflictError, match=NAME):
        stack.up()
    assert machine.observe() == ()


def test_settings_tell_which_store_it_is_in(stack: mlox.Stack, say: Say) -> None:
    joined(stack)
    assert "set by a person, store: vault" in say("why", "cache", "--settings").out
    stack.rotate(NAME)
    assert "store: user" in say("why", "cache", "--settings").out


def test_versions_are_found_in_the_store_that_has_them() -> None:
    own, shared = FakeSecretStore(), FakeSecretStore({NAME: "shared", "TOKEN": "mine"})
    store = ServiceStore(own, shared)
    version = str(shared.get(NAME).version)
    mine = store.set(NAME, Secret("own"))
    assert [store.get(NAME, v).reveal() for v in (None, mine, version)] == ["own", "own", "shared"]
    assert store.shared() == frozenset()
    store.delete(NAME)
    assert (store.get(NAME).reveal(), sorted(store.shared())) == ("shared", [NAME])
    assert [row.name for row in store.describe()] == [NAME]
