A = 4


def load(path):
    return path or "ours"


def save(path):
    return [path]
