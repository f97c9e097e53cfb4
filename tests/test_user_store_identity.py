"""The user's age identity: made once, used as it is, and never replaced, however broken it is."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from mlox.errors import IdentityError, SecretError, SecretNotFoundError
from mlox.secret import Secret
from tests.store_stage import files_in, identity_of, user_store


def test_the_first_write_makes_an_identity_that_age_can_read(tmp_path: Path) -> None:
    user_store(tmp_path).set("TOKEN", Secret("hunter22"))
    created, public, secret = identity_of(tmp_path).read_text().splitlines()
    key = pyrage.x25519.Identity.from_str(secret)
    assert created.startswith("# created: 20")
    assert public == f"# public key: {key.to_public()}"
    assert pyrage.decrypt(files_in(tmp_path / "data")[0].read_bytes(), [key]) == b"hunter22"


def test_looking_makes_no_identity_and_no_folder(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    store.names()
    store.describe()
    for act in (store.get, store.delete):
        with pytest.raises(SecretNotFoundError):
            act("TOKEN")
    with pytest.raises(SecretError):
        store.set("TOKEN", Secret(""))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["{}", "{}\r\n", "\ufeff{}\n", "\n  # mine\n\n  {}  \n"])
def test_an_identity_that_is_there_is_used_as_it_is(tmp_path: Path, form: str) -> None:
    identity, content = identity_of(tmp_path), form.format(pyrage.x25519.Identity.generate()).encode()
    identity.parent.mkdir()
    identity.write_bytes(content)
    identity.chmod(0o600)
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("value"))
    assert store.get("TOKEN").reveal() == "value"
    assert identity.read_bytes() == content


def test_a_first_write_beside_another_first_write_uses_the_identity_of_the_quicker_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def after_another_wrote(path: Path) -> object:
        monkeypatch.undo()
        user_store(tmp_path).set("FIRST", Secret("first"))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", after_another_wrote)  # between "is there an identity" and "are there secrets"
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("value"))
    assert [store.get(name).reveal() for name in ("FIRST", "TOKEN")] == ["first", "value"]


def garbage(path: Path) -> None:
    path.write_text("hunter22 is no key\n")


def shortened(path: Path) -> None:
    path.write_text(path.read_text()[:-20])


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(128, 256)))


def empty(path: Path) -> None:
    path.write_text("")


def comments(path: Path) -> None:
    path.write_text("# public key: age1...\n\n")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def group_readable(path: Path) -> None:
    path.chmod(0o640)


def world_readable(path: Path) -> None:
    path.chmod(0o604)


def under_a_file(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("a file")


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("elsewhere"))


def missing(path: Path) -> None:
    path.unlink()


BREAKS = {
    garbage: ("is broken: line 1 is not an age secret key", "Restore it from your backup"),
    shortened: ("is broken: line 3 is not an age secret key", "mlox does not overwrite it"),
    binary: ("is broken: line 1 is not an age secret key", "Restore it from your backup"),
    empty: ("is broken: it holds no key", "Restore it from your backup"),
    comments: ("is broken: it holds no key", "Restore it from your backup"),
    folder: ("is broken: it is a folder", "Restore it from your backup"),
    pipe: ("is broken: it is not a regular file", "Restore it from your backup"),
    group_readable: (r"is open to other users \(mode 0640\)", "chmod 600"),
    world_readable: (r"is open to other users \(mode 0604\)", "chmod 600"),
    under_a_file: ("identity", ""),
    dangling: ("there is no identity at", "cannot be read without it"),
    missing: ("there is no identity at", "Restore identity from your backup: the secrets cannot be read without it."),
}


@pytest.mark.parametrize(("damage", "said"), BREAKS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_identity_stops_reads_and_writes_and_is_left_alone(
    tmp_path: Path, damage: Callable[[Path], None], said: tuple[str, str]
) -> None:
    store = user_store(tmp_path)
    version = store.set("TOKEN", Secret("value"))
    identity, text = identity_of(tmp_path), identity_of(tmp_path).read_text()
    damage(identity)

    def everything() -> dict[Path, tuple[int, int]]:
        return {path: changed_at(path) for path in tmp_path.rglob("*")}

    before = everything()
    for act in (
        lambda: store.get("TOKEN"),
        lambda: store.set("TOKEN", Secret("new")),
        lambda: store.set("B", Secret("b")),
    ):
        with pytest.raises(IdentityError, match=said[0]) as error:
            act()
        assert said[1] in str(error.value.hint)
        assert error.value.hint
        assert "hunter22" not in str(error.value)
        assert "SECRET-KEY-1Q" not in str(error.value)
    assert everything() == before
    assert store.names() == ("TOKEN",)
    assert store.describe()[0].version == version
    put_back(identity, text)
    assert store.get("TOKEN").reveal() == "value"


def changed_at(path: Path) -> tuple[int, int]:
    return path.lstat().st_mode, path.lstat().st_ctime_ns


def put_back(identity: Path, text: str) -> None:
    if identity.is_dir():
        identity.rmdir()
    identity.unlink(missing_ok=True) if identity.parent.is_dir() else identity.parent.unlink()
    identity.parent.mkdir(exist_ok=True)
    identity.write_text(text)
    identity.chmod(0o600)


@pytest.mark.parametrize("damage", [garbage, empty, folder, world_readable])
def test_a_broken_identity_is_left_alone_also_where_there_is_no_secret_yet(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("value"))
    store.delete("TOKEN")
    damage(identity_of(tmp_path))
    before = changed_at(identity_of(tmp_path))
    with pytest.raises(IdentityError):
        store.set("TOKEN", Secret("value"))
    assert changed_at(identity_of(tmp_path)) == before


def test_an_identity_that_the_user_may_not_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("value"))
    opened = os.open

    def refuse(path: Path, *arguments: int, **options: int) -> int:
        if Path(path) == identity_of(tmp_path):  # root, who may run this, is refused nothing
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(IdentityError, match=r"cannot read the identity .*: Permission denied") as error:
        store.get("TOKEN")
    assert error.value.hint == "Make it readable to you alone, mode 600."


def test_another_key_does_not_open_and_adding_the_right_one_does(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("value"))
    identity, text = identity_of(tmp_path), identity_of(tmp_path).read_text()
    identity.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(IdentityError, match="was sealed for another key than those in") as error:
        store.get("TOKEN")
    assert error.value.hint == "Add the key that sealed it, from your backup, as a line of the identity file."
    identity.write_text(identity.read_text() + text)
    assert store.get("TOKEN").reveal() == "value"


def test_with_every_secret_deleted_a_lost_identity_can_be_made_anew(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("value"))
    identity_of(tmp_path).unlink()
    store.delete("TOKEN")
    store.set("TOKEN", Secret("new"))
    assert store.get("TOKEN").reveal() == "new"
