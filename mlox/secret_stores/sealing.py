"""Streams sealed for the recipients of a vault, as age files; neither side holds the whole of one.

pyrage takes a file to read and one to write. What it is told by these it tells as its own, without its kind.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyrage
from pyrage import ssh, x25519

from mlox.errors import BackupError, IdentityError
from mlox.secret_stores.vault_files import VaultFiles
from mlox.streams import pulled


class VaultSealing:
    """Seals for everybody whom the vault's next secret would be sealed for, and opens with the user's own keys."""

    def __init__(self, files: VaultFiles) -> None:
        self._files = files

    def sealed(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """``chunks``, encrypted; where there is no vault yet, this makes it, with the user as the only recipient.

        Raises:
            IdentityError: the user has no key, or is no recipient.
            RecipientsChangedError: others can read than those that the user agreed to.
        """
        with self._files.alone("seal a backup"):
            keys = [each.key for each in self._files.ready()]
        recipients = [(x25519 if key.startswith("age1") else ssh).Recipient.from_str(key) for key in keys]
        yield from _through(chunks, lambda source, target: pyrage.encrypt_io(source, target, recipients))

    def opened(self, chunks: Iterable[bytes], *, source: str) -> Iterator[bytes]:
        """What was sealed.

        Raises:
            IdentityError: it was sealed for others. BackupError: it is damaged.
        """
        openers = [key.opener for key in self._files.keys.all()]
        try:
            yield from _through(chunks, lambda read, write: pyrage.decrypt_io(read, write, openers))
        except (pyrage.DecryptError, OSError) as error:
            if "No matching keys" in str(error):
                raise IdentityError(
                    f"{source} was not sealed for you",
                    hint="Bring the key that opens it (mlox secrets key load FILE), or ask who can read it.",
                ) from error
            raise BackupError(f"{source} is damaged: {error}", hint="Take another one: mlox backup --list.") from error


def _through(chunks: Iterable[bytes], work: Callable[[Any, Any], None]) -> Iterator[bytes]:
    """What ``work`` writes while it reads ``chunks``; whatever either of them raises is raised here."""
    feed = _Feed(chunks)
    try:
        yield from pulled(lambda write: work(feed, _Sink(write)))
    except Exception:
        if feed.error is not None:
            raise feed.error from None
        raise


class _Sink(io.RawIOBase):
    """A file that passes on what is written to it."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, part: Any) -> int:
        """Pass it on."""
        self._write(bytes(part))
        return len(part)


class _Feed(io.RawIOBase):
    """A file that is read from parts; it keeps what their source raised, since others tell that as their own."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self.error: BaseException | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._rest:
            try:
                part = next(self._chunks, None)
            except Exception as error:
                self.error = error
                raise
            if part is None:
                return b""
            self._rest = part
        cut = len(self._rest) if size < 0 else size
        found, self._rest = self._rest[:cut], self._rest[cut:]
        return found
