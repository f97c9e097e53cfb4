MINE = 1


def load(path):
    return {"path": path}


def save(path, row):
    return {"path": path, "row": row}
