"""What a provider is asked for on behalf of a consumer: an account of its own, and copies of what that has there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Copies:
    """Commands around a change that may fail, each with the same result when it runs again.

    ``keep`` copies what an account has, where there is no copy yet; ``take_back`` puts a copy that there is in its
    place; ``forget`` removes it. ``save`` writes what is in it to standard output, and ``load`` puts what that wrote in
    its place; a provider may know of neither.
    """

    keep: tuple[str, ...]
    take_back: tuple[str, ...]
    forget: tuple[str, ...]
    save: tuple[str, ...] = ()
    load: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a provider is asked for on behalf of a unit, before that starts: an account of its own.

    ``unit`` is the provider's, inside which all commands run with ``environment``; that holds secrets of the consumer's
    unit by its own keys. ``name`` is what the account is called there.
    """

    need: str
    provider: str
    unit: str
    name: str
    argv: tuple[str, ...]
    revoke: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    copies: Copies | None = None

    def __str__(self) -> str:
        return f"{self.name} in {self.provider}"
