"""Where components come from: what a registry answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Registry(Protocol):
    """A place that components come from."""

    name: str

    def names(self) -> tuple[str, ...]:
        """The names of all components, sorted."""

    def read(self, name: str) -> Mapping[str, bytes]:
        """Every file of a component by its path in the component's folder, with ``/``; ``component.yaml`` is one.

        Raises:
            UnknownNameError: there is none of that name.
            WorkspaceError: it cannot be read, is too large, or holds what is no plain file.
        """
