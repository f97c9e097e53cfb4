"""The user's own secrets: files on this machine, sealed with age for the key in the user's identity file.

A secret is a folder, a version of it a file ``<sequence>-<version id>.age`` that is written once and never changed. The
newest is the one with the highest sequence and, of two that were written at the same moment, the higher id: so writers
need no lock, and nobody can overwrite another's version.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mlox.errors import SecretError
from mlox.journal import write_atomic
from mlox.protocols import StoredSecret
from mlox.secret import Secret
from mlox.secret_stores.folders import clear_deleted, decoded, delete_folder, encoded, entries, text_in, unreadable
from mlox.secret_stores.identity import IdentityFile
from mlox.secret_stores.names import check_name, content_of, is_name, not_found, version_not_found
from mlox.secret_stores.private_files import clear_half_written, make_folder

_VERSION_FILE = re.compile(r"([0-9]{6}|[1-9][0-9]{6,})-([0-9a-f]{12})\.age")
_ATTEMPTS = 20


class _Version(NamedTuple):
    sequence: int
    id: str
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / f"{self.sequence:06d}-{self.id}.age"


class UserStore:
    """The secrets in ``folder``, sealed for the key in the file ``identity``, which the first write makes.

    ``used_elsewhere`` tells whether something else is sealed for that key, so that a lost one is not made anew.

    Example:
        >>> import tempfile
        >>> home = Path(tempfile.mkdtemp())
        >>> store = UserStore(home / "secrets", home / "identity")
        >>> version = store.set("TOKEN", Secret("hunter22"))
        >>> store.get("TOKEN", version).reveal()
        'hunter22'
    """

    name = "user"

    def __init__(self, folder: Path, identity: Path, used_elsewhere: Callable[[], bool] = lambda: False) -> None:
        self._folder = folder
        self._identity = IdentityFile(identity)
        self._used_elsewhere = used_elsewhere

    def get(self, name: str, version: str | None = None) -> Secret:
        """The newest version, or a given one.

        Raises:
            SecretNotFoundError: there is none.
            IdentityError: the identity is missing, broken, or not the one that sealed it.
            SecretError: the file is damaged or cannot be read.
        """
        versions = self._versions(name)
        if not versions:
            raise not_found(name, self.names())
        found = next((one for one in reversed(versions) if version in (None, one.id)), None)
        if found is None:
            raise version_not_found(name, str(version), [one.id for one in versions])
        try:
            sealed = found.path.read_bytes()
        except FileNotFoundError as error:  # deleted since we looked
            raise not_found(name, self.names()) from error
        except OSError as error:
            raise unreadable(found.path, error) from error
        return Secret(text_in(self._identity.open(sealed, found.path), found.path), found.id)

    def versions(self, name: str) -> tuple[str, ...]:
        """The ids of all versions, older ones first as far as a second tells; none where there is no such secret."""
        return tuple(each.id for each in self._versions(name))

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(name for name, _ in self._all())

    def describe(self) -> tuple[StoredSecret, ...]:
        """All secrets without their values, sorted by name; needs no identity."""
        described = []
        for name, version in self._all():
            with suppress(FileNotFoundError):  # deleted since we looked
                described.append(StoredSecret(name, version.id, version.path.stat().st_mtime, ("you",)))
        return tuple(described)

    def set(self, name: str, secret: Secret) -> str:
        """Keep a new version and return its id; the first write makes the identity.

        Raises:
            SecretError: the name or the value cannot be kept, or the write failed and the secret is as it was.
            IdentityError: the identity is broken, or missing although there are secrets.
        """
        check_name(name)
        content = content_of(name, secret)
        self._need_identity()
        sealed = self._identity.seal(content)
        for _ in range(_ATTEMPTS):
            try:
                return self._add(name, sealed)
            except FileNotFoundError:
                continue  # somebody deleted the secret between two of our steps
            except OSError as error:
                raise SecretError(
                    f"cannot write secret {name!r} in {self._folder}: {error.strerror or error}",
                    hint="Make the folder writable, or free some space; the secret is as it was.",
                ) from error
        raise SecretError(
            f"cannot write secret {name!r} in {self._folder}: it is deleted again and again",
            hint="End the program that deletes it, and set it again.",
        )

    def delete(self, name: str) -> None:
        """Remove every version.

        Raises:
            SecretNotFoundError: there is none.
            SecretError: the files cannot be removed.
        """
        there = bool(self._versions(name))
        try:
            if there:
                delete_folder(self._folder, name)
            else:
                clear_deleted(self._folder)
        except FileNotFoundError:
            there = False  # another process was quicker
        except OSError as error:
            raise SecretError(
                f"cannot delete secret {name!r} in {self._folder}: {error.strerror or error}",
                hint="Make the folder and what is in it writable, and delete it again.",
            ) from error
        if not there:
            raise not_found(name, self.names())

    def recover(self) -> None:
        """Remove what a killed process left half written or half deleted; a failure waits for the next one."""
        with suppress(OSError):
            clear_deleted(self._folder)
        clear_half_written(self._folder, self._identity.path)

    def _add(self, name: str, sealed: bytes) -> str:
        folder = self._folder / encoded(name)
        make_folder(folder)
        before = self._versions(name)
        version = _Version(before[-1].sequence + 1 if before else 1, secrets.token_hex(6), folder)
        try:
            write_atomic(version.path, sealed, mode=0o600)
        except OSError:
            with suppress(OSError):
                version.path.unlink()  # there already if it was the folder that did not reach the disk
            raise
        return version.id

    def _need_identity(self) -> None:
        """Make the first identity; a lost one is not replaced, since what it sealed would be lost with it."""
        if self._identity.exists():
            return
        others = any(self._identity.path.parent.glob("*/secrets/*/*.age"))  # other stacks of this machine
        sealed = self.names() or others or self._used_elsewhere()
        if sealed and not self._identity.exists():  # again: another process may have made it
            raise self._identity.missing()
        self._identity.make()

    def _versions(self, name: str) -> list[_Version]:
        """The versions of one secret, the newest last."""
        return _versions_in(self._folder / encoded(name)) if is_name(name) else []

    def _all(self) -> list[tuple[str, _Version]]:
        """Every name with its newest version, sorted by name."""
        found = []
        for entry in entries(self._folder):
            name = decoded(entry.name)
            if name is not None and entry.is_dir() and (versions := _versions_in(self._folder / entry.name)):
                found.append((name, versions[-1]))
        return sorted(found)


def _versions_in(folder: Path) -> list[_Version]:
    matches = (_VERSION_FILE.fullmatch(entry.name) for entry in entries(folder))
    found = [_Version(int(match[1]), match[2], folder) for match in matches if match]
    return sorted(found, key=_order)


def _order(version: _Version) -> tuple[int, str]:
    return version.sequence, version.id
