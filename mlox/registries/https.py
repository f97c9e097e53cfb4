"""Components below an address: ``registry.json`` says what is there, and every file is held against it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from packaging.version import Version

from mlox.components.index import MAX_INDEX, check_clashes, check_file, read_index
from mlox.errors import UnknownNameError, WorkspaceError
from mlox.protocols import Published
from mlox.registries.wire import fetch
from mlox.secret import Secret
from mlox.specs import IndexEntrySpec, RegistryIndexSpec
from mlox.specs.registry import INDEX

INDEX_S = 20.0
FILE_S = 20.0
COMPONENT_S = 120.0


class HttpsRegistry:
    """A ``registry.json`` on a web server; implements :class:`mlox.protocols.Registry`.

    Args:
        url: the folder that it is in. ``name``: what the workspace calls it, ``@acme``.
        token: sent to that host, as a bearer token, and to no other.
    """

    def __init__(self, url: str, *, name: str, token: Secret | None = None) -> None:
        self.name = name
        self.source = url.removesuffix(INDEX).rstrip("/")
        self._token = token

    def names(self) -> tuple[str, ...]:
        """The names of all components; see :meth:`mlox.protocols.Registry.names`."""
        return tuple(sorted({entry.name for entry in self._index.components}))

    def versions(self, name: str) -> tuple[Published, ...]:
        """The versions of a component; see :meth:`mlox.protocols.Registry.versions`."""
        return tuple(Published(entry.version, entry.yanked or "", entry.digest) for entry in self._entries(name))

    def read(self, name: str, version: str | None = None) -> Mapping[str, bytes]:
        """The files of a component; see :meth:`mlox.protocols.Registry.read`."""
        import time

        entries = self._entries(name)
        entry = next((one for one in entries if version in (None, one.version)), None)
        if entry is None:
            raise UnknownNameError.among(f"version of {name}", version or "", [one.version for one in entries])
        source = f"{self.name}: {INDEX}"
        check_clashes(entry, source=source)
        deadline = time.monotonic() + COMPONENT_S
        files: dict[str, bytes] = {}
        for listed in entry.files:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkspaceError(f"{self.name}: {name} took too long", hint="Try again later.")
            url = f"{self.source}/{entry.folder}/{listed.path}"
            content = fetch(url, limit=listed.size, timeout_s=min(FILE_S, left), token=self._token, name=self.name)
            check_file(entry, listed, content, source=source)
            files[listed.path] = content
        return files

    def _entries(self, name: str) -> list[IndexEntrySpec]:
        found = [entry for entry in self._index.components if entry.name == name]
        if not found:
            raise UnknownNameError.among("component", name, self.names())
        return sorted(found, key=lambda entry: Version(entry.version), reverse=True)

    @cached_property
    def _index(self) -> RegistryIndexSpec:
        url = f"{self.source}/{INDEX}"
        content = fetch(url, limit=MAX_INDEX, timeout_s=INDEX_S, token=self._token, name=self.name)
        return read_index(content, source=f"{self.name}: {INDEX}")
