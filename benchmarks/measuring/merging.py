"""Merges in this process, as a scorer calls them: three texts in, the text and how many conflicts it has out."""

from __future__ import annotations

import mlox


def full(base: str, left: str, right: str) -> tuple[str, int]:
    """All rules."""
    merged = mlox.merge(base, left, right, path="scenario.py", level="full")
    return merged.text, len(merged.conflicts)


def strict(base: str, left: str, right: str) -> tuple[str, int]:
    """Only the rules that are nearly always right."""
    merged = mlox.merge(base, left, right, path="scenario.py", level="strict")
    return merged.text, len(merged.conflicts)
