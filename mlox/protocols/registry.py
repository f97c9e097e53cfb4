"""Where components come from: what a registry answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Published:
    """One version of a component that a registry has.

    ``yanked`` says why nobody should take it any more; ``digest`` is that of the whole component, where the registry
    lists it.
    """

    version: str
    yanked: str = ""
    digest: str = ""


class Registry(Protocol):
    """A place that components come from. In it they have their own names, without a namespace."""

    name: str

    @property
    def source(self) -> str:
        """Where it is, for a record: an address that still means the same later, and never holds a secret."""

    def names(self) -> tuple[str, ...]:
        """The names of all components, sorted.

        Raises:
            WorkspaceError: it cannot be reached. SpecError: what it says cannot be right.
        """

    def versions(self, name: str) -> tuple[Published, ...]:
        """Every version of a component, newest first, also those that were yanked.

        Raises:
            UnknownNameError: there is none of that name. WorkspaceError, SpecError: see :meth:`names`.
        """

    def read(self, name: str, version: str | None = None) -> Mapping[str, bytes]:
        """Every file of a component by its path in the component's folder, with ``/``; ``component.yaml`` is one.

        Without ``version`` it is the newest.

        Raises:
            UnknownNameError: there is none of that name, or no such version.
            WorkspaceError: it cannot be read, is too large, or holds what is no plain file.
            SpecError: a file is not what the registry itself says it is, or has a name that no file may have.
        """
