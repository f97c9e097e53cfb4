"""Secrets from Python: ``mlox.secrets.get``, ``set``, ``names``; values are :class:`mlox.Secret` and never text."""

from __future__ import annotations

from pathlib import Path

from mlox.protocols import SecretChain
from mlox.secret import Secret
from mlox.stack import Stack

__all__ = ["get", "names", "set"]


def get(name: str, version: str | None = None, *, path: str | Path | None = None) -> Secret:
    """A secret of the workspace around ``path`` (by default the current folder).

    Asked in this order: ``MLOX_SECRET_<NAME>``, the workspace's ``.env``, its vault, the user's own store.

    Raises:
        SecretNotFoundError: there is none of that name or version.
        SecretConflictError: two branches set it; a version chooses.
        IdentityError: the key that opens the store is missing or broken, or it was not sealed for the user.
        SecretError: a store failed; the problem names it.

    Example:
        >>> import mlox
        >>> mlox.secrets.get("DEMO_TOKEN").reveal()  # doctest: +SKIP
        'k3Jd0sP2'
    """
    return _store(path).get(name, version)


def set(name: str, value: str | Secret, *, path: str | Path | None = None) -> str:
    """Keep a new version of a secret in the workspace's vault; returns its id.

    Raises:
        RecipientsChangedError: others can read it than the user agreed to.
        SecretError: the name or the value cannot be kept, or the write failed.

    Example:
        >>> import mlox
        >>> mlox.secrets.set("DEMO_TOKEN", "k3Jd0sP2")  # doctest: +SKIP
        '9f2c31aa07be'
    """
    return _store(path).set(name, value if isinstance(value, Secret) else Secret(value))


def names(*, path: str | Path | None = None) -> tuple[str, ...]:
    """The names of all secrets, sorted."""
    return _store(path).names()


def _store(path: str | Path | None) -> SecretChain:
    stack = Stack(path=path)
    around = stack.surroundings()
    if around.spec.id is None:
        stack.identify()
        around = stack.surroundings()
    return around.secrets
