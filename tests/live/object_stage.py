"""What tests of object storage work with: MinIO's two programs where services find them, and the servers to try."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import Config

from tests.live.engine.go import MC, MINIO, NoGoError, built
from tests.live.support import Project

PROGRAMS = {"minio": MINIO, "mc": MC}
MAKER = "MinIO, Inc."
"""What both say beside their versions; Debian's mc is another program."""


@contextlib.contextmanager
def path_with_minio() -> Iterator[str]:
    """A PATH on which ``minio`` and MinIO's ``mc`` are, in a folder that every account may look into."""
    folder = Path(tempfile.mkdtemp(prefix="mlox-minio-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        for name in PROGRAMS:
            try:
                place(program(name), folder / name)
            except NoGoError as error:
                pytest.skip(f"MinIO's {name} is not on the PATH, and cannot be built: {error}")
        yield f"{folder}{os.pathsep}{os.environ['PATH']}"
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def minio_path() -> Iterator[str]:
    """That for all tests of a session."""
    with path_with_minio() as path:
        yield path


def program(name: str) -> Path:
    """MinIO's program of that name: from the PATH, or built into the cache.

    Raises:
        NoGoError: it is not there, and cannot be built.
    """
    on_path = shutil.which(name)
    if on_path and MAKER in subprocess.run((on_path, "--version"), capture_output=True, text=True, check=False).stdout:
        return Path(on_path)
    return built(PROGRAMS[name])


def place(program: Path, target: Path) -> None:
    """The program under another name, without a second copy where that can be."""
    try:
        os.link(program, target)
    except OSError:
        shutil.copy2(program, target)
    target.chmod(0o755)


def s3(shop: Project, user: str = "admin", password: str = "") -> Any:
    """A client of the stack's minio; by default its owner's."""
    return boto3.client(
        "s3",
        endpoint_url=f"http://{shop.row('minio')['ports']['api']}",
        aws_access_key_id=user,
        aws_secret_access_key=password or shop.password("minio", "root_password"),
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1}),
    )


def buckets(shop: Project) -> list[str]:
    """The names of all buckets."""
    return [bucket["Name"] for bucket in s3(shop).list_buckets()["Buckets"]]
