"""Who asks to be let into the vault: names, requests, keys that are lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyrage
import pytest

from mlox.errors import IdentityError, SecretConflictError, SecretError, UnknownNameError
from mlox.protocols import Recipient
from mlox.secret import Secret
from tests.vault_stage import Team


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def stranger(name: str = "mallory") -> Recipient:
    return Recipient(str(pyrage.x25519.Identity.generate().to_public()), name)


def test_a_name_never_stands_for_two_people(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    team.member("bob", anna)
    with pytest.raises(SecretError, match="'bob' is age1.* already"):
        anna.vault.sharing.find(stranger().key, "bob")
    carl = team.person("carl")
    carl.pull()
    with pytest.raises(SecretError, match="'bob' is age1.* already") as error:
        carl.vault.sharing.join("bob")
    assert "--name" in str(error.value.hint)
    for name in ("../bob", "", "a b", ".bob", "x" * 61):
        with pytest.raises(SecretError, match="cannot be the name of a recipient"):
            carl.vault.sharing.join(name)
    with pytest.raises(UnknownNameError) as unknown:
        anna.vault.sharing.find("bbo")
    assert unknown.value.hint == "Did you mean 'bob'?"


def test_a_request_under_the_name_of_a_recipient_is_not_taken_for_them(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    team.member("bob", anna)
    requests = anna.clone / ".mlox" / "requests"
    requests.mkdir(exist_ok=True)
    (requests / "bob").write_text(f"{stranger().key}\n")
    with pytest.raises(SecretError, match="'bob' stands for 2 keys"):
        anna.vault.sharing.find("bob")


def test_where_there_is_no_vault_nobody_can_join(team: Team) -> None:
    with pytest.raises(SecretError, match="no vault here yet"):
        team.person("anna").vault.sharing.join("anna")


def test_a_lost_identity_is_not_replaced_by_the_next_secret(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    (anna.home / "identity").unlink()
    with pytest.raises(IdentityError, match="there is no identity"):
        anna.vault.set("TOKEN", Secret("new"))
    assert not (anna.home / "identity").exists()


def test_a_conflict_is_shared_with_all_its_values(team: Team) -> None:
    anna = team.founder(TOKEN="one")
    bob = team.member("bob", anna)
    anna.set("TOKEN", "of anna")
    bob.set("TOKEN", "of bob")
    bob.push()
    anna.pull()
    carl = team.person("carl")
    shutil.copy(bob.home / "identity", carl.home / "identity")
    anna.push()
    carl.pull()
    with pytest.raises(SecretConflictError) as error:
        carl.get("TOKEN")
    assert {carl.get("TOKEN", version) for version in error.value.versions} == {"of anna", "of bob"}
    dora = stranger("dora")
    assert anna.vault.sharing.share(dora).names == ("TOKEN",)
    assert anna.vault.sharing.unshare(dora).newest == ("TOKEN",)
