"""Several stores as one: their order, the one that fails or is too slow, and where a write goes."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from mlox.errors import IdentityError, SecretError, SecretNotFoundError, UnknownNameError, UsageError
from mlox.secret import Secret
from mlox.secret_stores.chain import Chain
from mlox.secret_stores.env import EnvironmentStore
from mlox.testing import FakeSecretStore


class Named(FakeSecretStore):
    """A fake with a name of its own."""

    def __init__(self, name: str, values: Mapping[str, str] | None = None) -> None:
        super().__init__(values)
        self.name = name


class Slow(Named):
    """It does not answer before it is let go."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.go = threading.Event()

    def get(self, name: str, version: str | None = None) -> Secret:
        self.go.wait(30)
        return super().get(name, version)


class Closed(Named):
    """Its identity is broken."""

    def get(self, name: str, version: str | None = None) -> Secret:
        raise IdentityError("the identity is broken", hint="Mend it.")


def chain(*stores: FakeSecretStore, env: Mapping[str, str] | None = None, chosen: str = "vault") -> Chain:
    variables = {f"MLOX_SECRET_{name}": value for name, value in (env or {}).items()}
    return Chain((EnvironmentStore(variables), *stores), lambda _: chosen, limit_s=0.2)


def test_the_first_store_that_has_it_gives_it() -> None:
    made = chain(Named("vault", {"A": "v", "B": "v"}), Named("user", {"A": "u", "B": "u", "C": "u"}), env={"A": "e"})
    assert {name: made.find(name)[0] for name in "ABC"} == {"A": "env", "B": "vault", "C": "user"}
    assert [made.get(name).reveal() for name in "ABC"] == ["e", "v", "u"]
    assert made.names() == ("A", "B", "C")
    assert [store for store, row in made.rows() if row.name == "A"] == ["env", "vault", "user"]
    assert made.find("A", store="user")[1].reveal() == "u"
    assert made.before("A", "user") == ("env", "vault")


def test_a_version_is_found_in_the_store_that_gave_it() -> None:
    vault, user = Named("vault", {"A": "v"}), Named("user", {"A": "u"})
    made = chain(vault, user, env={"A": "e"})
    assert made.find("A", user.get("A").version) == ("user", Secret("u"))
    with pytest.raises(SecretNotFoundError, match="secret 'A' has no version 'nope'"):
        made.get("A", "nope")


def test_a_failing_store_is_named_and_what_stands_behind_it_is_not_asked() -> None:
    made = chain(Closed("vault", {"A": "v"}), Named("user", {"A": "u"}), env={"B": "e"})
    with pytest.raises(IdentityError, match="^vault: the identity is broken$") as error:
        made.get("A")
    assert error.value.hint == "Mend it."
    assert made.get("B").reveal() == "e"


def test_a_slow_store_is_named_and_not_passed_over() -> None:
    slow = Slow("vault")
    made = chain(slow, Named("user", {"A": "u"}), env={"B": "e"})
    with pytest.raises(SecretError, match=r"^vault: no answer within 0\.2 s") as error:
        made.get("A")
    assert error.value.hint
    assert made.get("B").reveal() == "e"
    slow.go.set()


def test_a_store_that_breaks_off_is_a_defect_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlox.errors import InternalError

    class Defect(Named):
        def get(self, name: str, version: str | None = None) -> Secret:
            raise ZeroDivisionError(name)

    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    with pytest.raises(InternalError, match="the secret store vault broke off"):
        chain(Defect("vault"), Named("user", {"A": "u"})).get("A")
    assert len(seen) == 1


def test_a_write_goes_to_one_store_or_to_none() -> None:
    vault, user = Named("vault"), Named("user")
    made = chain(vault, user)
    version = made.set("A", Secret("one"))
    assert (vault.get("A", version).reveal(), user.names()) == ("one", ())
    made.set("A", Secret("mine"), store="user")
    assert (vault.get("A").reveal(), user.get("A").reveal()) == ("one", "mine")
    vault.failure = "No space left on device"
    with pytest.raises(SecretError, match="No space left"):
        made.set("B", Secret("two"))
    assert made.names() == ("A",)
    with pytest.raises(UsageError, match="B cannot be changed in env, which is only read"):
        made.set("B", Secret("two"), store="env")
    with pytest.raises(UnknownNameError):
        made.set("B", Secret("two"), store="vualt")


def test_a_delete_asks_where_two_stores_have_it() -> None:
    vault, user = Named("vault", {"A": "v", "B": "v"}), Named("user", {"A": "u"})
    made = chain(vault, user, env={"B": "e", "E": "e"})
    with pytest.raises(UsageError, match="A is in vault and user") as error:
        made.delete("A")
    assert error.value.hint == "Choose one: --store vault."
    made.delete("A", store="user")
    made.delete("A")
    made.delete("B")
    assert (vault.names(), user.names(), made.names()) == ((), (), ("B", "E"))
    with pytest.raises(UsageError, match="E cannot be changed in env"):
        made.delete("E")
    with pytest.raises(SecretNotFoundError) as missing:
        made.delete("EE")
    assert missing.value.hint == "Did you mean 'E'?"
