"""How the data of a service gets into a place for backups: sealed on the way, read back, and only then recorded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mlox.apply.passing import passed
from mlox.archives import Content, content
from mlox.backups import ABOUT, DATA, RECORD, Backup
from mlox.errors import BackupError, ServiceError
from mlox.protocols import Backend, BackupStore, Emit, Sealing
from mlox.secret import Secret, mask
from mlox.streams import Followed, pulled
from mlox.units import Unit
from mlox.variables import finish

LINES = 10


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
    about: Callable[[], About],
    shelf: Shelf,
    emit: Emit,
    check: Callable[[], None],
) -> Backup:
    """Keep all of a backup but its record; returns it with its sizes and digests.

    Args:
        about: is asked when the data is written. ``check``: raises where the stack is no longer ours.

    Raises:
        MloxError: it could not be written; then :func:`drop` it.
    """
    followed = Followed(passed(data, backup.service, "saving its data", emit, check), _reader(backup))
    sealed = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for part in shelf.sealing.sealed(followed):
            sealed.update(part)
            yield part

    size = shelf.store.put(f"{backup.folder}/{DATA}", hashed())
    told = about()
    size += shelf.store.put(f"{backup.folder}/{ABOUT}", shelf.sealing.sealed([told.to_bytes()]))
    return replace(
        backup, content=followed.result, size_bytes=size, digest=sealed.hexdigest(), held=digest_of(told.held)
    )


def conclude(backup: Backup, shelf: Shelf, emit: Emit, check: Callable[[], None]) -> None:
    """Read a backup back, and record it where all of it is there.

    Raises:
        BackupError: what is there is not what was sent.
    """
    found = _reader(backup)(passed(shelf.opened(backup, DATA), backup.service, "reading it back", emit, check))
    if found != backup.content:
        raise BackupError(
            f"the backup of {backup.service} in {shelf.store.where} is not what was sent",
            hint="Try it again; if it happens again, look at the disks there.",
        )
    shelf.store.put(f"{backup.folder}/{RECORD}", [backup.to_bytes()])


def drop(folder: str, store: BackupStore) -> None:
    """Remove a backup, its record first."""
    for path in sorted(store.paths(folder), key=lambda path: not path.endswith(f"/{RECORD}")):
        store.remove(path)


def checked(backup: Backup, shelf: Shelf, emit: Emit, check: Callable[[], None]) -> Iterator[bytes]:
    """The data of a backup, opened; at its end, it is what was saved.

    Raises:
        BackupError: it is not.
    """
    followed = Followed(
        passed(
            shelf.opened(backup, DATA), backup.service, "bringing its data back", emit, check, backup.content.size_bytes
        ),
        _reader(backup),
    )
    yield from followed
    if followed.result != backup.content:
        raise BackupError(
            f"the data of the backup {backup.id} is not what was saved", hint="Take another one: mlox backup --list."
        )


def dumped(unit: Unit, backend: Backend, secrets: Sequence[Secret]) -> Iterator[bytes]:
    """What the service's own command writes, part by part, while it runs.

    Raises:
        ServiceError: the command failed.
    """

    def work(pass_on: Callable[[bytes], None]) -> None:
        said = bytearray()

        def write(channel: str, chunk: bytes) -> None:
            if channel == "out":
                pass_on(chunk)
            else:
                said.extend(chunk)
                del said[:-65536]

        ended(unit, backend.exec(unit, tuple(map(finish, unit.dump)), input=None, write=write), bytes(said), secrets)

    return pulled(work)


def ended(unit: Unit, code: int, said: bytes, secrets: Sequence[Secret]) -> None:
    """Raise a :class:`ServiceError` with the last lines of a command that failed."""
    if code != 0:
        lines = said.decode("utf-8", "replace").splitlines()[-LINES:]
        told = mask("".join(f"\n  {line}" for line in lines), list(secrets))
        raise ServiceError(
            f"the command of {unit.service} for its data ended with exit code {code}{told}",
            hint=f"Look at `mlox why {unit.service}`, then try it again.",
        )


def _reader(backup: Backup) -> Callable[[Iterable[bytes]], Content]:
    """What tells what is in the data of a backup: of an archive its entries, of a dump its bytes."""
    return content if backup.how == "copy" else _counted


def _counted(chunks: Iterable[bytes]) -> Content:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return Content(digest.hexdigest(), 0, size)
