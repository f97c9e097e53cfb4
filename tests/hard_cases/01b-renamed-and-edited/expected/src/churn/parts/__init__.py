def fetch(path):
    path = path.strip().lower()
    if not path:
        raise ValueError("no path")
    rows = {"path": path}
    log(rows)
    return rows


def log(rows):
    return rows


if __name__ == "__main__":
    print(fetch("a"))
