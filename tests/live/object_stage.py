"""What tests of object storage work with: MinIO's two programs where services find them, and the servers to try."""

from __future__ import annotations

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

from mlox import plugins
from tests.live.support import Project

SERVERS = [
    server for server, backend in (("local", "native"), ("docker", "docker")) if ("backends", backend) in plugins.TABLE
]
CACHE = Path(os.environ.get("MLOX_TEST_CACHE") or Path.home() / ".cache/mlox-tests").absolute() / "bin"
MAKER = "MinIO, Inc."
"""What both say beside their versions; Debian's mc is another program."""


@pytest.fixture(scope="session")
def minio_path() -> Iterator[str]:
    """A PATH on which ``minio`` and MinIO's ``mc`` are, in a folder that every account may look into."""
    folder = Path(tempfile.mkdtemp(prefix="mlox-minio-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        for name in ("minio", "mc"):
            found = program(name)
            if found is None:
                pytest.skip(f"MinIO's {name} is neither on the PATH nor in {CACHE}: go install github.com/minio/{name}")
            place(found, folder / name)
        yield f"{folder}{os.pathsep}{os.environ['PATH']}"
    finally:
        shutil.rmtree(folder)


def program(name: str) -> Path | None:
    """MinIO's program of that name: from the PATH, or built into the cache."""
    on_path = shutil.which(name)
    for path in [*([Path(on_path)] if on_path else []), *sorted(CACHE.glob(f"{name}-*"))]:
        said = subprocess.run((path, "--version"), capture_output=True, text=True, check=False)
        if MAKER in said.stdout:
            return path
    return None


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
