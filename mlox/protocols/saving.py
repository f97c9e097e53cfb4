"""Where backups are kept, and how what goes there is sealed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class BackupStore(Protocol):
    """A place for files that are written once: names with ``/``, whole or not there at all."""

    name: str

    @property
    def where(self) -> str:
        """Where it is, for a person."""

    def put(self, path: str, chunks: Iterable[bytes]) -> int:
        """Keep a file, in place of one of that name; returns how many bytes it has.

        What is written is lasting when this returns. Where it fails, or the process is killed, there is no such file,
        or the one that there was.

        Raises:
            BackupError: it cannot be written.
        """

    def get(self, path: str) -> Iterator[bytes]:
        """The content of a file, part by part.

        Raises:
            BackupError: there is none, or it cannot be read.
        """

    def paths(self, folder: str) -> tuple[str, ...]:
        """The files below a folder, sorted; none where there is no such folder.

        Raises:
            BackupError: the place cannot be reached.
        """

    def remove(self, path: str) -> None:
        """Remove a file; does nothing where there is none.

        Raises:
            BackupError: it cannot be removed.
        """

    def tidy(self, folder: str) -> None:
        """Remove what killed processes left below a folder, in which nobody else may be writing.

        Raises:
            BackupError: it cannot be removed.
        """


class Sealing(Protocol):
    """What seals streams for everybody who may read the vault, and opens them again; neither holds all of one."""

    def sealed(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """``chunks``, encrypted.

        Raises:
            IdentityError: the user has no key, or is no recipient.
            RecipientsChangedError: others can read than those that the user agreed to.
        """

    def opened(self, chunks: Iterable[bytes], *, source: str) -> Iterator[bytes]:
        """What was sealed.

        Args:
            source: what it is called in an error.

        Raises:
            IdentityError: it was sealed for others.
            BackupError: it is damaged.
        """
