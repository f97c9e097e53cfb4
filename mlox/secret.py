"""What a secret value is: something that no print, format, log, pickle or JSON can show."""

from __future__ import annotations

import hmac
from typing import NoReturn
from urllib.parse import quote

MASK = "***"


class Secret:
    """A secret value and the version of it that a store gave.

    It is not a ``str``: joining, formatting and JSON cannot leak it by accident. Only :meth:`reveal` hands the text
    out, in the call that sends it.

    Example:
        >>> token = Secret("s3cret-value", version="9f2c")
        >>> print(token, f"{token}", [token])
        *** *** [Secret('***', version='9f2c')]
        >>> token.reveal()
        's3cret-value'
    """

    __slots__ = ("_value", "version")

    def __init__(self, value: str, version: str | None = None) -> None:
        if not isinstance(value, str):
            raise TypeError(f"a Secret holds text, not {type(value).__name__}")
        self._value = value
        self.version = version

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r}, version={self.version!r})"

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is a handle for guessing it

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied into a file; keep its name and ask the store again")


def mask(text: str, secrets: tuple[Secret, ...] | list[Secret]) -> str:
    """``text`` with every one of ``secrets`` replaced by ``***``; values under 6 characters are left alone.

    A value is found as it is, percent-encoded as in a URL, and line by line.

    Example:
        >>> mask("login with hunter22", [Secret("hunter22")])
        'login with ***'
    """
    values = {s.reveal() for s in secrets}
    forms = values | {quote(value, safe="", errors="replace") for value in values}
    forms |= {line.strip() for value in values for line in value.splitlines()}
    for form in sorted(forms, key=len, reverse=True):
        if len(form) >= 6:
            text = text.replace(form, MASK)
    return text
