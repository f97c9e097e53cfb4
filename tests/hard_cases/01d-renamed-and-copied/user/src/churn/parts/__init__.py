def fetch(path):
    if not path:
        raise ValueError("no path")
    return {"path": path}


def fetch_again(path):
    if not path:
        raise ValueError("no path")
    return {"path": path}
