from .limits import LIMIT


def load(value):
    return min(value, LIMIT)
