"""When an alert rule holds: a small closed grammar, such as ``unhealthy`` or ``memory > 2 GiB``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from mlox.specs.amounts import seconds, size_bytes

Measure = Literal["unhealthy", "unanswered", "memory", "disk", "cpu", "restarts", "probe", "backup"]

FORMS = (
    "unhealthy",
    "unanswered",
    "memory > 2 GiB",
    "disk > 10 GiB",
    "cpu > 90%",
    "restarts > 3",
    "probe > 500ms",
    "backup older than 1d",
)
"""One example of every kind of condition, for messages and docs."""

_COMPARED = re.compile(r"(memory|disk|cpu|restarts|probe)\s*(>=|<=|>|<)\s*(\S.*)")
_OLDER = re.compile(r"backup\s+older\s+than\s+(\S+)")

_STATES: Mapping[str, Measure] = {"unhealthy": "unhealthy", "unanswered": "unanswered"}
_MEASURES: Mapping[str, Measure] = {
    "memory": "memory",
    "disk": "disk",
    "cpu": "cpu",
    "restarts": "restarts",
    "probe": "probe",
}
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to be so for an alert.

    ``limit`` is bytes for memory and disk, percent of one core for cpu, milliseconds for probe, seconds for backup.
    ``operator`` is empty for ``unhealthy`` and ``unanswered``, which compare nothing.
    """

    measure: Measure
    operator: str = ""
    limit: float = 0

    def holds(self, value: float) -> bool:
        """Whether a value is beyond the limit.

        Example:
            >>> condition("restarts > 3").holds(4), condition("memory < 1g").holds(2**30)
            (True, False)
        """
        return _OPERATORS[self.operator](value, self.limit)

    def shown(self, value: float) -> str:
        """A value of this measure for a reader.

        Example:
            >>> condition("memory > 1 GiB").shown(3 * 2**29), condition("cpu > 90%").shown(97.25)
            ('1.5 GiB', '97%')
        """
        return _SHOWN[self.measure](value)

    def __str__(self) -> str:
        if not self.operator:
            return self.measure
        if self.measure == "backup":
            return f"backup older than {_exact_s(self.limit)}"
        return f"{self.measure} {self.operator} {_EXACT[self.measure](self.limit)}"


def condition(text: str) -> Condition:
    """The condition that a text says.

    Raises:
        ValueError: it is none; the message names the forms that there are.

    Example:
        >>> condition("memory > 2 GiB"), str(condition("backup  older than 24h"))
        (Condition(measure='memory', operator='>', limit=2147483648), 'backup older than 86400s')
    """
    words = text.strip()
    if words in _STATES:
        return Condition(_STATES[words])
    if (match := _OLDER.fullmatch(words)) is not None:
        return Condition("backup", ">", _amount("backup", match[1], words))
    if (match := _COMPARED.fullmatch(words)) is not None:
        measure = _MEASURES[match[1]]
        return Condition(measure, match[2], _amount(measure, match[3].strip(), words))
    raise ValueError(f"{words[:60]!r} is no condition: write one like {'; '.join(FORMS)}")


def _amount(measure: Measure, text: str, whole: str) -> float:
    try:
        found = _READ[measure](text)
    except ValueError as error:
        example = next(form for form in FORMS if form.startswith(measure))
        raise ValueError(f"{whole[:60]!r}: {error}; for example: {example}") from error
    if found < 0:
        raise ValueError(f"{whole[:60]!r}: the number is below zero")
    return found


def _percent(text: str) -> float:
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*%", text)
    if match is None:
        raise ValueError("not a share: write 90%, where 100% is one core")
    return float(match[1])


def _count(text: str) -> float:
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError("not a whole number")
    return int(text)


def _shown_bytes(value: float) -> str:
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= factor:
            return f"{value / factor:.1f} {unit}"
    return f"{value:.0f} B"


def _shown_s(value: float) -> str:
    for unit, factor in (("d", 86400), ("h", 3600), ("min", 60)):
        if value >= 2 * factor:
            return f"{value / factor:.0f} {unit}"
    return f"{value:.0f} s"


def _exact_s(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") + "s"


_READ: Mapping[str, Callable[[str], float]] = {
    "memory": size_bytes,
    "disk": size_bytes,
    "cpu": _percent,
    "restarts": _count,
    "probe": lambda text: round(seconds(text) * 1000, 3),
    "backup": seconds,
}
_SHOWN: Mapping[str, Callable[[float], str]] = {
    "memory": _shown_bytes,
    "disk": _shown_bytes,
    "cpu": lambda value: f"{value:.0f}%",
    "restarts": lambda value: f"{value:.0f}",
    "probe": lambda value: f"{value:.0f} ms",
    "backup": _shown_s,
}
_EXACT: Mapping[str, Callable[[float], str]] = {
    "memory": lambda value: f"{value:.0f}b",
    "disk": lambda value: f"{value:.0f}b",
    "cpu": lambda value: f"{value:.6f}".rstrip("0").rstrip(".") + "%",
    "restarts": lambda value: f"{value:.0f}",
    "probe": lambda value: _exact_s(value / 1000),
}


def _checked(text: str) -> str:
    condition(text)
    return text


When = Annotated[str, AfterValidator(_checked)]
"""A condition as it is written."""
