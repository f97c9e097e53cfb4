"""A real MinIO, through boto3: each consumer in its own bucket, passwords changed under it, nothing left by a purge."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from tests.live.object_stage import buckets, minio_path, s3
from tests.live.placing import SERVERS, placed
from tests.live.support import Project, project
from tests.live.test_postgres import ODD

__all__ = ["minio_path"]

pytestmark = pytest.mark.timeout(1800)  # the first time MinIO is built

CONSUMER = """\
name: album
version: "1"
summary: a consumer of s3 that tells its key
needs: {{store: {{capability: s3}}}}
ports: {{http: {{port: {port}, scheme: http}}}}
units:
  server:
    native:
      binary: {{name: python3, version_argv: [python3, --version], version_pattern: 'Python (.*)'}}
      command: [python3, -m, http.server, --bind, 127.0.0.1, "${{port.http}}", --directory, "${{dir.config}}"]
    files:
      key.txt:
        content: ${{need.store.access_key}} ${{need.store.bucket}} ${{need.store.url}} ${{need.store.secret_key}}
    probe: {{http: {{port: http}}}}
    stop_grace_period_s: 2
"""
WRITE = """
import mlox, sys
s3 = mlox.get("minio").client()
s3.create_bucket(Bucket="mine")
s3.put_object(Bucket="mine", Key="odd/ü ?#&.txt", Body=b"kept")
"""


@pytest.fixture(scope="module", params=SERVERS)
def shop(
    request: pytest.FixtureRequest, data_home: Path, minio_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A stack with a minio; the tests of this file use it one after the other."""
    with placed(request.param, tmp_path_factory.mktemp("shop"), data_home, PATH=minio_path) as made:
        made.done("init", "demo")
        made.done("up", "minio")
        yield made


@pytest.fixture(scope="module")
def albums(data_home: Path, minio_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two consumers of a minio, as processes."""
    with project(tmp_path_factory.mktemp("albums"), data_home, PATH=minio_path) as made:
        (made.folder / "services").mkdir()
        (made.folder / "services/album.yaml").write_text(CONSUMER.format(port=18420))
        made.done("init", "demo")
        made.done("secrets", "set", "minio.root_password", stdin=ODD)
        made.done("add", "minio")
        made.done("add", "album")
        made.done("add", "album", "--as", "second-album")
        made.done("up")
        yield made


def key(albums: Project, name: str) -> tuple[str, str, str]:
    """The user, the bucket and the password that a consumer was given."""
    text = (Path(albums.row(name)["data_path"]) / "config/key.txt").read_text()
    user, bucket, url, password = text.split()
    assert url == f"http://{albums.row('minio')['ports']['api']}"
    return user, bucket, password


def refused(albums: Project, name: str, bucket: str, password: str = "") -> bool:
    user, _, own = key(albums, name)
    try:
        s3(albums, user, password or own).list_objects_v2(Bucket=bucket)
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId")
        return True
    return False


@contextlib.contextmanager
def watched() -> Iterator[set[str]]:
    """Every word of every command that runs meanwhile."""
    words: set[str] = set()
    end = threading.Event()

    def watch() -> None:
        while not end.is_set():
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    words.update(process.cmdline())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield words
    finally:
        end.set()
        thread.join()


def test_what_its_client_writes_is_there_after_down_and_up(shop: Project) -> None:
    said = shop.run(sys.executable, "-c", WRITE)
    assert said.code == 0, said
    assert shop.json("up")["actions"] == []
    shop.done("down")
    shop.done("up")
    assert s3(shop).get_object(Bucket="mine", Key="odd/ü ?#&.txt")["Body"].read() == b"kept"
    assert not [name for name in shop.json("env", "minio")["env"] if name.startswith("AWS")]


def test_it_answers_on_loopback_alone_and_to_its_password_alone(shop: Project) -> None:
    for client in (s3(shop, password="guessed-by-somebody"), s3(shop, user="somebody")):
        with pytest.raises(ClientError, match="SignatureDoesNotMatch|InvalidAccessKeyId"):
            client.list_buckets()
    numbers = {int(address.partition(":")[2]) for address in shop.row("minio")["ports"].values()}
    assert len(numbers) == 2
    listening = [c.laddr for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr]
    heard = {address.ip for address in listening if address.port in numbers}
    assert "127.0.0.1" in heard
    assert heard <= {"127.0.0.1", "::1"}


def test_its_root_password_is_rotated(shop: Project) -> None:
    old = shop.password("minio", "root_password")
    assert shop.json("secrets", "rotate", "minio.root_password")["services"] == ["minio"]
    assert old != shop.password("minio", "root_password")
    assert "mine" in buckets(shop)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3(shop, password=old).list_buckets()
    for words in ("logs minio", "status", "plan", "env minio"):
        assert shop.password("minio", "root_password") not in shop.done(*words.split())


def test_a_password_that_a_person_has_chosen_is_taken_whatever_is_in_it(albums: Project) -> None:
    assert albums.password("minio", "root_password") == ODD
    assert "album-store" in buckets(albums)


def test_each_consumer_is_in_its_own_bucket(albums: Project) -> None:
    (user, bucket, password), (_, other, _) = key(albums, "album"), key(albums, "second-album")
    assert (user, bucket) == ("album-store", "album-store")
    assert other.startswith("second-album-store-")
    client = s3(albums, user, password)
    client.put_object(Bucket=bucket, Key="a", Body=b"mine")
    assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"mine"
    assert [each["Name"] for each in client.list_buckets()["Buckets"]] == [bucket]
    assert refused(albums, "album", other)
    assert refused(albums, "second-album", bucket)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.create_bucket(Bucket="another")
    assert albums.json("up")["actions"] == []


def test_its_key_is_rotated_and_no_command_shows_one(albums: Project) -> None:
    before = key(albums, "album")[2]
    with watched() as words:
        albums.done("secrets", "rotate", "album.store_secret_key")
        albums.done("secrets", "rotate", "minio.root_password")
    after = key(albums, "album")[2]
    assert before != after
    assert not refused(albums, "album", "album-store")
    assert refused(albums, "album", "album-store", before)
    assert not refused(albums, "second-album", key(albums, "second-album")[1])
    known = (before, after, albums.password("minio", "root_password"))
    assert "mc" in {Path(word).name for word in words}
    assert not [word for word in words if any(secret in word for secret in known)]


def test_a_purge_of_the_consumer_takes_its_bucket_and_its_user(albums: Project) -> None:
    user, bucket, password = key(albums, "second-album")
    s3(albums, user, password).put_object(Bucket=bucket, Key="a", Body=b"gone soon")
    assert f"{user} in minio of second-album" in albums.mlox("down", "second-album", "--purge").err
    albums.done("down", "second-album", "--purge", "-y")
    assert buckets(albums) == ["album-store"]
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        s3(albums, user, password).list_buckets()
    albums.done("up")
    assert not refused(albums, "second-album", bucket)
