def load(path):
    return path


def save(path, row):
    if not row:
        raise ValueError("no row")
    return {"path": path, "row": row}


def drop(path):
    return [path]
