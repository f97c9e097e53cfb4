def load(path):
    if not path:
        raise ValueError("no path was given")
    return {"path": path}
