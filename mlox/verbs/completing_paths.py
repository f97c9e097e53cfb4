"""Which paths a path that is being typed may become."""

from __future__ import annotations

from pathlib import Path


def paths(partial: str) -> tuple[str, ...]:
    """What lies there, sorted; a folder ends in a slash, and what is hidden is shown when its dot is typed."""
    folder, slash, begin = partial.rpartition("/")
    try:
        found = sorted(Path(f"{folder}{slash}" or ".").iterdir())
    except (OSError, ValueError):  # whoever types is not told of it
        return ()
    shown = [path for path in found if path.name.startswith(begin) and (begin or not path.name.startswith("."))]
    return tuple(f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}" for path in shown)
