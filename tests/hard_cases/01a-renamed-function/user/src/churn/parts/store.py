"""Where rows are kept."""


def fetch(path: str) -> dict[str, object]:
    """Load a row."""
    if not path:
        raise ValueError("no path")
    return {"path": path}


def load_all(paths: list[str]) -> list[dict[str, object]]:
    """Load some."""
    return [fetch(path) for path in paths]
