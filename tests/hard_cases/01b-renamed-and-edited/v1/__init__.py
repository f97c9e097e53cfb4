def load(path):
    path = path.strip()
    if not path:
        raise ValueError("no path")
    rows = {"path": path}
    return rows


def log(rows):
    return rows


if __name__ == "__main__":
    print(load("a"))
