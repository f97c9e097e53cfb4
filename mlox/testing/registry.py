"""A registry of components in memory, for tests; the contract suite holds it to the behaviour of the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlox.errors import UnknownNameError
from mlox.protocols import Published
from mlox.registries.layout import Found, Layout


class FakeRegistry:
    """Components in memory: for each name its files by path, older versions below ``versions/VERSION/``.

    Example:
        >>> FakeRegistry({"greeting": {"component.yaml": b"name: greeting"}}).names()
        ('greeting',)
    """

    def __init__(
        self, components: Mapping[str, Mapping[str, bytes]] | None = None, *, name: str = "fake", source: str = "fake"
    ) -> None:
        self.name = name
        self.source = source
        self._files = {
            f"{one}/{path}": text for one, files in (components or {}).items() for path, text in files.items()
        }
        self._layout = Layout(name, self._walk, self._files.get)

    def names(self) -> tuple[str, ...]:
        """The names of all components; see :meth:`mlox.protocols.Registry.names`."""
        return tuple(sorted({path.partition("/")[0] for path in self._files}))

    def versions(self, name: str) -> tuple[Published, ...]:
        """The versions of a component; see :meth:`mlox.protocols.Registry.versions`."""
        self._check_known(name)
        return self._layout.versions(name)

    def read(self, name: str, version: str | None = None) -> Mapping[str, bytes]:
        """The files of a component; see :meth:`mlox.protocols.Registry.read`."""
        self._check_known(name)
        return self._layout.read(name, version, self._layout.index())

    def _check_known(self, name: str) -> None:
        if name not in self.names():
            raise UnknownNameError.among("component", name, self.names())

    def _walk(self, folder: str) -> Iterator[Found]:
        below = f"{folder}/"
        for path, text in sorted(self._files.items()):
            if path.startswith(below):
                yield Found(path.removeprefix(below), plain=True, size=len(text))
