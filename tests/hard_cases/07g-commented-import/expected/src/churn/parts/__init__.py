import math
from os import (
    curdir,
    path,
    sep,  # ours
)


def area(r):
    return math.pi * r * r


def where():
    return path.join(curdir, sep)
