"""What every place for backups must do: keep files whole or not at all, list them, and say what is wrong."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from mlox.backup_stores.folder import FolderBackupStore
from mlox.backup_stores.s3 import PART_OF_UPLOAD, S3BackupStore
from mlox.errors import BackupError
from mlox.protocols import BackupStore
from mlox.secret import Secret
from mlox.testing import FakeBackupStore
from tests.live.native_stage import free_port
from tests.live.object_stage import path_with_minio
from tests.live.support import until

KEY, PASSWORD = "keeper", "a-password-of-the-test"
Made = Callable[[Path], AbstractContextManager[BackupStore]]


@contextmanager
def folder(place: Path) -> Iterator[BackupStore]:
    yield FolderBackupStore(place / "backups")


@contextmanager
def fake(place: Path) -> Iterator[BackupStore]:
    del place
    yield FakeBackupStore()


@contextmanager
def s3(place: Path) -> Iterator[BackupStore]:
    """A real MinIO with a bucket."""
    port = free_port()
    with path_with_minio() as path:
        variables = {**os.environ, "PATH": path, "MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": PASSWORD}
        argv = ("minio", "server", "--quiet", "--address", f"127.0.0.1:{port}", str(place / "data"))
        server = subprocess.Popen(argv, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            client = boto3.client(
                "s3",
                endpoint_url=address,
                aws_access_key_id=KEY,
                aws_secret_access_key=PASSWORD,
                region_name="us-east-1",
            )
            until(lambda: _answers(client))
            client.create_bucket(Bucket="backups")
            yield S3BackupStore(
                "s3://backups/of/mine/",
                endpoint=address,
                region="us-east-1",
                access_key=Secret(KEY),
                secret_key=Secret(PASSWORD),
            )
        finally:
            server.kill()
            server.wait()


def _answers(client: object) -> bool:
    try:
        client.list_buckets()  # type: ignore[attr-defined]
    except (BotoCoreError, ClientError):
        return False
    return True


MADE: dict[str, Made] = {"fake": fake, "folder": folder, "s3": s3}
LIVE = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(params=[pytest.param(name, marks=LIVE if name == "s3" else []) for name in MADE])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BackupStore]:
    with MADE[request.param](tmp_path) as made:
        yield made


def content(store: BackupStore, path: str) -> bytes:
    return b"".join(store.get(path))


def test_what_is_kept_is_there_again(store: BackupStore) -> None:
    parts = [bytes(range(256)) * 4096, b"", b"x", b"y" * 3_000_000]
    assert store.put("churn-7f3a/redis/one/data.age", iter(parts)) == sum(map(len, parts))
    assert content(store, "churn-7f3a/redis/one/data.age") == b"".join(parts)
    store.put("churn-7f3a/redis/one/data.age", [b"another"])
    assert content(store, "churn-7f3a/redis/one/data.age") == b"another"
    assert store.put("churn-7f3a/redis/empty", []) == 0
    assert content(store, "churn-7f3a/redis/empty") == b""


def test_a_large_file_goes_in_parts(store: BackupStore) -> None:
    size = 2 * PART_OF_UPLOAD + 12345
    whole = os.urandom(1 << 20) * (size // (1 << 20) + 1)
    whole = whole[:size]
    cuts = range(0, size, 777_777)
    assert store.put("churn/redis/data.age", (whole[at : at + 777_777] for at in cuts)) == size
    assert content(store, "churn/redis/data.age") == whole


def test_files_are_listed_below_a_folder_and_nowhere_else(store: BackupStore) -> None:
    assert store.paths("churn") == ()
    for path in ("churn/redis/b", "churn/redis/a", "churn/redis-2/a", "churn-2/redis/a"):
        store.put(path, [b"x"])
    assert store.paths("churn/redis") == ("churn/redis/a", "churn/redis/b")
    assert store.paths("churn") == ("churn/redis-2/a", "churn/redis/a", "churn/redis/b")


def test_what_is_removed_is_gone_and_may_be_removed_again(store: BackupStore) -> None:
    store.put("churn/redis/a", [b"x"])
    store.put("churn/postgres/a", [b"x"])
    for _ in range(2):
        store.remove("churn/redis/a")
    assert store.paths("churn") == ("churn/postgres/a",)
    with pytest.raises(BackupError) as caught:
        content(store, "churn/redis/a")
    assert caught.value.hint


def test_a_source_that_breaks_leaves_no_file_or_the_one_that_there_was(store: BackupStore) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise BackupError("the source broke", hint="Mend it.")

    with pytest.raises(BackupError, match="the source broke"):
        store.put("churn/redis/a", breaking())
    assert store.paths("churn") == ()
    if isinstance(store, FolderBackupStore):
        assert list(store.folder.iterdir()) == []
    store.put("churn/redis/a", [b"before"])
    with pytest.raises(BackupError, match="the source broke"):
        store.put("churn/redis/a", breaking())
    assert content(store, "churn/redis/a") == b"before"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/.hidden", "a b", "a/b\n", "ü"])
def test_a_name_that_leads_elsewhere_is_refused(store: BackupStore, path: str) -> None:
    with pytest.raises(BackupError, match="no name of a file"):
        store.put(path, [b"x"])
    with pytest.raises(BackupError, match="no name of a file"):
        content(store, path)


def test_a_folder_is_closed_to_others(tmp_path: Path) -> None:
    store = FolderBackupStore(tmp_path / "deep" / "backups")
    store.put("churn/redis/a", [b"x"])
    found = [tmp_path / "deep", *(tmp_path / "deep").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {0o600}
    store.remove("churn/redis/a")
    assert list(store.folder.iterdir()) == []


def test_a_full_disk_and_a_file_in_the_way_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BackupError, match="cannot write") as caught:
        FolderBackupStore(tmp_path / "file").put("churn/redis/a", [b"x"])
    assert "--to PLACE" in (caught.value.hint or "")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = FolderBackupStore(tmp_path / "folder")
    store.put("churn/redis/a", [b"before"])
    with monkeypatch.context() as changed:
        changed.setattr(os, "fsync", full)
        with pytest.raises(BackupError, match="No space left on device") as caught:
            store.put("churn/redis/a", [b"after"])
    assert "Free some disk space" in (caught.value.hint or "")
    assert content(store, "churn/redis/a") == b"before"
    assert [path.name for path in store.folder.rglob("*") if path.is_file()] == ["a"]


@pytest.mark.parametrize("way", ["remove", "tidy"])
def test_what_a_killed_process_was_writing_is_no_file_and_goes_with_the_next(tmp_path: Path, way: str) -> None:
    code = (
        "import os, signal, sys\\n"
        "from pathlib import Path\\n"
        "from mlox.backup_stores.folder import FolderBackupStore\\n"
        "def chunks():\\n"
        "    yield b'x' * 100\\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\\n"
        "FolderBackupStore(Path(sys.argv[1])).put('churn/redis/a', chunks())\\n"
    ).replace("\\n", "\n")
    subprocess.run((sys.executable, "-c", code, str(tmp_path)), check=False)
    store = FolderBackupStore(tmp_path)
    assert [path.name for path in tmp_path.rglob("*.new")] != []
    assert store.paths("churn") == ()
    if way == "remove":
        store.remove("churn/redis/a")
    else:
        store.put("churn/redis/b/a", [b"x"])
        store.tidy("churn/redis")
        store.remove("churn/redis/b/a")
    assert list(tmp_path.iterdir()) == []


def test_what_is_whole_stays_where_it_is_tidied(store: BackupStore) -> None:
    for path in ("churn/redis/a", "churn/redis/one/b", "churn/postgres/c"):
        store.put(path, [b"x"])
    store.tidy("churn/redis")
    store.tidy("churn/nothing")
    assert store.paths("churn") == ("churn/postgres/c", "churn/redis/a", "churn/redis/one/b")


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_bucket_that_is_not_there_and_keys_that_are_wrong_are_told(tmp_path: Path) -> None:
    with s3(tmp_path) as right:
        assert isinstance(right, S3BackupStore)
        endpoint = right._client.meta.endpoint_url
        for address, password, said in (
            ("s3://nowhere", PASSWORD, "NoSuchBucket"),
            ("s3://backups", "a-wrong-password", "SignatureDoesNotMatch"),
        ):
            wrong = S3BackupStore(
                address, endpoint=endpoint, region="us-east-1", access_key=Secret(KEY), secret_key=Secret(password)
            )
            with pytest.raises(BackupError, match=said) as caught:
                wrong.put("churn/redis/a", [b"x"])
            assert caught.value.hint
            assert password not in str(caught.value)
