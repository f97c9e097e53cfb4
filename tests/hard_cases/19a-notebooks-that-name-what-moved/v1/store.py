def load(path):
    return {"path": path}


def save(path):
    return [path]
