"""Where rows are kept."""


def load(path: str) -> dict[str, object]:
    """Load a row."""
    if not path:
        raise ValueError("no path was given")
    return {"path": path, "rows": 1}


def load_all(paths: list[str]) -> list[dict[str, object]]:
    """Load some."""
    return [load(path) for path in paths]
