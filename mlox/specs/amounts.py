"""How Compose writes times and sizes, and what they are in seconds and bytes."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d|w)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?", re.IGNORECASE)
MOST = 2**63 - 1


def seconds(value: object) -> float:
    """A duration in seconds: ``1m30s``, ``500ms``, or a number.

    Source: https://docs.docker.com/reference/compose-file/extension/#specifying-durations

    Raises:
        ValueError: it is none.

    Example:
        >>> seconds("1m30s"), seconds("1.5h"), seconds(10)
        (90.0, 5400.0, 10.0)
    """
    if isinstance(value, str) and len(value) <= 100:
        parts = _PART.findall(value)
        if parts and "".join(map("".join, parts)) == value:
            total = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
            return _bounded(round(total, 6))
        if value == "0":
            return 0.0
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return _bounded(float(value))
    raise ValueError("not a duration: write 30s, 1m30s, 500ms")


def size_bytes(value: object) -> int:
    """A size in bytes: ``512m``, ``1.5gb``, or a number; the units are powers of 1024.

    Source: https://docs.docker.com/reference/compose-file/extension/#specifying-byte-values

    Raises:
        ValueError: it is none.

    Example:
        >>> size_bytes("512m"), size_bytes("1kb"), size_bytes(64)
        (536870912, 1024, 64)
    """
    if isinstance(value, str) and len(value) <= 40 and (match := _SIZE.fullmatch(value.strip())):
        return int(_bounded(float(match[1]) * 1024 ** _power(match[2])))
    if isinstance(value, str) and value.strip() == "-1":
        return -1
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -1 <= value <= MOST:
        return value
    raise ValueError("not a size: write 512m, 1g, or a number of bytes")


def _power(letter: str) -> int:
    return " kmgtp".index(letter.lower() or " ")


def _bounded(value: float) -> float:
    if not 0 <= value <= MOST:
        raise ValueError("the number is too large, or below zero")
    return value


Duration = Annotated[float, BeforeValidator(seconds), Field(ge=0)]
"""A duration: as Compose writes it, or seconds; seconds inside."""

Size = Annotated[int, BeforeValidator(size_bytes)]
"""A size: as Compose writes it, or bytes; bytes inside. -1 is unlimited."""
