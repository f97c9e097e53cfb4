def load(path):
    return {"path": path, "rows": 1}
