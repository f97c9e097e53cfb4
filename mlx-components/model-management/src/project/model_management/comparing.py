"""What is better about a version, metric by metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Change:
    """A metric of two versions; None where one of them has not measured it."""

    metric: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        """By how much it has grown."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class Rule:
    """When a version is better: its ``metric`` is ``higher``, or ``lower``, by at least ``by``.

    Example:
        >>> Rule("auc", by=0.01).holds({"auc": 0.80}, {"auc": 0.82})
        True
    """

    metric: str
    better: Literal["higher", "lower"] = "higher"
    by: float = 0.0

    def holds(self, before: Mapping[str, float], after: Mapping[str, float]) -> bool:
        """Whether what comes ``after`` is better; what is not measured, or is no number, is not better than anything.

        Against something that has not measured it, any number is better.
        """
        new, old = after.get(self.metric, math.nan), before.get(self.metric, math.nan)
        if math.isnan(new):
            return False
        gain = (new - old) if self.better == "higher" else (old - new)
        # In floats 0.3 - 0.2 is less than 0.1.
        return math.isnan(old) or (gain > 0 and gain >= self.by - 1e-12)


def compared(before: Mapping[str, float], after: Mapping[str, float]) -> list[Change]:
    """All metrics of both, sorted by their names."""
    return [Change(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]
