import math
from os import path, sep


def area(r):
    return 3 * r * r


def where():
    return path.join("a", sep)
