"""What a backup is: a record that anybody may read, beside data and secrets that are sealed.

A backup is a folder ``STACK/SERVICE/ID`` of a place for backups. ``backup.json``, the record, is written last: without
it, the rest is what a killed process left.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mlox.archives import Content
from mlox.errors import BackupError

SCHEMA = 1
RECORD, ABOUT, DATA = "backup.json", "about.age", "data.age"

NOTHING = Content()

_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup of one service.

    Attributes:
        id: the second in UTC, and four digits. ``service``: its name in the stack.
        how: ``copy``, the files of its data while it did not run; ``dump``, what its own command wrote.
        content: what is in the archive of data, as it was read. ``digest``: SHA-256 of the sealed data.
        accounts: what is in the accounts that it has at others, as it was read, by the needs that they meet.
        held: SHA-256 of what the service said that it holds; empty where it brings no command for that.
        jobs: the jobs that were done before its first start. ``taken``: seconds since the epoch.
    """

    id: str
    stack: str
    service: str
    catalog: str
    version: str
    server: str
    taken: float
    how: Literal["copy", "dump"]
    content: Content = NOTHING
    size_bytes: int = 0
    digest: str = ""
    accounts: Mapping[str, Content] = field(default_factory=dict)
    held: str = ""
    jobs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where it is in its place."""
        return f"{self.stack}/{self.service}/{self.id}"

    @property
    def files(self) -> Mapping[str, Content]:
        """What is in each of its files of data."""
        return {DATA: self.content, **{account_file(need): content for need, content in self.accounts.items()}}

    def to_json(self) -> dict[str, Any]:
        """A JSON object; :meth:`from_json` reads it back."""
        return {"schema": SCHEMA, **asdict(self)}

    def to_bytes(self) -> bytes:
        """The content of ``backup.json``."""
        return f"{json.dumps(self.to_json(), indent=1, sort_keys=True)}\n".encode()

    @classmethod
    def from_bytes(cls, text: bytes, *, source: str) -> Backup:
        """The record that a file holds.

        Raises:
            BackupError: it is none, or one of a newer mlox.
        """
        try:
            value = json.loads(text)
            if value.pop("schema") != SCHEMA:
                raise BackupError(f"{source} was made by a newer mlox", hint="Update mlox, then try again.")
            accounts = {str(need): Content(**each) for need, each in value.get("accounts", {}).items()}
            content = Content(**value["content"])
            found = cls(**{**value, "content": content, "accounts": accounts, "jobs": tuple(value["jobs"])})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BackupError(
                f"{source} is no record of a backup: {error}", hint="Take another one: mlox backup --list."
            ) from error
        if not _ID.fullmatch(str(found.id)) or not source.endswith(f"{found.folder}/{RECORD}"):
            raise BackupError(f"{source} is the record of another backup", hint="Take another one: mlox backup --list.")
        return found


def account_file(need: str) -> str:
    """The file of a backup with what is in the account by which a need is met.

    Example:
        >>> account_file("database")
        'database.account.age'
    """
    return f"{need}.account.age"


def new_id(now: float | None = None) -> str:
    """The id of a backup that begins now.

    Example:
        >>> new_id(0.0)[:17]
        '19700101T000000Z-'
    """
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{secrets.token_hex(2)}"


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """What a backup will do.

    Attributes:
        services: those that are saved, with the bytes of their data. ``running``: those that are saved while they run.
        accounts: what those have at others, and what is saved as well. ``stops``: the services that stop meanwhile.
        where: the place.
    """

    services: Mapping[str, int]
    running: tuple[str, ...]
    accounts: Mapping[str, tuple[str, ...]]
    stops: tuple[str, ...]
    where: str
