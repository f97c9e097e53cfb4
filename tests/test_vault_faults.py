"""The vault when a process is killed, or the disk fails, at any step of what changes who reads it."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyrage
import pytest

from mlox.errors import SecretError
from mlox.protocols import Recipient
from mlox.secret import Secret
from tests.disk_faults import failing_at, killed
from tests.store_stage import VAULT, vault_store

pytestmark = pytest.mark.slow


def bob() -> tuple[pyrage.x25519.Identity, Recipient]:
    key = pyrage.x25519.Identity.generate()
    return key, Recipient(str(key.to_public()), "bob")


def test_after_a_kill_at_any_step_of_a_share_the_same_share_completes_it(tmp_path: Path) -> None:
    vault = vault_store(tmp_path / "template")
    for name in ("ONE", "TWO"):
        vault.set(name, Secret(name))
    key, recipient = bob()
    act = f'{VAULT.code}store.sharing.share(Recipient("{recipient.key}", "bob"))'
    for home in killed(tmp_path, tmp_path / "template", act):
        vault = vault_store(home)
        assert [vault.get(name).reveal() for name in ("ONE", "TWO")] == ["ONE", "TWO"]
        vault.sharing.share(recipient)
        assert not vault.sharing.changes()
        (home / "identity").write_text(f"{key}\n")
        assert [vault_store(home).get(name).reveal() for name in ("ONE", "TWO")] == ["ONE", "TWO"]


def test_after_a_kill_at_any_step_of_an_unshare_nothing_is_sealed_for_the_leaver_unasked(tmp_path: Path) -> None:
    vault = vault_store(tmp_path / "template")
    vault.set("ONE", Secret("one"))
    _, recipient = bob()
    vault.sharing.share(recipient)
    act = f'{VAULT.code}store.sharing.unshare(Recipient("{recipient.key}", "bob"))'
    for home in killed(tmp_path, tmp_path / "template", act):
        vault = vault_store(home)
        vault.sharing.unshare(recipient)
        assert not vault.sharing.changes()
        vault.set("ONE", Secret("two"))
        assert len(vault.describe()[0].readers) == 1


@pytest.mark.parametrize("verb", ["share", "unshare", "join", "delete"])
def test_a_full_disk_at_any_step_of_the_other_writes_is_told_and_a_second_try_completes(
    tmp_path: Path, verb: str
) -> None:
    errors = 0
    for number in itertools.count():
        home = tmp_path / str(number)
        vault = vault_store(home)
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
            assert not vault_store(home).sharing.changes() or verb == "join"
        assert {"carl"} == {each.name for each in vault.sharing.requests()} or verb != "join"
        assert vault.names() == (() if verb == "delete" else ("TOKEN",))
        if not reached():
            break
    assert errors > 1
