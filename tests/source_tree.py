"""The texts of both packages, as tests of the source read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]

Sources = Mapping[str, str]
"""Texts by the name of their module; a package's ``__init__`` has the package's name."""


def sources(root: Path = ROOT) -> dict[str, str]:
    """The modules of both packages."""
    found = {}
    for path in sorted(p for package in ("mlox", "mlox_jupyter") for p in (root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text("utf-8")
    return found


SOURCES = sources()


def told(offences: list[str]) -> str:
    """The offences, a line each."""
    return "\n".join(["", *offences])
