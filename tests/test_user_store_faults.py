"""The user's own secrets when a write fails, or when somebody deletes them meanwhile."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mlox.errors import SecretError, SecretNotFoundError
from mlox.secret import Secret
from tests.store_stage import user_store


def test_a_write_error_names_the_place_and_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = user_store(tmp_path)
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
    store = user_store(tmp_path)
    old = store.set("TOKEN", Secret("old"))
    replace = os.replace

    def after_a_delete(source: Path, target: Path) -> None:
        monkeypatch.undo()
        user_store(tmp_path).delete("TOKEN")
        replace(source, target)

    monkeypatch.setattr(os, "replace", after_a_delete)
    version = store.set("TOKEN", Secret("new"))
    assert store.get("TOKEN", version).reveal() == "new"
    with pytest.raises(SecretNotFoundError):
        store.get("TOKEN", old)


def test_a_write_that_is_deleted_under_its_hands_each_time_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = user_store(tmp_path)
    store.set("OTHER", Secret("other"))

    def gone(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(os, "replace", gone)
    with pytest.raises(SecretError, match="it is deleted again and again") as error:
        store.set("TOKEN", Secret("new"))
    assert error.value.hint == "End the program that deletes it, and set it again."
    assert store.names() == ("OTHER",)
