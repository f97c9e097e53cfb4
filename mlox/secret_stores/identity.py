"""An identity file: the secret keys that open what was sealed for their public halves."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyrage
from pyrage import ssh, x25519

from mlox.errors import IdentityError, SecretError
from mlox.secret_stores.private_files import create_once
from mlox.secret_stores.ssh_keys import is_ssh_key, public_half


class Key(NamedTuple):
    """A secret key, in the form in which age opens with it, and its public half as a text."""

    opener: Any
    public: str


def seal(content: bytes, public: Sequence[str]) -> bytes:
    """``content`` encrypted for every one of these public keys."""
    recipients = [(x25519 if key.startswith("age1") else ssh).Recipient.from_str(key) for key in public]
    sealed: bytes = pyrage.encrypt(content, recipients)
    return sealed


def keys_in(text: str) -> list[Key]:
    """The keys in the text of an identity file: lines ``AGE-SECRET-KEY-1...``, or one SSH key.

    Raises:
        ValueError: it holds none that can be used; the message says why and shows nothing of it.
    """
    if is_ssh_key(text):
        public = public_half(text)
        try:
            return [Key(ssh.Identity.from_buffer(text.strip().encode() + b"\n"), public)]
        except pyrage.IdentityError:
            raise ValueError("it is damaged") from None
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                opener = x25519.Identity.from_str(line.strip())
            except pyrage.IdentityError:
                raise ValueError(f"line {number} is not an age secret key") from None
            keys.append(Key(opener, str(opener.to_public())))
    if not keys:
        raise ValueError("it holds no key")
    return keys


class IdentityFile:
    """An age identity file as ``age-keygen`` writes it, lines ``AGE-SECRET-KEY-1...`` and comments, or an SSH key.

    The first key seals; every key in it opens. The file is only made where there is none.

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
        return seal(content, [self.load()[0].public])

    def open(self, sealed: bytes, source: Path) -> bytes:
        """What ``sealed``, the content of the file ``source``, holds.

        Raises:
            IdentityError: the file is missing, broken or open to others, or none of its keys opens it.
            SecretError: ``sealed`` is damaged.
        """
        try:
            content: bytes = pyrage.decrypt(sealed, [key.opener for key in self.load()])
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

    def load(self) -> list[Key]:
        """The keys in it.

        Raises:
            IdentityError: the file is missing, broken or open to others, or of a kind that cannot be used.
        """
        text = self.text()
        try:
            return keys_in(text)
        except ValueError as error:
            if is_ssh_key(text):
                raise IdentityError(
                    f"the identity {self.path} cannot be used: {error}",
                    hint="Take an ed25519 key without a passphrase (ssh-keygen -t ed25519), or let mlox make its own.",
                ) from error
            raise self._broken(str(error)) from error

    def text(self) -> str:
        """What it holds.

        Raises:
            IdentityError: the file is missing, or open to others, or no file.
        """
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
