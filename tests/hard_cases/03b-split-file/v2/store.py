def load(path):
    return {"path": path, "rows": 1}


def save(path, row):
    if not row:
        raise ValueError("no row")
    return {"path": path, "row": row}


def drop(path):
    return path
