"""A registry of components in memory, for tests; the contract suite holds it to the behaviour of the real ones."""

from __future__ import annotations

from collections.abc import Mapping

from mlox.errors import UnknownNameError


class FakeRegistry:
    """Components in memory: for each name its files by path.

    Example:
        >>> FakeRegistry({"greeting": {"component.yaml": b"name: greeting"}}).names()
        ('greeting',)
    """

    name = "fake"

    def __init__(self, components: Mapping[str, Mapping[str, bytes]] | None = None) -> None:
        self._components = {name: dict(files) for name, files in (components or {}).items()}

    def names(self) -> tuple[str, ...]:
        """The names of all components; see :meth:`mlox.protocols.Registry.names`."""
        return tuple(sorted(self._components))

    def read(self, name: str) -> Mapping[str, bytes]:
        """The files of a component; see :meth:`mlox.protocols.Registry.read`."""
        if name not in self._components:
            raise UnknownNameError.among("component", name, self._components)
        return dict(self._components[name])
