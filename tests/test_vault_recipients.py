"""Who can read the vault: letting in and out, lists that others changed, and keys that do not fit."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest

from mlox.errors import (
    IdentityError,
    RecipientsChangedError,
    SecretError,
)
from mlox.protocols import Recipient
from mlox.secret import Secret
from tests.vault_stage import Person, Team


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def stranger(name: str = "mallory") -> Recipient:
    return Recipient(str(pyrage.x25519.Identity.generate().to_public()), name)


def listed(person: Person) -> Path:
    return person.clone / ".mlox" / "recipients"


# In and out


def test_a_colleague_asks_is_let_in_and_reads(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22", OTHER="more")
    bob = team.person("bob")
    bob.pull()
    with pytest.raises(IdentityError, match="there is no identity at") as error:
        bob.get("TOKEN")
    assert "mlox secrets join" in str(error.value.hint)
    me, path = bob.vault.sharing.join("bob")
    assert path == bob.clone / ".mlox" / "requests" / "bob"
    with pytest.raises(IdentityError, match="'TOKEN' was not sealed for you, but for") as error:
        bob.get("TOKEN")
    with pytest.raises(IdentityError, match="you are not among the recipients"):
        bob.vault.set("MINE", Secret("value"))
    bob.push()
    anna.pull()
    assert anna.vault.sharing.requests() == (me,)
    version = anna.vault.describe()[1].version
    done = anna.vault.sharing.share(anna.vault.sharing.find("bob"))
    assert done.names == ("OTHER", "TOKEN")
    assert anna.vault.sharing.requests() == ()
    assert anna.vault.describe()[1].version == version  # a version sealed again is the same one: no plan changes
    assert anna.vault.describe()[1].readers == ("you", "bob")
    anna.push()
    bob.pull()
    assert bob.get("TOKEN") == "hunter22"
    assert bob.vault.sharing.join("bob") == (me, None)


def test_sharing_again_writes_nothing(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    team.member("bob", anna)
    before = sorted(anna.clone.rglob("*"))
    assert anna.vault.sharing.share(anna.vault.sharing.find("bob")).names == ()
    assert sorted(anna.clone.rglob("*")) == before


def test_what_the_leaver_could_read_is_named_and_new_values_are_not_for_them(team: Team) -> None:
    anna = team.founder(OLD="old", KEPT="kept")
    bob = team.member("bob", anna)
    found = anna.vault.sharing.find("bob")
    anna.set("OLD", "changed")
    leaver = anna.vault.sharing.unshare(found)
    assert (leaver.could_read, leaver.newest) == (("KEPT", "OLD"), ("KEPT", "OLD"))
    anna.set("OLD", "changed again")
    anna.set("NEW", "new")
    assert anna.vault.sharing.unshare(found, dry_run=True).newest == ("KEPT",)
    assert {row.name: row.readers for row in anna.vault.describe()} == {
        "KEPT": ("you", "bob"),
        "NEW": ("you",),
        "OLD": ("you",),
    }
    anna.push()
    bob.pull()
    assert bob.get("KEPT") == "kept"
    for name in ("OLD", "NEW"):
        with pytest.raises(IdentityError, match="was not sealed for you, but for"):
            bob.get(name)
    with pytest.raises(IdentityError, match="you are not among the recipients"):
        bob.vault.set("KEPT", Secret("of bob"))


def test_the_last_recipient_stays(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    (me,) = anna.vault.sharing.recipients()
    with pytest.raises(SecretError, match="is the only recipient"):
        anna.vault.sharing.unshare(me)


def test_a_secret_that_the_sharer_cannot_read_is_named_and_the_others_are_shared(team: Team) -> None:
    anna = team.founder(OLD="old")
    bob = team.person("bob")
    bob.pull()
    me, _ = bob.vault.sharing.join("bob")
    anna.vault.sharing.agree([*anna.vault.sharing.recipients(), me])
    listed(anna).write_text(f"{listed(anna).read_text()}# bob\n{me.key}\n")  # by hand: nothing is sealed again
    anna.set("NEW", "new")
    anna.push()
    bob.pull()
    bob.vault.sharing.agree(bob.vault.sharing.recipients())
    done = bob.vault.sharing.share(stranger("carl"))
    assert (done.names, done.unreadable) == (("NEW",), ("OLD",))


# Lists that others changed


def test_an_added_recipient_stops_every_write_until_agreed_by_name(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    mallory = stranger()
    listed(anna).write_text(f"{listed(anna).read_text()}# mallory\n{mallory.key}\n")
    files = sorted(anna.clone.rglob("*.age"))
    for act in (
        lambda: anna.vault.set("TOKEN", Secret("new")),
        lambda: anna.vault.set("NEW", Secret("new")),
        lambda: anna.vault.sharing.share(stranger("bob")),
        lambda: anna.vault.sharing.unshare(anna.vault.sharing.recipients()[0]),
    ):
        with pytest.raises(RecipientsChangedError, match=r"mallory \(age1.*\) was added; nothing was written") as error:
            act()
        assert error.value.hint == (
            "If that is right: mlox secrets share mallory; if not: mlox secrets unshare mallory"
        )
    assert sorted(anna.clone.rglob("*.age")) == files
    assert anna.get("TOKEN") == "hunter22"
    anna.vault.sharing.unshare(mallory)
    anna.set("TOKEN", "new")
    assert anna.vault.describe()[0].readers == ("you",)


def test_another_key_under_a_known_name_is_not_agreed_to_by_the_name(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    team.member("bob", anna)
    old, new = anna.vault.sharing.find("bob"), stranger("bob")
    listed(anna).write_text(listed(anna).read_text().replace(old.key, new.key))
    with pytest.raises(RecipientsChangedError) as error:
        anna.vault.set("TOKEN", Secret("new"))
    assert f"mlox secrets share '{new.key}'" in str(error.value.hint)
    with pytest.raises(SecretError, match="'bob' stands for 2 keys"):
        anna.vault.sharing.find("bob")


def test_a_removed_recipient_is_asked_about_too(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    team.member("bob", anna)
    bob = anna.vault.sharing.find("bob")
    text = listed(anna).read_text()
    listed(anna).write_text(text.replace(f"# bob\n{bob.key}\n", ""))
    with pytest.raises(RecipientsChangedError, match=r"bob \(age1.*\) was removed") as error:
        anna.vault.set("TOKEN", Secret("new"))
    assert error.value.hint == "If that is right: mlox secrets unshare bob"
    anna.vault.sharing.unshare(anna.vault.sharing.find("bob"))
    anna.set("TOKEN", "new")
    listed(anna).write_text(text)
    with pytest.raises(RecipientsChangedError, match=r"bob \(age1.*\) was added"):
        anna.vault.set("TOKEN", Secret("newer"))


@pytest.mark.parametrize("others", [0, 1])
def test_without_a_memory_only_the_users_own_key_is_trusted(team: Team, others: int) -> None:
    anna = team.founder(TOKEN="hunter22")
    if others:
        team.member("bob", anna)
    (anna.home / "agreed").unlink()
    if others:
        with pytest.raises(RecipientsChangedError, match=r": bob \(age1"):
            anna.vault.set("TOKEN", Secret("new"))
    else:
        anna.set("TOKEN", "new")


def test_a_list_without_the_user_is_not_written_for(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    mallory = stranger()
    listed(anna).write_text(f"{mallory.key}\n")
    with pytest.raises(IdentityError, match="you are not among the recipients"):
        anna.vault.set("TOKEN", Secret("new"))
    with pytest.raises(IdentityError, match="so you can let in nobody"):
        anna.vault.sharing.share(stranger("bob"))


def test_a_list_that_is_gone_is_taken_back_from_git(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    listed(anna).unlink()
    with pytest.raises(SecretError, match="is missing, so nobody can tell whom to seal for") as error:
        anna.vault.set("TOKEN", Secret("new"))
    assert error.value.hint == "Take it back from git: git checkout HEAD -- .mlox/recipients"
    assert anna.get("TOKEN") == "hunter22"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("age1nonsense", "not a whole age public key"),
        ("<<<<<<< HEAD", "not a public key"),
        ("ssh-rsa AAAAB3NzaC1yc2E me", "kind ssh-rsa; only age keys and ssh-ed25519 keys can be used"),
        ("ssh-ed25519 AAAA", "not a whole SSH public key"),
        ("\x1b[2J", "not a public key"),
    ],
)
def test_a_broken_list_is_named_with_its_line_and_kept(team: Team, line: str, said: str) -> None:
    anna = team.founder(TOKEN="hunter22")
    text = f"{listed(anna).read_text()}{line}\n"
    listed(anna).write_text(text)
    for act in (lambda: anna.vault.set("TOKEN", Secret("new")), lambda: anna.vault.sharing.share(stranger())):
        with pytest.raises(SecretError, match=said) as error:
            act()
        assert f"{listed(anna)}:3: " in error.value.problem
        assert "\x1b" not in error.value.problem
    assert listed(anna).read_text() == text
    assert anna.get("TOKEN") == "hunter22"


def test_comments_of_people_stay_in_the_list(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    listed(anna).write_text(f"# Who may read; ask anna first.\n\n{listed(anna).read_text().rstrip()}")
    before = listed(anna).read_text()
    bob = stranger("bob")
    anna.vault.sharing.share(bob)
    assert listed(anna).read_text() == f"{before}\n# bob\n{bob.key}\n"
    anna.vault.sharing.unshare(bob)
    assert listed(anna).read_text() == f"{before}\n"


def test_a_reader_list_that_somebody_changed_counts_as_unknown(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22")
    (record,) = (anna.clone / ".mlox" / "readers").iterdir()
    record.write_text(f"# bob\n{stranger().key}\n")
    assert anna.vault.describe()[0].readers == ("unknown",)
    assert anna.get("TOKEN") == "hunter22"
    anna.vault.sharing.share(stranger("bob"))
    assert anna.vault.sharing.unshare(anna.vault.sharing.find("bob")).could_read == ("TOKEN",)
