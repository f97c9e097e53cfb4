"""The vault on the disk: its files, links and damages, and many writers at once."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pyrage
import pytest

from mlox.errors import SecretConflictError, SecretError, SecretNotFoundError
from mlox.protocols import Recipient
from mlox.secret import Secret
from tests.vault_stage import Person, Team, git


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


# Files


def test_files_are_age_files_that_every_recipient_opens_and_nobody_else(team: Team) -> None:
    anna = team.founder(TOKEN="hunter22-hunter22")
    (file,) = (anna.clone / ".mlox" / "secrets").rglob("*.age")
    assert file.parent.name == "+token"
    assert file.name.startswith(anna.vault.describe()[0].version)
    assert b"hunter22" not in file.read_bytes()
    key = pyrage.x25519.Identity.from_str((anna.home / "identity").read_text().splitlines()[-1])
    assert pyrage.decrypt(file.read_bytes(), [key]) == b"hunter22-hunter22"
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(file.read_bytes(), [pyrage.x25519.Identity.generate()])
    committed = git(anna.clone, "ls-files").split()
    assert sorted(name for name in committed if not name.endswith(".age")) == [
        ".mlox/.gitattributes",
        ".mlox/.gitignore",
        next(name for name in committed if name.startswith(".mlox/readers/")),
        ".mlox/recipients",
    ]
    assert git(anna.clone, "check-attr", "merge", "binary", "--", str(file)).count(": unset") == 1


def test_what_a_killed_write_leaves_is_no_part_of_a_commit(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    folder = anna.clone / ".mlox" / "secrets"
    (folder / "+token" / ".x.age.1234abcd.tmp").write_bytes(b"half")
    (folder / ".deleted-1234").mkdir()
    (folder / ".deleted-1234" / "x.age").write_bytes(b"half")
    assert git(anna.clone, "status", "--porcelain") == ""
    assert anna.vault.names() == ("TOKEN",)


@pytest.mark.parametrize("where", ["secrets", "secrets/+other", "readers", "recipients"])
def test_a_link_that_leads_out_of_the_vault_is_not_followed_by_a_write(team: Team, where: str, tmp_path: Path) -> None:
    anna = team.founder(TOKEN="first")
    path, outside = anna.clone / ".mlox" / where, tmp_path / "outside"
    if path.is_dir() or path.exists():
        path.rename(outside)
    else:
        outside.mkdir()
    path.symlink_to(outside)
    before = sorted(outside.rglob("*")) if outside.is_dir() else outside.read_bytes()
    eve = Recipient(str(pyrage.x25519.Identity.generate().to_public()), "eve")
    act = partial(anna.vault.sharing.share, eve) if where == "recipients" else partial(anna.set, "OTHER", "value")
    with pytest.raises(SecretError, match="is a link"):
        act()
    assert (sorted(outside.rglob("*")) if outside.is_dir() else outside.read_bytes()) == before


def test_a_link_in_the_place_of_a_record_or_of_the_requests_is_not_followed(team: Team, tmp_path: Path) -> None:
    anna = team.founder(TOKEN="first")
    (record,) = (anna.clone / ".mlox" / "readers").iterdir()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    record.unlink()
    record.symlink_to(precious)
    with pytest.raises(SecretError, match="is a link"):
        anna.vault.set("TOKEN", Secret("second"))
    bob = team.person("bob")
    bob.pull()
    (bob.clone / ".mlox" / "requests").symlink_to(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SecretError, match="is a link"):
        bob.vault.sharing.join("bob")
    assert (precious.read_text(), sorted(tmp_path.iterdir())) == ("mine", before)


def test_files_that_are_not_ours_are_no_versions(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    folder = anna.clone / ".mlox" / "secrets" / "+token"
    version = anna.vault.describe()[0].version
    for name in ("notes.txt", f"{version}.age", "abc.age", f"{version}-99999999T999999Z-{'0' * 12}-0000.age"):
        (folder / name).write_text("x")
    (folder.parent / "README").write_text("x")
    (folder.parent / "empty").mkdir()
    assert anna.get("TOKEN") == "first"
    assert [row.name for row in anna.vault.describe()] == ["TOKEN"]


def test_a_ring_of_versions_is_a_conflict_and_the_next_set_ends_it(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    (file,) = (anna.clone / ".mlox" / "secrets" / "+token").iterdir()
    second = anna.set("TOKEN", "second")
    file.rename(file.with_name(f"{file.stem}-{second}.age"))
    with pytest.raises(SecretConflictError):
        anna.get("TOKEN")
    anna.set("TOKEN", "third")
    assert anna.get("TOKEN") == "third"


def test_a_vault_that_is_held_for_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    vault = Person("", tmp_path, tmp_path).vault
    vault.set("TOKEN", Secret("value"))
    monkeypatch.setattr("mlox.secret_stores.vault_files.WAIT_S", 0.05)
    descriptor = os.open(tmp_path / ".mlox" / "secrets", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for act in (lambda: vault.set("TOKEN", Secret("new")), lambda: vault.delete("TOKEN")):
            with pytest.raises(SecretError, match="another process has been at it for too long"):
                act()
    finally:
        os.close(descriptor)
    assert vault.get("TOKEN").reveal() == "value"
    with pytest.raises(SecretNotFoundError):
        vault.get("OTHER")
