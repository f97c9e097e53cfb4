"""The vault when a process is killed, or the disk fails, at any step of what changes it."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyrage
import pytest

from mlox.errors import SecretError, SecretNotFoundError
from mlox.protocols import Recipient
from mlox.secret import Secret
from mlox.secret_stores.vault import VaultStore
from tests.disk_faults import failing_at, killed
from tests.vault_stage import BESIDE

pytestmark = pytest.mark.slow

VAULT = """\
from mlox.protocols import Recipient
from mlox.secret_stores.vault import VaultStore
vault = VaultStore(home / ".mlox", home / "identity", home / "agreed", beside={".gitignore": b"local/"})
"""


def vault_in(home: Path) -> VaultStore:
    return VaultStore(home / ".mlox", home / "identity", home / "agreed", beside=BESIDE)


def bob() -> tuple[pyrage.x25519.Identity, Recipient]:
    key = pyrage.x25519.Identity.generate()
    return key, Recipient(str(key.to_public()), "bob")


def test_a_kill_at_any_step_of_the_first_write_leaves_all_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "template").mkdir()
    seen = []
    for home in killed(tmp_path, tmp_path / "template", f'{VAULT}vault.set("TOKEN", Secret("new"))'):
        vault = vault_in(home)
        seen.append(vault.names())
        if vault.names():
            assert vault.get("TOKEN").reveal() == "new"
        version = vault.set("TOKEN", Secret("after"))
        assert vault.get("TOKEN").version == version
        assert vault.get("TOKEN").reveal() == "after"
        assert len(vault.sharing.recipients()) == 1
        assert not vault.sharing.changes()
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((), ("TOKEN",))


def test_a_kill_at_any_step_of_a_write_leaves_the_old_value_or_the_new(tmp_path: Path) -> None:
    old = vault_in(tmp_path / "template").set("TOKEN", Secret("old"))
    seen = []
    for home in killed(tmp_path, tmp_path / "template", f'{VAULT}vault.set("TOKEN", Secret("new"))'):
        vault = vault_in(home)
        seen.append(vault.get("TOKEN").reveal())
        assert vault.get("TOKEN", old).reveal() == "old"
        version = vault.set("TOKEN", Secret("after"))
        assert vault.get("TOKEN").version == version
    assert set(seen) == {"old", "new"}
    assert seen == sorted(seen, reverse=True)


def test_a_kill_at_any_step_of_a_delete_leaves_every_version_or_none(tmp_path: Path) -> None:
    vault = vault_in(tmp_path / "template")
    vault.set("OTHER", Secret("other"))
    versions = [vault.set("TOKEN", Secret(value)) for value in ("one", "two")]
    seen = []
    for home in killed(tmp_path, tmp_path / "template", f'{VAULT}vault.delete("TOKEN")'):
        vault = vault_in(home)
        seen.append("TOKEN" in vault.names())
        if seen[-1]:
            assert [vault.get("TOKEN", version).reveal() for version in versions] == ["one", "two"]
            vault.delete("TOKEN")
        else:
            vault.delete("OTHER")  # any delete clears what the killed one left
            assert list((home / ".mlox" / "secrets").iterdir()) == []
        with pytest.raises(SecretNotFoundError):
            vault.get("TOKEN")
    assert set(seen) == {True, False}
    assert seen == sorted(seen, reverse=True)


def test_after_a_kill_at_any_step_of_a_share_the_same_share_completes_it(tmp_path: Path) -> None:
    vault = vault_in(tmp_path / "template")
    for name in ("ONE", "TWO"):
        vault.set(name, Secret(name))
    key, recipient = bob()
    act = f'{VAULT}vault.sharing.share(Recipient("{recipient.key}", "bob"))'
    for home in killed(tmp_path, tmp_path / "template", act):
        vault = vault_in(home)
        assert [vault.get(name).reveal() for name in ("ONE", "TWO")] == ["ONE", "TWO"]
        vault.sharing.share(recipient)
        assert not vault.sharing.changes()
        (home / "identity").write_text(f"{key}\n")
        assert [vault_in(home).get(name).reveal() for name in ("ONE", "TWO")] == ["ONE", "TWO"]


def test_after_a_kill_at_any_step_of_an_unshare_nothing_is_sealed_for_the_leaver_unasked(tmp_path: Path) -> None:
    vault = vault_in(tmp_path / "template")
    vault.set("ONE", Secret("one"))
    _, recipient = bob()
    vault.sharing.share(recipient)
    act = f'{VAULT}vault.sharing.unshare(Recipient("{recipient.key}", "bob"))'
    for home in killed(tmp_path, tmp_path / "template", act):
        vault = vault_in(home)
        vault.sharing.unshare(recipient)
        assert not vault.sharing.changes()
        vault.set("ONE", Secret("two"))
        assert len(vault.describe()[0].readers) == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("old", [None, "old"], ids=["first-write", "later-write"])
def test_a_full_disk_at_any_step_raises_and_keeps_the_old_value(tmp_path: Path, code: int, old: str | None) -> None:
    errors: list[SecretError] = []
    for number in itertools.count():
        vault = vault_in(tmp_path / str(number))
        version = vault.set("TOKEN", Secret(old)) if old else None
        with pytest.MonkeyPatch.context() as patch:
            reached = failing_at(patch, number, code)
            try:
                version = vault.set("TOKEN", Secret("new"))
            except SecretError as error:
                errors.append(error)
        vault = vault_in(tmp_path / str(number))
        assert (vault.get("TOKEN").version if vault.names() else None) == version
        vault.set("TOKEN", Secret("after"))
        assert vault.get("TOKEN").reveal() == "after"
        if not reached():
            break
    assert len(errors) > 4
    for raised in errors:
        assert os.strerror(code) in str(raised)
        assert raised.hint
        assert "new" not in raised.problem.replace("new version", "")


@pytest.mark.parametrize("verb", ["share", "unshare", "join", "delete"])
def test_a_full_disk_at_any_step_of_the_other_writes_is_told_and_a_second_try_completes(
    tmp_path: Path, verb: str
) -> None:
    errors = 0
    for number in itertools.count():
        home = tmp_path / str(number)
        vault = vault_in(home)
        vault.set("TOKEN", Secret("value"))
        _, recipient = bob()
        if verb == "unshare":
            vault.sharing.share(recipient)
        if verb == "join":
            (home / "identity").unlink()
        acts: dict[str, Callable[[], object]] = {
            "share": partial(vault.sharing.share, recipient),
            "unshare": partial(vault.sharing.unshare, recipient),
            "join": partial(vault.sharing.join, "carl"),
            "delete": partial(vault.delete, "TOKEN"),
        }
        act = acts[verb]
        with pytest.MonkeyPatch.context() as patch:
            reached = failing_at(patch, number, errno.ENOSPC)
            try:
                act()
            except SecretError as error:
                errors += 1
                assert error.hint
                if verb != "delete" or vault.names():
                    patch.undo()
                    act()
        if verb != "delete":
            assert not vault_in(home).sharing.changes() or verb == "join"
        assert {"carl"} == {each.name for each in vault.sharing.requests()} or verb != "join"
        assert vault.names() == (() if verb == "delete" else ("TOKEN",))
        if not reached():
            break
    assert errors > 1
