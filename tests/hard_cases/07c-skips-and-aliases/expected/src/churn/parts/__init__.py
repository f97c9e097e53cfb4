import sys  # isort: skip
import math as math  # noqa: PLC0414
from os import (
    curdir,
    path,
    sep,
)


def area(r):
    return math.pi * r * r


def where():
    return path.join(curdir, sep)


PATH = sys.path
