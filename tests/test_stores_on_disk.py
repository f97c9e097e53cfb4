"""Each store on the disk when a process is killed, or the disk fails, at any step; damaged files; many writers."""

from __future__ import annotations

import errno
import itertools
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from mlox.errors import IdentityError, SecretError, SecretNotFoundError
from mlox.secret import Secret
from mlox.secret_stores.vault import VaultStore
from tests.disk_faults import ROOT, failing_at, killed
from tests.store_stage import DiskStore, OnDisk, either, either_and_slow_in_the_vault, files_in


def assert_one_reader(store: DiskStore) -> None:
    """Nobody but who made it is to read the vault, and nothing of it is to be agreed to."""
    if isinstance(store, VaultStore):
        assert len(store.sharing.recipients()) == 1
        assert not store.sharing.changes()
        assert all(row.heads == () for row in store.describe())


# A kill at every step: a child for each n dies at the n-th call that changes the disk


@either_and_slow_in_the_vault
def test_a_kill_at_any_step_of_the_first_write_leaves_all_or_nothing(kind: OnDisk, tmp_path: Path) -> None:
    (tmp_path / "template").mkdir()
    seen = []
    for home in killed(tmp_path, tmp_path / "template", f'{kind.code}store.set("TOKEN", Secret("new"))'):
        store = kind.make(home)
        seen.append(store.names())
        if store.names():
            assert store.get("TOKEN").reveal() == "new"
        version = store.set("TOKEN", Secret("after"))
        assert store.get("TOKEN", version).reveal() == "after"
        assert store.get("TOKEN").version == version
        assert_one_reader(store)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((), ("TOKEN",))


@either_and_slow_in_the_vault
def test_a_kill_at_any_step_of_a_write_leaves_the_old_value_or_the_new(kind: OnDisk, tmp_path: Path) -> None:
    old = kind.make(tmp_path / "template").set("TOKEN", Secret("old"))
    seen = []
    for home in killed(tmp_path, tmp_path / "template", f'{kind.code}store.set("TOKEN", Secret("new"))'):
        store = kind.make(home)
        seen.append(store.get("TOKEN").reveal())
        assert store.get("TOKEN", old).reveal() == "old"
        version = store.set("TOKEN", Secret("after"))
        assert store.get("TOKEN").version == version
    assert set(seen) == {"old", "new"}
    assert seen == sorted(seen, reverse=True)


@either_and_slow_in_the_vault
def test_a_kill_at_any_step_of_a_delete_leaves_every_version_or_none(kind: OnDisk, tmp_path: Path) -> None:
    store = kind.make(tmp_path / "template")
    store.set("OTHER", Secret("other"))
    versions = [store.set("TOKEN", Secret(value)) for value in ("one", "two")]
    seen = []
    for home in killed(tmp_path, tmp_path / "template", f'{kind.code}store.delete("TOKEN")'):
        store = kind.make(home)
        seen.append("TOKEN" in store.names())
        if seen[-1]:
            assert [store.get("TOKEN", version).reveal() for version in versions] == ["one", "two"]
            store.delete("TOKEN")
        else:
            store.delete("OTHER")  # any delete clears what the killed one left
            assert list((home / kind.secrets).iterdir()) == []
        with pytest.raises(SecretNotFoundError):
            store.get("TOKEN")
    assert set(seen) == {True, False}
    assert seen == sorted(seen, reverse=True)


# A failure at every step


@either_and_slow_in_the_vault
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("old", [None, "old"], ids=["first-write", "later-write"])
def test_a_full_disk_at_any_step_raises_and_keeps_the_old_value(
    kind: OnDisk, tmp_path: Path, code: int, old: str | None
) -> None:
    errors: list[SecretError] = []
    for number in itertools.count():
        store = kind.make(tmp_path / str(number))
        version = store.set("TOKEN", Secret(old)) if old else None
        with pytest.MonkeyPatch.context() as patch:
            reached = failing_at(patch, number, code)
            try:
                version = store.set("TOKEN", Secret("the-n3w-value"))
            except SecretError as error:  # most steps raise; those that only tidy up do not
                errors.append(error)
        for each in (store, kind.make(tmp_path / str(number))):
            assert (each.get("TOKEN").version if each.names() else None) == version
        store.set("TOKEN", Secret("after"))
        assert store.get("TOKEN").reveal() == "after"
        if not reached():
            break
    assert len(errors) > 4
    for raised in errors:
        assert os.strerror(code) in str(raised)
        assert raised.hint
        assert "n3w" not in raised.problem


@either
def test_a_damaged_file_is_told_and_other_versions_stay_readable(kind: OnDisk, tmp_path: Path) -> None:
    store = kind.make(tmp_path)
    old = store.set("TOKEN", Secret("old"))
    new = store.set("TOKEN", Secret("new"))
    (file,) = (path for path in files_in(tmp_path / kind.secrets) if new in path.name)
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(SecretError, match=re.escape(f"{file} is damaged")) as error:
        store.get("TOKEN")
    assert not isinstance(error.value, IdentityError)
    assert store.get("TOKEN", old).reveal() == "old"


# Many at once

WRITER = """
import sys
from pathlib import Path
from mlox.secret import Secret
home, number = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
{code}
for count in range(25):
    name = "SHARED" if count % 5 else f"OWN_{{number}}"
    value = f"{{number}}:{{count}}"
    version = store.set(name, Secret(value))
    assert store.get(name, version).reveal() == value
    print(name, version, value, flush=True)
"""


@either
def test_eight_processes_lose_no_version_and_agree_on_one_identity(kind: OnDisk, tmp_path: Path) -> None:
    with ExitStack() as stack:
        writers = []
        for number in range(8):
            command = [sys.executable, "-c", WRITER.format(code=kind.code), str(tmp_path), str(number)]
            started = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=ROOT)
            writers.append(stack.enter_context(started))
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        outputs = [writer.communicate(timeout=120)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 8
    written = [tuple(line.split()) for output in outputs for line in output.splitlines()]
    assert len({version for _, version, _ in written}) == 200
    store = kind.make(tmp_path)
    assert store.names() == (*(f"OWN_{number}" for number in range(8)), "SHARED")
    for name, version, value in written:
        assert store.get(name, version).reveal() == value
    lasts = [[row for row in map(str.split, output.splitlines()) if row[0] == "SHARED"][-1][1] for output in outputs]
    assert store.get("SHARED").version in lasts
    assert len([path for path in files_in(tmp_path / kind.secrets) if path.suffix == ".age"]) == 200
    assert_one_reader(store)
