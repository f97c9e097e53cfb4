"""A secret store in memory, for tests; the contract suite holds it to the behaviour of the real ones."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping

from mlox.errors import SecretError
from mlox.protocols import StoredSecret
from mlox.secret import Secret
from mlox.secret_stores.names import check_name, content_of, not_found, version_not_found


class FakeSecretStore:
    """A secret store in memory. Put a reason into ``failure``, and every write fails with it.

    Example:
        >>> store = FakeSecretStore({"TOKEN": "hunter22"})
        >>> store.get("TOKEN").reveal()
        'hunter22'
        >>> store.failure = "No space left on device"
        >>> store.set("TOKEN", Secret("hunter23"))
        Traceback (most recent call last):
        mlox.errors.SecretError: cannot write secret 'TOKEN': No space left on device
    """

    name = "fake"

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.failure: str | None = None
        self._secrets: dict[str, dict[str, tuple[Secret, float]]] = {}
        for name, value in (values or {}).items():
            self.set(name, Secret(value))

    def get(self, name: str, version: str | None = None) -> Secret:
        """The newest version, or a given one.

        Raises:
            SecretNotFoundError: there is none.
        """
        versions = self._secrets.get(name)
        if versions is None:
            raise not_found(name, self.names())
        if version is None:
            return list(versions.values())[-1][0]
        if version not in versions:
            raise version_not_found(name, version, list(versions))
        return versions[version][0]

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._secrets))

    def describe(self) -> tuple[StoredSecret, ...]:
        """All secrets without their values, sorted by name."""
        newest = ((name, list(self._secrets[name].items())[-1]) for name in self.names())
        return tuple(StoredSecret(name, version, updated, ("you",)) for name, (version, (_, updated)) in newest)

    def set(self, name: str, secret: Secret) -> str:
        """Keep a new version and return its id.

        Raises:
            SecretError: the name or the value cannot be kept, or ``failure`` is set.
        """
        check_name(name)
        text = content_of(name, secret).decode()
        self._may_fail("write", name)
        version = secrets.token_hex(6)
        self._secrets.setdefault(name, {})[version] = (Secret(text, version), time.time())
        return version

    def delete(self, name: str) -> None:
        """Remove every version.

        Raises:
            SecretNotFoundError: there is none.
            SecretError: ``failure`` is set.
        """
        if name not in self._secrets:
            raise not_found(name, self.names())
        self._may_fail("delete", name)
        del self._secrets[name]

    def recover(self) -> None:
        """Do nothing: each call here is done or not."""

    def _may_fail(self, verb: str, name: str) -> None:
        if self.failure is not None:
            raise SecretError(f"cannot {verb} secret {name!r}: {self.failure}", hint="Set `failure` to None.")
