def load(path):
    return {"path": path}
