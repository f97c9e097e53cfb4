"""Secrets from the environment of this process: ``MLOX_SECRET_<NAME>``; no other variable is looked at."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from mlox.protocols import StoredSecret
from mlox.secret import Secret
from mlox.secret_stores.names import is_name, not_found, version_not_found

PREFIX = "MLOX_SECRET_"
VERSION = "environment"


class EnvironmentStore:
    """The variables ``MLOX_SECRET_<NAME>``, as CI gives them; it is only read. An empty one counts as missing.

    Example:
        >>> EnvironmentStore({"MLOX_SECRET_TOKEN": "hunter22", "PATH": "/bin"}).names()
        ('TOKEN',)
    """

    name = "env"

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def get(self, name: str, version: str | None = None) -> Secret:
        """The value of ``MLOX_SECRET_<NAME>``; it has no other versions.

        Raises:
            SecretNotFoundError: it is not set, or empty.
        """
        value = self._variables.get(f"{PREFIX}{name}") if is_name(name) else None
        if not value:
            raise not_found(name, self.names())
        if version not in (None, VERSION):
            raise version_not_found(name, str(version), [VERSION])
        return Secret(value, VERSION)

    def names(self) -> tuple[str, ...]:
        """The names that are set, sorted."""
        found = (key.removeprefix(PREFIX) for key, value in self._variables.items() if key.startswith(PREFIX) and value)
        return tuple(sorted(name for name in found if is_name(name)))

    def describe(self) -> tuple[StoredSecret, ...]:
        """What is set, as of now: a variable has no date."""
        return tuple(StoredSecret(name, VERSION, time.time(), ("you",)) for name in self.names())
