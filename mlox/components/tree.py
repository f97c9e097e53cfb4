"""How the repository of a workspace is read: by paths relative to it, and never beyond it."""

from __future__ import annotations

import os
from pathlib import Path

from mlox.errors import WorkspaceError


class Tree:
    """A folder that is read by relative paths with ``/``.

    Example:
        >>> import tempfile
        >>> Tree(Path(tempfile.mkdtemp())).read("src/churn/__init__.py") is None
        True
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def at(self, where: str) -> Path:
        """The absolute path of a relative one."""
        return self.root / where

    def read(self, where: str) -> bytes | None:
        """The content of a file; None where there is nothing of that name.

        Raises:
            WorkspaceError: it is no file, cannot be read, or is reached through a link that leaves the workspace.
        """
        path = self.at(where)
        self._check_inside(path, where)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorkspaceError(f"cannot read {where}: {error.strerror}", hint="Move it, or mend it.") from error

    def is_folder(self, where: str) -> bool:
        """Whether there is a folder of that name."""
        return self.at(where).is_dir()

    def folders(self, where: str) -> tuple[str, ...]:
        """The names of the visible folders in a folder, sorted; none where there is no such folder."""
        try:
            with os.scandir(self.at(where)) as found:
                return tuple(sorted(one.name for one in found if one.is_dir() and not one.name.startswith((".", "_"))))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise WorkspaceError(
                f"cannot read {where or '.'}: {error.strerror}", hint="Mend its permissions."
            ) from error

    def has_python(self, where: str) -> bool:
        """Whether Python files lie directly in a folder."""
        return any(path.is_file() for path in self.at(where).glob("*.py"))

    def new_folders(self, where: str) -> tuple[str, ...]:
        """The folders that writing a file would make, outermost first."""
        parents = [str(parent) for parent in Path(where).parents if parent != Path()]
        return tuple(parent for parent in reversed(parents) if not self.at(parent).exists())

    def _check_inside(self, path: Path, where: str) -> None:
        if path.is_symlink():
            raise WorkspaceError(f"{where} is a link", hint="Put the file itself there, or choose another place.")
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise WorkspaceError(
                f"{where} is reached through a link that leaves the workspace", hint="Choose another place with --to."
            )
