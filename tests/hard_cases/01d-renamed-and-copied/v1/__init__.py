def load(path):
    if not path:
        raise ValueError("no path")
    return {"path": path}
