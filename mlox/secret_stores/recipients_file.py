"""The list of recipients as a file: a public key a line, its name in the comment above; ``age -R`` reads it too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pyrage
from pyrage import ssh, x25519

from mlox.errors import SecretError
from mlox.journal import write_atomic
from mlox.protocols import Recipient
from mlox.secret_stores.folders import unreadable
from mlox.secret_stores.private_files import make_folder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,59}")


class RecipientsFile:
    """A list of recipients in a file; lines and comments that others wrote stay.

    Example:
        >>> import tempfile
        >>> file = RecipientsFile(Path(tempfile.mkdtemp()) / "recipients")
        >>> key = str(x25519.Identity.generate().to_public())
        >>> file.add(Recipient(key, "anna"))
        >>> [each.name for each in file.read()]
        ['anna']
    """

    def __init__(self, path: Path, *, mode: int | None = None) -> None:
        self.path = path
        self._mode = mode

    def exists(self) -> bool:
        """Whether there is one."""
        return self.path.exists()

    def read(self) -> tuple[Recipient, ...]:
        """The recipients in it; none where there is no file.

        Raises:
            SecretError: it cannot be read, or a line is no public key that can be used.
        """
        found: dict[str, Recipient] = {}
        name = ""
        for number, line in enumerate(self._text().splitlines(), start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                try:
                    key = public_key(line)
                except ValueError as error:
                    raise SecretError(
                        f"{self.path}:{number}: {error}", hint="Mend that line, or take the file back from git."
                    ) from error
                found.setdefault(key, Recipient(key, name))
            name = _named(line)
        return tuple(found.values())

    def add(self, recipient: Recipient) -> None:
        """Write one more; who is there stays there."""
        if recipient.key not in {each.key for each in self.read()}:
            text = self._text()
            self.write(f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{rendered([recipient])}")

    def remove(self, key: str) -> None:
        """Take a key out, with its name."""
        kept: list[str] = []
        for line in self._text().splitlines():
            if _key_or_none(line) == key:
                if kept and _named(kept[-1]):
                    kept.pop()
            else:
                kept.append(line)
        self.write("".join(f"{line}\n" for line in kept))

    def write(self, text: str) -> None:
        """Replace all of it, in one step.

        Raises:
            SecretError: it cannot be written, or is a link to elsewhere.
        """
        if self.path.is_symlink():
            raise SecretError(f"{self.path} is a link", hint="Put a file of its own in its place.")
        try:
            make_folder(self.path.parent, mode=0o777 if self._mode is None else 0o700)
            write_atomic(self.path, text.encode(), mode=self._mode)
        except OSError as error:
            raise SecretError(
                f"cannot write {self.path}: {error.strerror or error}",
                hint="Make it writable, or free some space; it is as it was.",
            ) from error

    def _text(self) -> str:
        try:
            return self.path.read_text("utf-8-sig", errors="replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise unreadable(self.path, error) from error


def rendered(recipients: Iterable[Recipient]) -> str:
    """The text of a list."""
    return "".join(f"# {each.name}\n{each.key}\n" if each.name else f"{each.key}\n" for each in recipients)


def is_recipient_name(name: str) -> bool:
    """Whether a recipient can be called that, in a line and as the name of a file."""
    return _NAME.fullmatch(name) is not None


def public_key(text: str) -> str:
    """The public key in a text, without the comment of an SSH key.

    Raises:
        ValueError: it is none, or of a kind that cannot be used.
    """
    words = text.split()
    if len(words) == 1 and words[0].lower().startswith("age1"):
        try:
            x25519.Recipient.from_str(words[0].lower())
        except pyrage.RecipientError:
            raise ValueError("not a whole age public key") from None
        return words[0].lower()
    if len(words) >= 2 and words[0] == "ssh-ed25519":
        try:
            ssh.Recipient.from_str(f"{words[0]} {words[1]}")
        except pyrage.RecipientError:
            raise ValueError("not a whole SSH public key") from None
        return f"{words[0]} {words[1]}"
    if words and words[0].startswith(("ssh-", "ecdsa-", "sk-")):
        raise ValueError(f"a public key of the kind {words[0]}; only age keys and ssh-ed25519 keys can be used")
    raise ValueError("not a public key (age1... or ssh-ed25519 ...)")


def _key_or_none(line: str) -> str | None:
    try:
        return public_key(line)
    except ValueError:
        return None


def _named(line: str) -> str:
    """The name that a comment gives to the key in the next line; a longer text is no name."""
    text = line.strip().removeprefix("#").strip() if line.lstrip().startswith("#") else ""
    return text if is_recipient_name(text) else ""
