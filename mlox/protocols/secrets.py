"""What stores of secrets answer: one that is read, one that is written, several as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mlox.secret import Secret


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret without its value: name, newest version, when it was set (seconds since the epoch), who can read it.

    ``plain`` is one that its name and value show to be no secret, in a store that holds others too: ``PORT=5432``.
    """

    name: str
    version: str
    updated: float
    readers: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()  # its newest versions where there are several: two branches set it
    plain: bool = False


class SecretStore(Protocol):
    """A place that keeps secrets."""

    name: str

    def get(self, name: str, version: str | None = None) -> Secret:
        """The newest version, or a given one.

        Raises:
            SecretNotFoundError: there is none.
            SecretConflictError: there are several newest ones; a version chooses.
            IdentityError: the store cannot be opened.
        """

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""

    def describe(self) -> tuple[StoredSecret, ...]:
        """All secrets without their values, sorted by name."""


@runtime_checkable
class VersionedStore(SecretStore, Protocol):
    """A store that keeps what was."""

    def versions(self, name: str) -> tuple[str, ...]:
        """The ids of all versions, older ones first as far as a second tells; none where there is no such secret."""


@runtime_checkable
class WritableStore(SecretStore, Protocol):
    """A store that can be written. What ``set`` returned is readable by that version at once."""

    def set(self, name: str, secret: Secret) -> str:
        """Keep a new version and return its id; a failing write raises.

        Raises:
            SecretError: the name or the value cannot be kept, or the write failed.
        """

    def delete(self, name: str) -> None:
        """Remove every version.

        Raises:
            SecretNotFoundError: there is none.
        """

    def recover(self) -> None:
        """Remove what a killed process left half written or half deleted."""


class ServiceSecrets(WritableStore, Protocol):
    """The secrets that services on this machine find: what is written there, and behind it what a person shares."""

    def shared(self) -> frozenset[str]:
        """The names of those that are only shared: a write puts another value before them, and no delete finds them."""


class SecretChain(WritableStore, Protocol):
    """Several stores as one; ``store`` names one of them."""

    def find(self, name: str, version: str | None = None, *, store: str | None = None) -> tuple[str, Secret]:
        """The value, with the name of the store that gave it."""

    def rows(self) -> tuple[tuple[str, StoredSecret], ...]:
        """Every secret of every store, with the store's name."""

    def target(self, name: str, store: str | None = None) -> WritableStore:
        """The store that a new version of ``name`` goes to."""

    def holder(self, name: str, store: str | None = None) -> WritableStore:
        """The one store that can be written and has ``name``."""

    def before(self, name: str, store: str) -> tuple[str, ...]:
        """The stores that are asked before ``store`` and have ``name`` too: their value is what a read gets."""
