def load(path):
    return path


def drop(path):
    return path
