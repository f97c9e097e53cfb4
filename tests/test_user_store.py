"""The user's own secrets on the disk: who can read the files, which names they have, many writers at once."""

from __future__ import annotations

import itertools
import os
import stat
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest

from mlox.errors import SecretError
from mlox.secret import Secret
from tests.disk_faults import ROOT
from tests.store_stage import files_in, identity_of, user_store


def test_files_are_for_the_owner_alone_also_with_an_open_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        user_store(tmp_path).set("TOKEN", Secret("hunter22"))
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert len(modes) == 7
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_folders_that_exist_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir(mode=0o750)
    user_store(tmp_path).set("TOKEN", Secret("hunter22"))
    assert stat.S_IMODE((tmp_path / "config").stat().st_mode) == 0o750


def test_no_file_holds_the_value_in_plain_and_nothing_is_left_over(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    for _ in range(3):
        store.set("TOKEN", Secret("hunter22-hunter22"))
    files = files_in(tmp_path)
    assert [path.suffix for path in files] == ["", ".age", ".age", ".age"]
    for path in files:
        assert b"hunter22" not in path.read_bytes()
    sealed = [path.read_bytes() for path in files[1:]]
    assert all(content.startswith(b"age-encryption.org/v1\n") for content in sealed)


def test_delete_leaves_no_file_of_the_secret(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("one"))
    store.set("TOKEN", Secret("two"))
    store.delete("TOKEN")
    assert files_in(tmp_path) == [identity_of(tmp_path)]
    assert list((tmp_path / "data" / "stack" / "secrets").iterdir()) == []


def test_names_that_differ_in_case_are_kept_apart_on_disks_that_ignore_case(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    names = ["".join(letters) for letters in itertools.product("aA", "bB", "_c", "dD")]
    for name in names:
        store.set(name, Secret(f"value of {name}"))
    assert store.names() == tuple(sorted(names))
    assert {store.get(name).reveal() for name in names} == {f"value of {name}" for name in names}
    folders = [path.name for path in (tmp_path / "data" / "stack" / "secrets").iterdir()]
    assert len({folder.lower() for folder in folders}) == len(names)


def test_the_longest_names_fit_into_a_file_name(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    name = "Aa" * 60
    store.set(name, Secret("value"))
    assert store.get(name).reveal() == "value"
    assert store.names() == (name,)


def test_what_is_not_ours_in_the_folder_is_no_secret(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("value"))
    folder = tmp_path / "data" / "stack" / "secrets"
    (folder / ".DS_Store").write_text("x")
    (folder / "README").write_text("x")
    (folder / "readme").write_text("x")
    (folder / "empty").mkdir()
    (folder / "+token" / "notes.txt").write_text("x")
    assert store.names() == ("TOKEN",)
    assert [one.name for one in store.describe()] == ["TOKEN"]
    assert store.get("TOKEN").reveal() == "value"


def test_the_newest_is_the_last_one_set_past_the_width_of_the_number(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("old"))
    (file,) = files_in(tmp_path / "data")
    file.rename(file.with_name(file.name.replace("000001", "999999")))
    version = store.set("TOKEN", Secret("new"))
    assert store.get("TOKEN").version == version
    assert store.describe()[0].version == version


def test_what_others_sealed_is_refused_where_it_is_not_text(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    store.set("TOKEN", Secret("old"))
    (file,) = files_in(tmp_path / "data")
    key = pyrage.x25519.Identity.from_str(identity_of(tmp_path).read_text().splitlines()[-1])
    file.write_bytes(pyrage.encrypt(b"hunter\xff\xfe", [key.to_public()]))
    with pytest.raises(SecretError, match="is not text") as error:
        store.get("TOKEN")
    assert error.value.__context__ is None


# Many at once


def process(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


DELETER = """
import sys
from pathlib import Path
from mlox.errors import SecretNotFoundError
from mlox.secret_stores.user import UserStore
home = Path(sys.argv[1])
store = UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")
print("ready", flush=True)
while not (home / "stop").exists():
    try:
        store.delete("TOKEN")
    except SecretNotFoundError:
        pass
"""


def test_a_set_beside_deletes_never_fails_and_leaves_whole_versions(tmp_path: Path) -> None:
    store = user_store(tmp_path)
    store.set("OTHER", Secret("other"))
    with process(DELETER, tmp_path) as deleter:
        assert deleter.stdout is not None
        assert deleter.stdout.readline() == "ready\n"
        try:
            for number in range(100):
                store.set("TOKEN", Secret(str(number)))
        finally:
            (tmp_path / "stop").touch()
    assert deleter.returncode == 0
    version = store.set("TOKEN", Secret("last"))
    assert store.get("TOKEN").version == version
    assert store.get("OTHER").reveal() == "other"
