from typing import overload


@overload
def read(value: int) -> int: ...


@overload
def read(value: str) -> str: ...


def read(value):
    return value
