"""Which secrets of a stack this user can read, with their values: for redaction and for the scanner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlox.errors import SecretError
from mlox.protocols import SecretStore
from mlox.secret import Secret
from mlox.stack.stack import Stack


def readable_secrets(stack: Stack, known: Mapping[str, str] | None = None) -> Iterator[tuple[str, Secret | None]]:
    """Every secret by name, in its newest version; without those whose version in ``known`` is that one.

    One that cannot be opened is None.
    """
    for store in _stores(stack):
        for described in store.describe():
            if known is None or known.get(described.name) != described.version:
                try:
                    yield described.name, store.get(described.name, described.version)
                except SecretError:
                    yield described.name, None


def _stores(stack: Stack) -> tuple[SecretStore, ...]:
    """The stores that this stack reads from."""
    if not stack.workspace.exists or stack.id is None:
        return ()
    return (stack.surroundings().store,)
