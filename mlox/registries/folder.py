"""Components in a folder: mlox's own, which came with it, and those of a workspace in ``mlx-components/``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlox.errors import UnknownNameError, WorkspaceError

MANIFEST = "component.yaml"
NAME = "mlx-components"
MAX_BYTES = 5_000_000
MAX_FILES = 500

_PACKAGE = Path(__file__).parents[1]


def built_in() -> Path:
    """The folder of mlox's own components: inside the package of an installed wheel, beside it in the sources."""
    inside = _PACKAGE / NAME
    return inside if inside.is_dir() else _PACKAGE.parent / NAME


class FolderRegistry:
    """A folder with a folder for each component; implements :class:`mlox.protocols.Registry`.

    Example:
        >>> "feature-store" in FolderRegistry().names()
        True
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or built_in()
        self.name = "built-in" if folder is None else NAME

    def names(self) -> tuple[str, ...]:
        """The names of all components; see :meth:`mlox.protocols.Registry.names`."""
        return tuple(sorted(path.parent.name for path in self.folder.glob(f"*/{MANIFEST}")))

    def read(self, name: str) -> Mapping[str, bytes]:
        """The files of a component; see :meth:`mlox.protocols.Registry.read`."""
        if name not in self.names():
            raise UnknownNameError.among("component", name, self.names())
        top = self.folder / name
        found: dict[str, bytes] = {}
        size = 0
        for path in sorted(top.rglob("*")):
            where = path.relative_to(top).as_posix()
            if "__pycache__" in path.parts or (path.is_dir() and not path.is_symlink()):
                continue
            if path.is_symlink() or not path.is_file():
                raise WorkspaceError(f"{self.name}: {name}/{where} is no plain file", hint="Put the file itself there.")
            content = _read(path)
            size += len(content)
            if size > MAX_BYTES or len(found) >= MAX_FILES:
                raise WorkspaceError(
                    f"{self.name}: {name} has more than {MAX_FILES} files or {MAX_BYTES:,} bytes",
                    hint="A component is source code: keep data out of it.",
                )
            found[where] = content
        return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkspaceError(f"cannot read {path}: {error.strerror}", hint="Mend its permissions.") from error
