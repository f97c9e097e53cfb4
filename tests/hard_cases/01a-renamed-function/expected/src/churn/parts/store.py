"""Where rows are kept."""


def fetch(path: str) -> dict[str, object]:
    """Load a row."""
    if not path:
        raise ValueError("no path was given")
    return {"path": path, "rows": 1}


def load_all(paths: list[str]) -> list[dict[str, object]]:
    """Load some."""
    return [fetch(path) for path in paths]
