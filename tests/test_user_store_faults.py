"""The user's own secrets when a process is killed, or the disk fails, at any step of a write or a delete."""

from __future__ import annotations

import errno
import itertools
import os
from pathlib import Path

import pytest

from mlox.errors import SecretError, SecretNotFoundError
from mlox.secret import Secret
from mlox.secret_stores.user import UserStore
from tests.disk_faults import failing_at, killed


def store_in(home: Path) -> UserStore:
    return UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# A kill at every step: a child for each n dies at the n-th call that changes the disk

STORE = """\
from mlox.secret_stores.user import UserStore
store = UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")
"""
SET = f'{STORE}store.set("TOKEN", Secret("new"))'
DELETE = f'{STORE}store.delete("TOKEN")'


def test_a_kill_at_any_step_of_the_first_write_leaves_all_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "template").mkdir()
    homes = killed(tmp_path, tmp_path / "template", SET)
    seen = []
    for home in homes:
        store = store_in(home)
        seen.append(store.names())
        if store.names():
            assert store.get("TOKEN").reveal() == "new"
        version = store.set("TOKEN", Secret("after"))
        assert store.get("TOKEN", version).reveal() == "after"
        assert store.get("TOKEN").version == version
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((), ("TOKEN",))


def test_a_kill_at_any_step_of_a_write_leaves_the_old_value_or_the_new(tmp_path: Path) -> None:
    old = store_in(tmp_path / "template").set("TOKEN", Secret("old"))
    seen = []
    for home in killed(tmp_path, tmp_path / "template", SET):
        store = store_in(home)
        seen.append(store.get("TOKEN").reveal())
        assert store.get("TOKEN", old).reveal() == "old"
        version = store.set("TOKEN", Secret("after"))
        assert store.get("TOKEN").version == version
    assert set(seen) == {"old", "new"}
    assert seen == sorted(seen, reverse=True)


def test_a_kill_at_any_step_of_a_delete_leaves_every_version_or_none(tmp_path: Path) -> None:
    store = store_in(tmp_path / "template")
    store.set("OTHER", Secret("other"))
    versions = [store.set("TOKEN", Secret(value)) for value in ("one", "two")]
    seen = []
    for home in killed(tmp_path, tmp_path / "template", DELETE):
        store = store_in(home)
        seen.append("TOKEN" in store.names())
        if seen[-1]:
            assert [store.get("TOKEN", version).reveal() for version in versions] == ["one", "two"]
            store.delete("TOKEN")
        else:
            store.delete("OTHER")  # any delete clears what the killed one left
            assert files_in(home / "data") == []
        with pytest.raises(SecretNotFoundError):
            store.get("TOKEN")
    assert set(seen) == {True, False}
    assert seen == sorted(seen, reverse=True)


# A failure at every step


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("old", [None, "old"], ids=["first-write", "later-write"])
def test_a_full_disk_at_any_step_raises_and_keeps_the_old_value(tmp_path: Path, code: int, old: str | None) -> None:
    errors: list[SecretError] = []
    for number in itertools.count():
        store = store_in(tmp_path / str(number))
        version = store.set("TOKEN", Secret(old)) if old else None
        with pytest.MonkeyPatch.context() as patch:
            reached = failing_at(patch, number, code)
            try:
                version = store.set("TOKEN", Secret("new"))
            except SecretError as error:  # most steps raise; those that only tidy up do not
                errors.append(error)
        assert (store.get("TOKEN").version if store.names() else None) == version
        store.set("TOKEN", Secret("after"))
        assert store.get("TOKEN").reveal() == "after"
        if not reached():
            break
    assert len(errors) > 4
    for raised in errors:
        assert os.strerror(code) in str(raised)
        assert raised.hint


def test_a_write_error_names_the_place_and_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_in(tmp_path)
    store.set("TOKEN", Secret("old"))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(
        SecretError, match=f"cannot write secret 'TOKEN' in {tmp_path}.*: No space left on device"
    ) as error:
        store.set("TOKEN", Secret("new"))
    assert error.value.hint == "Make the folder writable, or free some space; the secret is as it was."
    assert isinstance(error.value.__cause__, OSError)


def test_a_write_whose_secret_is_deleted_between_two_steps_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_in(tmp_path)
    old = store.set("TOKEN", Secret("old"))
    replace = os.replace

    def after_a_delete(source: Path, target: Path) -> None:
        monkeypatch.undo()
        store_in(tmp_path).delete("TOKEN")
        replace(source, target)

    monkeypatch.setattr(os, "replace", after_a_delete)
    version = store.set("TOKEN", Secret("new"))
    assert store.get("TOKEN", version).reveal() == "new"
    with pytest.raises(SecretNotFoundError):
        store.get("TOKEN", old)


def test_a_write_that_is_deleted_under_its_hands_each_time_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_in(tmp_path)
    store.set("OTHER", Secret("other"))

    def gone(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(os, "replace", gone)
    with pytest.raises(SecretError, match="it is deleted again and again") as error:
        store.set("TOKEN", Secret("new"))
    assert error.value.hint == "End the program that deletes it, and set it again."
    assert store.names() == ("OTHER",)
