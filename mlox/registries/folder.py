"""Components in a folder: mlox's own, which came with it, those of a workspace in ``mlx-components/``, or another's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlox.components.manifest import MANIFEST
from mlox.errors import UnknownNameError, WorkspaceError
from mlox.protocols import Published
from mlox.registries.layout import Found, Layout, is_own_name
from mlox.specs.registry import MAX_BYTES

NAME = "mlx-components"

_PACKAGE = Path(__file__).parents[1]


def built_in() -> Path:
    """The folder of mlox's own components: inside the package of an installed wheel, beside it in the sources."""
    inside = _PACKAGE / NAME
    return inside if inside.is_dir() else _PACKAGE.parent / NAME


class FolderRegistry:
    """A folder with a folder for each component; implements :class:`mlox.protocols.Registry`.

    Args:
        folder: by default mlox's own.
        name: what the workspace calls it, ``@acme``; by default it is the workspace's own folder.
        source: how it was written. A registry with a name has to be there, and ``registry.json``, where it has one,
            has to be right; in a folder that somebody works in, it may be old.

    Example:
        >>> "feature-store" in FolderRegistry().names()
        True
    """

    def __init__(self, folder: Path | None = None, *, name: str = "", source: str = "") -> None:
        self.folder = folder or built_in()
        self.name = name or ("built-in" if folder is None else NAME)
        self.source = source or self.name
        self._named = bool(name)
        self._layout = Layout(self.name, self._walk, self._get)

    def names(self) -> tuple[str, ...]:
        """The names of all components; see :meth:`mlox.protocols.Registry.names`."""
        if self._named and not self.folder.is_dir():
            raise WorkspaceError(
                f"{self.name}: there is no folder {self.source}",
                hint=f"Bring it back, or: mlox registry add {self.name}.",
            )
        found = (path.parent.name for path in self.folder.glob(f"*/{MANIFEST}"))
        return tuple(sorted(name for name in found if is_own_name(name)))

    def versions(self, name: str) -> tuple[Published, ...]:
        """The versions of a component; see :meth:`mlox.protocols.Registry.versions`."""
        self._check_known(name)
        return self._layout.versions(name)

    def read(self, name: str, version: str | None = None) -> Mapping[str, bytes]:
        """The files of a component; see :meth:`mlox.protocols.Registry.read`."""
        self._check_known(name)
        return self._layout.read(name, version, self._layout.index() if self._named else None)

    def _check_known(self, name: str) -> None:
        if name not in self.names():
            raise UnknownNameError.among("component", name, self.names())

    def _walk(self, folder: str) -> Iterator[Found]:
        """All that is not a folder; a link is none, wherever it leads."""
        top = self.folder / folder
        waiting = [top]
        while waiting:
            try:
                with os.scandir(waiting.pop()) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _unreadable(Path(error.filename or top), error) from error
            for entry in found:
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                    continue
                plain = entry.is_file(follow_symlinks=False)
                size = entry.stat(follow_symlinks=False).st_size
                yield Found(path.relative_to(top).as_posix(), plain, size)

    def _get(self, path: str) -> bytes | None:
        where = self.folder / path
        try:
            if where.is_symlink() or not where.resolve().is_relative_to(self.folder.resolve()):
                raise WorkspaceError(f"{self.name}: {path} is no plain file", hint="Put the file itself there.")
            descriptor = os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)  # a pipe must not hold us
            with os.fdopen(descriptor, "rb") as file:
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            return None
        except OSError as error:
            if isinstance(error, WorkspaceError):
                raise
            raise _unreadable(where, error) from error
        if len(content) > MAX_BYTES:
            raise WorkspaceError(f"{self.name}: {path} has more than {MAX_BYTES:,} bytes", hint="Keep data out of it.")
        return content


def _unreadable(path: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(f"cannot read {path}: {error.strerror}", hint="Mend its permissions.")
