"""The user's own secrets on the disk: who can read the files, which names they have, many writers at once."""

from __future__ import annotations

import itertools
import os
import re
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pyrage
import pytest

from mlox.errors import IdentityError, SecretError
from mlox.secret import Secret
from mlox.secret_stores.user import UserStore

ROOT = Path(__file__).parents[1]


def store_in(home: Path) -> UserStore:
    return UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")


def identity_of(home: Path) -> Path:
    return home / "config" / "identity"


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_files_are_for_the_owner_alone_also_with_an_open_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store_in(tmp_path).set("TOKEN", Secret("hunter22"))
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert len(modes) == 7
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_folders_that_exist_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir(mode=0o750)
    store_in(tmp_path).set("TOKEN", Secret("hunter22"))
    assert stat.S_IMODE((tmp_path / "config").stat().st_mode) == 0o750


def test_no_file_holds_the_value_in_plain_and_nothing_is_left_over(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    for _ in range(3):
        store.set("TOKEN", Secret("hunter22-hunter22"))
    files = files_in(tmp_path)
    assert [path.suffix for path in files] == ["", ".age", ".age", ".age"]
    for path in files:
        assert b"hunter22" not in path.read_bytes()
    sealed = [path.read_bytes() for path in files[1:]]
    assert all(content.startswith(b"age-encryption.org/v1\n") for content in sealed)


def test_delete_leaves_no_file_of_the_secret(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.set("TOKEN", Secret("one"))
    store.set("TOKEN", Secret("two"))
    store.delete("TOKEN")
    assert files_in(tmp_path) == [identity_of(tmp_path)]
    assert list((tmp_path / "data" / "stack" / "secrets").iterdir()) == []


def test_names_that_differ_in_case_are_kept_apart_on_disks_that_ignore_case(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    names = ["".join(letters) for letters in itertools.product("aA", "bB", "_c", "dD")]
    for name in names:
        store.set(name, Secret(f"value of {name}"))
    assert store.names() == tuple(sorted(names))
    assert {store.get(name).reveal() for name in names} == {f"value of {name}" for name in names}
    folders = [path.name for path in (tmp_path / "data" / "stack" / "secrets").iterdir()]
    assert len({folder.lower() for folder in folders}) == len(names)


def test_the_longest_names_fit_into_a_file_name(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    name = "Aa" * 60
    store.set(name, Secret("value"))
    assert store.get(name).reveal() == "value"
    assert store.names() == (name,)


def test_what_is_not_ours_in_the_folder_is_no_secret(tmp_path: Path) -> None:
    store = store_in(tmp_path)
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
    store = store_in(tmp_path)
    store.set("TOKEN", Secret("old"))
    (file,) = files_in(tmp_path / "data")
    file.rename(file.with_name(file.name.replace("000001", "999999")))
    version = store.set("TOKEN", Secret("new"))
    assert store.get("TOKEN").version == version
    assert store.describe()[0].version == version


def test_a_damaged_file_is_told_and_other_versions_stay_readable(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    old = store.set("TOKEN", Secret("old"))
    store.set("TOKEN", Secret("new"))
    newest = files_in(tmp_path / "data")[-1]
    newest.write_bytes(newest.read_bytes()[:-3])
    with pytest.raises(SecretError, match=re.escape(f"{newest} is damaged")) as error:
        store.get("TOKEN")
    assert not isinstance(error.value, IdentityError)
    assert store.get("TOKEN", old).reveal() == "old"


def test_what_others_sealed_is_refused_where_it_is_not_text(tmp_path: Path) -> None:
    store = store_in(tmp_path)
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


WRITER = """
import sys
from pathlib import Path
from mlox.secret import Secret
from mlox.secret_stores.user import UserStore
home, number = Path(sys.argv[1]), sys.argv[2]
store = UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")
print("ready", flush=True)
sys.stdin.readline()
for count in range(25):
    name = "SHARED" if count % 5 else f"OWN_{number}"
    value = f"{number}:{count}"
    version = store.set(name, Secret(value))
    assert store.get(name, version).reveal() == value
    print(name, version, value, flush=True)
"""


def test_eight_processes_lose_no_version_and_agree_on_one_identity(tmp_path: Path) -> None:
    with ExitStack() as stack:
        writers = [stack.enter_context(process(WRITER, tmp_path, number)) for number in range(8)]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 8
    written = [tuple(line.split()) for output in outputs for line in output.splitlines()]
    assert len({version for _, version, _ in written}) == 200
    store = store_in(tmp_path)
    assert store.names() == (*(f"OWN_{number}" for number in range(8)), "SHARED")
    for name, version, value in written:
        assert store.get(name, version).reveal() == value
    lasts = [[row for row in map(str.split, output.splitlines()) if row[0] == "SHARED"][-1][1] for output in outputs]
    assert store.get("SHARED").version in lasts
    assert len(files_in(tmp_path)) == 201


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
    store = store_in(tmp_path)
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
