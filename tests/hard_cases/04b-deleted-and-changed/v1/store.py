def load(path):
    return path


def save(path, row):
    return {"path": path, "row": row}


def drop(path):
    return path
