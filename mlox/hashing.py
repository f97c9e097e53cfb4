"""A password hashed by bcrypt, as servers keep it in a file: those of Go take nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

COST = 4
"""Two to this power is how often the key is set up: the least. More only delays who guesses a weak password."""

LONGEST = 72
"""How many bytes of a password count; Go's refuses longer ones."""

_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ALPHABET = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
"""The digits of base64, and those that bcrypt has in their place."""


@lru_cache(maxsize=64)
def hashed(password: str) -> str:
    """The hash of a password, the same one each time, as a line of ``htpasswd`` has it after the colon.

    The salt is made of the password: a file with the hash can be compared with what it should be, and 24 random
    characters need no salt.

    Raises:
        ValueError: the password is longer than what counts, or has a zero byte, where it would end.

    Example:
        >>> hashed("not-the-default-one")[:7]
        '$2b$04$'
    """
    import bcrypt

    raw = password.encode()
    if len(raw) > LONGEST or 0 in raw:
        raise ValueError(f"bcrypt takes up to {LONGEST} bytes, none of them zero")
    salt = base64.b64encode(hashlib.sha256(b"mlox bcrypt salt\0" + raw).digest()[:16])
    told = salt.rstrip(b"=").translate(bytes.maketrans(_STANDARD, _ALPHABET))
    return bcrypt.hashpw(raw, b"$2b$%02d$%b" % (COST, told)).decode()
