import sys  # isort: skip
import math as math  # noqa: PLC0414
from os import (
    path,
    sep,
)


def area(r):
    return 3 * r * r


def where():
    return path.join("a", sep)


PATH = sys.path
