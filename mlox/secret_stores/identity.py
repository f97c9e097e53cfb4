"""The user's age identity: the file with the secret key that opens what was sealed for its public half."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pyrage
from pyrage import x25519

from mlox.errors import IdentityError, SecretError
from mlox.secret_stores.private_files import create_once


class IdentityFile:
    """An age identity file as ``age-keygen`` writes it: lines ``AGE-SECRET-KEY-1...`` and comments.

    The first key seals; every key in it opens. The file is never changed, only made where there is none.

    Example:
        >>> import tempfile
        >>> identity = IdentityFile(Path(tempfile.mkdtemp()) / "identity")
        >>> identity.make()
        >>> identity.open(identity.seal(b"hunter22"), Path("x.age"))
        b'hunter22'
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether anything stands at the path, also something broken."""
        return os.path.lexists(self.path)

    def make(self) -> None:
        """Make a new identity, unless there is one.

        Raises:
            SecretError: it cannot be written.
        """
        key = x25519.Identity.generate()
        lines = (
            f"# created: {datetime.now(UTC).isoformat(timespec='seconds')}",
            f"# public key: {key.to_public()}",
            str(key),
        )
        try:
            with suppress(FileExistsError):
                create_once(self.path, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            raise SecretError(
                f"cannot write the identity {self.path}: {error.strerror or error}",
                hint="Make its folder writable, or free some space; nothing was kept.",
            ) from error

    def seal(self, content: bytes) -> bytes:
        """``content`` encrypted for the first key of the file.

        Raises:
            IdentityError: the file is missing, broken or open to others.
        """
        sealed: bytes = pyrage.encrypt(content, [self._keys()[0].to_public()])
        return sealed

    def open(self, sealed: bytes, source: Path) -> bytes:
        """What ``sealed``, the content of the file ``source``, holds.

        Raises:
            IdentityError: the file is missing, broken or open to others, or none of its keys opens it.
            SecretError: ``sealed`` is damaged.
        """
        try:
            content: bytes = pyrage.decrypt(sealed, self._keys())
        except pyrage.DecryptError as error:
            if "No matching keys" in str(error):
                raise IdentityError(
                    f"{source} was sealed for another key than those in {self.path}",
                    hint="Add the key that sealed it, from your backup, as a line of the identity file.",
                ) from error
            raise SecretError(
                f"{source} is damaged: {error}", hint="Restore that file from a backup, or set the secret again."
            ) from error
        return content

    def _keys(self) -> list[x25519.Identity]:
        keys = []
        for number, line in enumerate(self._text().splitlines(), start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                try:
                    keys.append(x25519.Identity.from_str(line.strip()))
                except pyrage.IdentityError as error:
                    raise self._broken(f"line {number} is not an age secret key") from error
        if not keys:
            raise self._broken("it holds no key")
        return keys

    def _text(self) -> str:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise self.missing() from error
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            found = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(found):
                raise self._broken("it is a folder" if stat.S_ISDIR(found) else "it is not a regular file")
            if found & 0o077:
                raise IdentityError(
                    f"the identity {self.path} is open to other users (mode {stat.S_IMODE(found):04o})",
                    hint=f"Close it with: chmod 600 {self.path}",
                )
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read()
        except OSError as error:
            raise self._unreadable(error) from error
        finally:
            os.close(descriptor)
        return content.decode("utf-8-sig", errors="replace")  # what is replaced is no key, and is refused as such

    def missing(self) -> IdentityError:
        """The error for an identity that is needed and not there."""
        return IdentityError(
            f"there is no identity at {self.path}",
            hint=f"Restore {self.path.name} from your backup: the secrets cannot be read without it.",
        )

    def _broken(self, what: str) -> IdentityError:
        return IdentityError(
            f"the identity {self.path} is broken: {what}",
            hint="Restore it from your backup (it holds a line AGE-SECRET-KEY-1...); mlox does not overwrite it.",
        )

    def _unreadable(self, error: OSError) -> IdentityError:
        return IdentityError(
            f"cannot read the identity {self.path}: {error.strerror or error}",
            hint="Make it readable to you alone, mode 600.",
        )
