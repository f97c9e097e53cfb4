"""How the data of a service gets into a place for backups: sealed on the way, read back, and only then recorded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mlox.apply.passing import passed
from mlox.archives import Content, content
from mlox.backups import ABOUT, DATA, RECORD, Backup, account_file
from mlox.errors import BackupError
from mlox.protocols import BackupStore, Emit, Sealing
from mlox.secret import Secret
from mlox.streams import Followed


@dataclass(frozen=True, slots=True)
class Shelf:
    """A place for backups, and what seals them."""

    store: BackupStore
    sealing: Sealing

    def opened(self, backup: Backup, name: str) -> Iterator[bytes]:
        """A sealed file of a backup, opened.

        Raises:
            BackupError, IdentityError: it cannot be read.
        """
        path = f"{backup.folder}/{name}"
        return self.sealing.opened(self.store.get(path), source=f"{self.store.where}/{path}")


@dataclass(frozen=True, slots=True)
class About:
    """What of a backup only those may read who may read the vault: secrets by name, and what the service held."""

    secrets: Mapping[str, Secret]
    held: str = ""

    def to_bytes(self) -> bytes:
        """The content of the file, before it is sealed."""
        values = {name: secret.reveal() for name, secret in self.secrets.items()}
        return json.dumps({"secrets": values, "held": self.held}).encode()

    @classmethod
    def read(cls, shelf: Shelf, backup: Backup) -> About:
        """That of a backup.

        Raises:
            BackupError, IdentityError: it cannot be read.
        """
        try:
            value = json.loads(b"".join(shelf.opened(backup, ABOUT)))
            values = value["secrets"].items()
            return cls({str(name): Secret(str(text)) for name, text in values}, str(value["held"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            problem = f"{backup.folder}/{ABOUT} is damaged"
        raise BackupError(problem, hint="Take another one: mlox backup --list.")


def digest_of(held: str) -> str:
    """SHA-256 of what a service said that it holds; empty for nothing."""
    return hashlib.sha256(held.encode()).hexdigest() if held else ""


def write(
    backup: Backup,
    data: Iterable[bytes],
    accounts: Mapping[str, Iterable[bytes]],
    about: Callable[[], About],
    shelf: Shelf,
    emit: Emit,
    check: Callable[[], None],
) -> Backup:
    """Keep all of a backup but its record; returns it with its sizes and digests.

    Args:
        accounts: what is in those of the service, by needs. ``about``: is asked when all data is written.
        check: raises where the stack is no longer ours.

    Raises:
        MloxError: it could not be written; then :func:`drop` it.
    """

    def put(name: str, chunks: Iterable[bytes], doing: str) -> tuple[Content, int, str]:
        followed = Followed(passed(chunks, backup.service, doing, emit, check), _reader(backup, name))
        sealed = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for part in shelf.sealing.sealed(followed):
                sealed.update(part)
                yield part

        size = shelf.store.put(f"{backup.folder}/{name}", hashed())
        return followed.result, size, sealed.hexdigest()

    found, size, digest = put(DATA, data, "saving its data")
    contents: dict[str, Content] = {}
    for need, chunks in accounts.items():
        contents[need], more, _ = put(account_file(need), chunks, f"saving what it has as {need}")
        size += more
    told = about()
    size += shelf.store.put(f"{backup.folder}/{ABOUT}", shelf.sealing.sealed([told.to_bytes()]))
    return replace(backup, content=found, accounts=contents, size_bytes=size, digest=digest, held=digest_of(told.held))


def conclude(backup: Backup, shelf: Shelf, emit: Emit, check: Callable[[], None]) -> None:
    """Read a backup back, and record it where all of it is there.

    Raises:
        BackupError: what is there is not what was sent.
    """
    for name, sent in backup.files.items():
        parts = passed(shelf.opened(backup, name), backup.service, "reading it back", emit, check)
        if _reader(backup, name)(parts) != sent:
            raise BackupError(
                f"the backup of {backup.service} in {shelf.store.where} is not what was sent",
                hint="Try it again; if it happens again, look at the disks there.",
            )
    shelf.store.put(f"{backup.folder}/{RECORD}", [backup.to_bytes()])


def drop(folder: str, store: BackupStore) -> None:
    """Remove a backup, its record first."""
    for path in sorted(store.paths(folder), key=lambda path: not path.endswith(f"/{RECORD}")):
        store.remove(path)


def checked(backup: Backup, shelf: Shelf, emit: Emit, check: Callable[[], None], name: str = DATA) -> Iterator[bytes]:
    """A file of data of a backup, opened; at its end, it is what was saved.

    Raises:
        BackupError: it is not.
    """
    saved = backup.files[name]
    opened = shelf.opened(backup, name)
    followed = Followed(
        passed(opened, backup.service, "bringing its data back", emit, check, saved.size_bytes),
        _reader(backup, name),
    )
    yield from followed
    if followed.result != saved:
        raise BackupError(
            f"the data of the backup {backup.id} is not what was saved", hint="Take another one: mlox backup --list."
        )


def _reader(backup: Backup, name: str) -> Callable[[Iterable[bytes]], Content]:
    """What tells what is in a file of data: of an archive its entries, of what a command wrote its bytes."""
    return content if backup.how == "copy" and name == DATA else _counted


def _counted(chunks: Iterable[bytes]) -> Content:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return Content(digest.hexdigest(), 0, size)
