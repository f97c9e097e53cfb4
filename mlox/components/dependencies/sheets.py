"""Where a project writes what it depends on: what stands there, and where a line of ours goes, as one insertion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlox.components.dependencies.versions import Listed


class Sheet(Protocol):
    """One list of requirements in one file.

    What mlox writes is one insertion of text in front of the user's own requirements. So it can be taken out again to
    the byte, whatever else stands there.
    """

    @property
    def path(self) -> str:
        """The file."""

    @property
    def where(self) -> str:
        """The list in that file."""

    @property
    def names_are_keys(self) -> bool:
        """Whether each name can stand there once only."""

    def listed(self, text: str) -> tuple[Listed, ...]:
        """What stands there."""

    def is_new(self, text: str) -> bool:
        """Whether the list itself has to be written first."""

    def insertion(self, text: str, entries: Sequence[str], *, made: bool) -> tuple[int, str]:
        """Where entries go, and the text that they are there; with ``made`` the list goes in with them.

        Raises:
            WorkspaceError: the list has a form that cannot be edited.
        """

    def found(self, text: str, entries: Sequence[str], *, made: bool) -> tuple[int, str] | None:
        """The same for a text that has them; None where somebody has changed them."""

    def without(self, text: str, entry: str) -> str:
        """The text without an entry, wherever it stands."""


def put(sheet: Sheet, text: str, entries: Sequence[str], *, made: bool) -> str:
    """The text with ``entries``."""
    if not entries:
        return text
    at, block = sheet.insertion(text, entries, made=made)
    return text[:at] + block + text[at:]


def taken(sheet: Sheet, text: str, entries: Sequence[str], *, made: bool) -> str | None:
    """The text from which putting ``entries`` in makes this one; None where there is none."""
    if not entries:
        return text
    found = sheet.found(text, entries, made=made)
    if found is None:
        return None
    at, block = found
    before = text[:at] + text[at + len(block) :]
    return before if sheet.insertion(before, entries, made=made) == found else None
