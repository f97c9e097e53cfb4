"""Backups in a bucket: Amazon's S3, or whatever else speaks it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from mlox.backup_stores.naming import check_path
from mlox.errors import BackupError, MloxError
from mlox.secret import Secret

PART = 1 << 20
PART_OF_UPLOAD = 16 << 20
"""So large are the parts of an upload: 10,000 of them may make one object, 160 GB."""

MISSING = ("404", "NoSuchKey", "NoSuchBucket")


class S3BackupStore:
    """A bucket that is there, and in it what lies below a prefix.

    Without keys, these come as boto3 finds them: environment, profiles, the role of the machine. An upload that does
    not end well is aborted; what a killed process had uploaded is no object, and goes by the bucket's own rules.

    Args:
        address: ``s3://BUCKET/PREFIX``. ``endpoint``: a server that is not Amazon's.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    """

    name = "s3"

    def __init__(
        self,
        address: str,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        access_key: Secret | None = None,
        secret_key: Secret | None = None,
    ) -> None:
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        try:
            self._client: Any = boto3.client(
                "s3",
                endpoint_url=endpoint,
                region_name=region,
                aws_access_key_id=access_key.reveal() if access_key is not None else None,
                aws_secret_access_key=secret_key.reveal() if secret_key is not None else None,
                config=Config(connect_timeout=10, retries={"mode": "standard"}),
            )
        except (BotoCoreError, ValueError) as error:
            raise BackupError(f"cannot use {address}: {error}", hint="Mend `backups` in mlox.yaml.") from error

    @property
    def where(self) -> str:
        """Its address."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def put(self, path: str, chunks: Iterable[bytes]) -> int:
        """Keep a file, by a multipart upload where it is large."""
        body = _Chunks(chunks)
        with self._doing(f"write {path}"):
            config = TransferConfig(multipart_threshold=PART_OF_UPLOAD, multipart_chunksize=PART_OF_UPLOAD)
            self._client.upload_fileobj(body, self.bucket, self._key(path), Config=config)
        return body.passed

    def get(self, path: str) -> Iterator[bytes]:
        """The content of a file."""
        with self._doing(f"read {path}"):
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(path))
            with contextlib.closing(answer["Body"]) as body:
                yield from body.iter_chunks(PART)

    def paths(self, folder: str) -> tuple[str, ...]:
        """The files below a folder."""
        found: list[str] = []
        with self._doing("list it"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=f"{self._key(folder)}/"):
                found += [str(each["Key"]).removeprefix(self.prefix) for each in page.get("Contents", ())]
        return tuple(sorted(found))

    def remove(self, path: str) -> None:
        """Remove a file."""
        with self._doing(f"remove {path}"):
            self._client.delete_object(Bucket=self.bucket, Key=self._key(path))

    def tidy(self, folder: str) -> None:
        """What was uploaded in part is no object: the bucket's own rules for such uploads hold."""

    def _key(self, path: str) -> str:
        return f"{self.prefix}{check_path(path)}"

    @contextlib.contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        try:
            yield
        except MloxError:
            raise
        except (BotoCoreError, Boto3Error, ClientError) as error:
            code = str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
            hint = "Is that the right bucket, and are the keys right? See `backups` in mlox.yaml."
            if code in MISSING:
                hint = "It is not there: look with `mlox backup --list`."
            raise BackupError(f"{self.where}: cannot {what}: {error}", hint=hint) from error


class _Chunks(io.RawIOBase):
    """A file that is read from parts; it knows how many bytes have passed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self.passed = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As much of the next part as fits; 0 at the end."""
        while not self._rest:
            part = next(self._chunks, None)
            if part is None:
                return 0
            self._rest = part
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self.passed += count
        return count

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end: an upload counts its parts by that."""
        parts = []
        while size != 0 and (part := super().read(size)):
            parts.append(part)
            size -= len(part) if size > 0 else 0
        return b"".join(parts)
