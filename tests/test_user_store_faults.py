"""The user's own secrets when a process is killed, or the disk fails, at any step of a write or a delete."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlox.errors import SecretError, SecretNotFoundError
from mlox.secret import Secret
from mlox.secret_stores.user import UserStore

ROOT = Path(__file__).parents[1]
STEPS = ("open", "mkdir", "fchmod", "fsync", "link", "replace", "rename", "unlink", "rmdir")
"""The functions of ``os`` through which the store changes the disk."""


def store_in(home: Path) -> UserStore:
    return UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# A kill at every step: a child for each n dies at the n-th call that changes the disk

KILLER = """
import os, shutil, sys
from pathlib import Path
from mlox.secret import Secret
from mlox.secret_stores.user import UserStore
template, homes, verb, steps = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4].split(",")

def act(home, left):
    def dying(function):
        def call(*arguments, **options):
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return function(*arguments, **options)
        return call
    for step in steps:
        setattr(os, step, dying(getattr(os, step)))
    store = UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")
    store.set("TOKEN", Secret("new")) if verb == "set" else store.delete("TOKEN")
    os._exit(0)

for number in range(200):
    home = homes / f"{number:03d}"
    shutil.copytree(template, home)
    if (child := os.fork()) == 0:
        act(home, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 9:
        sys.exit(code)
"""


def killed(tmp_path: Path, template: Path, verb: str) -> list[Path]:
    """Homes in which ``verb`` was killed at the first, second, ... step; in the last one it came to its end."""
    homes = tmp_path / "homes"
    homes.mkdir()
    command = [sys.executable, "-c", KILLER, str(template), str(homes), verb, ",".join(STEPS)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    found = sorted(homes.iterdir())
    assert len(found) > 5
    return found


def test_a_kill_at_any_step_of_the_first_write_leaves_all_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "template").mkdir()
    homes = killed(tmp_path, tmp_path / "template", "set")
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
    for home in killed(tmp_path, tmp_path / "template", "set"):
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
    for home in killed(tmp_path, tmp_path / "template", "delete"):
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


def failing_at(monkeypatch: pytest.MonkeyPatch, number: int, code: int) -> Callable[[], bool]:
    """Make the ``number``-th call that changes the disk fail, and no other; the answer tells whether it was reached."""
    calls = itertools.count()
    reached = False

    def failing(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal reached
            if next(calls) == number:
                reached = True
                raise OSError(code, os.strerror(code))
            return function(*arguments, **options)

        return call

    for step in STEPS:
        monkeypatch.setattr(os, step, failing(getattr(os, step)))
    return lambda: reached


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
