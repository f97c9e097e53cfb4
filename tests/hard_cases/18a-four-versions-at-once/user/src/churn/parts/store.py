A = 1


def load(path):
    return path or "ours"
