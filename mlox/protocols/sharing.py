"""How people share a store of secrets: who can read it, and how that changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from mlox.protocols.saving import Sealing
from mlox.protocols.secrets import WritableStore
from mlox.secret import Secret


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key, age or ssh-ed25519, and the name of whose it is (empty where nobody wrote one)."""

    key: str
    name: str = ""

    @property
    def short(self) -> str:
        """The key cut for a line of text."""
        return self.key if len(self.key) <= 30 else f"{self.key[:14]}...{self.key[-8:]}"

    def __str__(self) -> str:
        return f"{self.name} ({self.short})" if self.name else self.short


@dataclass(frozen=True, slots=True)
class Changes:
    """How the recipients differ from those that the user agreed to."""

    added: tuple[Recipient, ...] = ()
    removed: tuple[Recipient, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def __str__(self) -> str:
        parts = [f"{recipient} was added" for recipient in self.added]
        return ", ".join([*parts, *(f"{recipient} was removed" for recipient in self.removed)])


@dataclass(frozen=True, slots=True)
class Resealed:
    """What ``share`` sealed for all recipients, and what it could not, since the user cannot read it; sorted names."""

    names: tuple[str, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaver:
    """What a former recipient could read: the names of secrets, and of those whose newest version is among it."""

    could_read: tuple[str, ...]
    newest: tuple[str, ...]


class Sharing(Protocol):
    """How people let each other into a store."""

    def recipients(self) -> tuple[Recipient, ...]:
        """Who can read what is set from now on."""

    def own(self) -> frozenset[str]:
        """The user's own public keys; none where the user has no identity yet."""

    def changes(self) -> Changes:
        """How the recipients differ from those that the user agreed to."""

    def agree(self, recipients: Sequence[Recipient]) -> None:
        """Remember on this machine that the user agreed to exactly these."""

    def requests(self) -> tuple[Recipient, ...]:
        """Who asked to be let in."""

    def find(self, who: str, name: str | None = None) -> Recipient:
        """Whom ``who`` means: a public key, or the name of a request or of a recipient.

        Raises:
            SecretError: nobody, or more than one; or it is a key that cannot be used.
        """

    def share(self, recipient: Recipient, *, dry_run: bool = False) -> Resealed:
        """Add a recipient, and seal the newest version of each secret for all of them.

        Raises:
            RecipientsChangedError: there are others among them whom the user did not agree to.
        """

    def unshare(self, recipient: Recipient, *, dry_run: bool = False) -> Leaver:
        """Take a recipient out; what was sealed for them before stays readable to them."""

    def join(self, name: str | None = None, *, dry_run: bool = False) -> tuple[Recipient, Path | None]:
        """Ask to be let in, by a file in the repository; None in its place where the user is in already."""

    def save_key(self, path: Path, passphrase: Secret) -> None:
        """Write the user's identity to a file that a passphrase opens."""

    def load_key(self, path: Path, passphrase: Callable[[], Secret]) -> tuple[str, ...]:
        """Add the keys of a file that :meth:`save_key` wrote, or of an age identity file; returns the new public keys.

        ``passphrase`` is asked only where the file is encrypted with one.

        Raises:
            IdentityError: the passphrase does not open it, or it holds no keys.
        """

    def load_ssh_key(self, path: Path) -> str:
        """Use an unencrypted ed25519 SSH key from now on, where it is; returns its public key.

        Raises:
            IdentityError: it is of another kind, encrypted, or open to others.
        """


@runtime_checkable
class SharedStore(WritableStore, Protocol):
    """A store whose secrets several people can read, each with a key of their own."""

    @property
    def sharing(self) -> Sharing:
        """Who can."""

    @property
    def sealing(self) -> Sealing:
        """What seals for them what is no secret of the store."""
