"""Where services on this machine find their secrets: in the user's own store, and what a person shares in the vault."""

from __future__ import annotations

from mlox.errors import SecretNotFoundError
from mlox.protocols import SecretStore, StoredSecret, WritableStore
from mlox.secret import Secret
from mlox.secret_stores.names import not_found


class ServiceStore:
    """``own``, and behind it what ``shared`` has of secrets of services; what is written or removed is in ``own``.

    Names of services' secrets have a dot (``redis.password``), others are nothing to services.

    Example:
        >>> from mlox.testing import FakeSecretStore
        >>> store = ServiceStore(FakeSecretStore(), FakeSecretStore({"cache.password": "chosen", "TOKEN": "mine"}))
        >>> store.names(), store.get("cache.password").reveal()
        (('cache.password',), 'chosen')
    """

    def __init__(self, own: WritableStore, shared: SecretStore) -> None:
        self.name = own.name
        self._own = own
        self._shared = shared

    def get(self, name: str, version: str | None = None) -> Secret:
        """The newest version of the first that has the name; a given version, of the one that has that.

        Raises:
            SecretNotFoundError: neither has.
            SecretConflictError: two branches set it in the vault, and nobody has decided.
            SecretError: the one that is asked failed.
        """
        try:
            return self._own.get(name, version)
        except SecretNotFoundError as missing:
            if name in self._others():
                return self._shared.get(name, version)
            if name in self._own.names():
                raise
            raise not_found(name, self.names()) from missing

    def names(self) -> tuple[str, ...]:
        """The names in both, sorted."""
        return tuple(sorted({*self._own.names(), *self._others()}))

    def describe(self) -> tuple[StoredSecret, ...]:
        """What a service would get of each, sorted by name."""
        own = {row.name: row for row in self._own.describe()}
        others = self._others() - own.keys()
        rows = [row for row in self._shared.describe() if row.name in others] if others else []
        return tuple(sorted([*own.values(), *rows], key=lambda row: row.name))

    def shared(self) -> frozenset[str]:
        """The names that ``own`` does not have."""
        return self._others().difference(self._own.names())

    def set(self, name: str, secret: Secret) -> str:
        """Keep a new version in ``own``; it comes before what is shared."""
        return self._own.set(name, secret)

    def delete(self, name: str) -> None:
        """Remove every version from ``own``; what is shared stays, and counts again."""
        self._own.delete(name)

    def recover(self) -> None:
        """Clear up ``own``."""
        self._own.recover()

    def _others(self) -> frozenset[str]:
        return frozenset(name for name in self._shared.names() if "." in name)
