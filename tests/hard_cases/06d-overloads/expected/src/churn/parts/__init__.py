from typing import overload


@overload
def read(value: int) -> int:
    """Ours."""


@overload
def read(value: bytes) -> bytes: ...


@overload
def read(value: str) -> str: ...


def read(value, *, strict=False):
    return value
