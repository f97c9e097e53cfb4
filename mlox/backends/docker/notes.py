"""What is noted of a service that is kept while it is changed: which units ran, and how far going back has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from mlox.backends.docker.labels import There
from mlox.protocols import Kept
from mlox.units import Unit


@dataclass(frozen=True, slots=True)
class Note:
    """What is kept of a service; ``back``: how far going back has come (the failed data is put aside by then)."""

    units: tuple[Unit, ...] = ()
    data: bool = False
    note: str = ""
    came_back: bool = False
    back: Literal["", "begun", "aside"] = ""

    @property
    def kept(self) -> Kept:
        """The same for who asked."""
        return Kept(self.units, self.data, self.note)

    def unit(self, name: str) -> Unit | None:
        """The unit of that name."""
        return next((unit for unit in self.units if unit.name == name), None)


def notes(found: Iterable[There]) -> Mapping[tuple[str, str], Note]:
    """What is kept, by stack and service; of two notes the older one counts, since it is followed by the same again."""
    made: dict[tuple[str, str], Note] = {}
    for each in sorted((each for each in found if each.role == "note"), key=lambda each: each.name, reverse=True):
        note = _read(each.note)
        if note is not None:
            made[each.labels.stack, each.labels.service] = note
    return made


def previous(kept: Mapping[tuple[str, str], Note], there: There) -> Unit | None:
    """The unit that a container takes the place of, while that is not settled."""
    note = kept.get((there.labels.stack, there.labels.service))
    return note.unit(there.labels.unit) if note is not None else None


def kept_units(found: Iterable[There]) -> tuple[Unit, ...]:
    """Every unit that may come back: what it needs must stay."""
    return tuple(unit for note in notes(found).values() for unit in note.units)


def _read(text: str) -> Note | None:
    try:
        return TypeAdapter(Note).validate_json(text)
    except ValidationError:
        return None
