"""What a secret value is: something that no print, format, log, pickle or JSON can show."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from mlox.writings import SHORTEST, spans, writings

MASK = "***"

_SECRET = re.compile(
    r"(?:^|_|(?<=[a-z0-9])(?=[A-Z]))(?:PASSPHRASE|SECRET|TOKEN|KEY|CREDENTIALS?|DSN)(?:_ID|_\d+)?$", re.IGNORECASE
)
_PASSWORD = re.compile(r"(?:PASSWORD|PASSWD|(?:^|_|MYSQL_|PG)PWD|(?:^|_)PASS|(?:^|_)PW)(?:_\d+)?$", re.IGNORECASE)
_PLAIN = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"})

_made: dict[str, None] = {}
"""Every value of this process that is long enough to be looked for; by value, since a revealed text outlives its
Secret."""


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
        if len(value) >= SHORTEST:
            _made[value] = None

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


def made_values() -> tuple[str, ...]:
    """The values of all secrets that this process has made, the oldest first; those under 6 characters are left out."""
    return tuple(_made)


def mask(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` with every one of ``secrets`` replaced by ``***``; values under 6 characters are left alone.

    A value is found however it is written: see :func:`mlox.writings.writings`.

    Example:
        >>> mask("login with hunter22", [Secret("hunter22")])
        'login with ***'
    """
    values = dict.fromkeys(secret.reveal() for secret in secrets)
    return masked(text, spans(text, [form for value in values for form in writings(value)]))


def masked(text: str, places: Sequence[tuple[int, int]]) -> str:
    """``text`` with each of these places, which are in order and do not overlap, replaced by ``***``."""
    parts = []
    end = 0
    for first, last in places:
        parts += [text[end:first], MASK]
        end = last
    return "".join([*parts, text[end:]])


def is_secret(name: str, value: str) -> bool:
    """Whether a variable of that name holds a secret; a switch, a number of a key or a path is none.

    Example:
        >>> is_secret("POSTGRES_PASSWORD", "x"), is_secret("ALLOW_EMPTY_PASSWORD", "yes")
        (True, False)
    """
    words = name.replace("-", "_").replace(".", "_")
    if value.lower() in _PLAIN or value.startswith("/run/secrets/"):
        return False
    if _PASSWORD.search(words):
        return name != "PWD"
    return bool(_SECRET.search(words)) and not value.isdecimal() and not value.startswith(("/", "./", "../", "~/"))
