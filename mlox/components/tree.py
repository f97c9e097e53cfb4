"""How the repository of a workspace is read: by paths relative to it, and never beyond it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlox.errors import WorkspaceError
from mlox.journal import Edit


def inside(folder: str, path: str) -> str:
    """A path below a folder of the workspace; an empty folder is the workspace itself.

    Example:
        >>> inside("services/api", "tests"), inside("", "tests")
        ('services/api/tests', 'tests')
    """
    return f"{folder}/{path}" if folder else path


class Tree:
    """A folder that is read by relative paths with ``/``.

    ``written``: what is planned on top of it, so that a second plan builds on a first; None removes a file.

    Example:
        >>> import tempfile
        >>> tree = Tree(Path(tempfile.mkdtemp()))
        >>> tree.read("src/churn/__init__.py") is None
        True
        >>> tree.over([Edit(tree.at("a.py"), b"new", replaces=None)]).read("a.py")
        b'new'
    """

    def __init__(self, root: Path, written: Mapping[str, bytes | None] | None = None) -> None:
        self.root = root.absolute()
        self.written = dict(written or {})

    def over(self, edits: Iterable[Edit]) -> Tree:
        """The same folder as it will be after ``edits``."""
        more = {edit.path.relative_to(self.root).as_posix(): edit.content for edit in edits}
        return Tree(self.root, self.written | more)

    def at(self, where: str) -> Path:
        """The absolute path of a relative one."""
        return self.root / where

    def read(self, where: str) -> bytes | None:
        """The content of a file; None where there is nothing of that name.

        Raises:
            WorkspaceError: it is no file, cannot be read, or is reached through a link that leaves the workspace.
        """
        if where in self.written:
            return self.written[where]
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
        return self.at(where).is_dir() or any(self._planned(where))

    def folders(self, where: str) -> tuple[str, ...]:
        """The names of the visible folders in a folder, sorted; none where there is no such folder."""
        names = {path.partition("/")[0] for path in self._planned(where) if "/" in path}
        try:
            with os.scandir(self.at(where)) as found:
                names |= {one.name for one in found if one.is_dir()}
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise WorkspaceError(
                f"cannot read {where or '.'}: {error.strerror}", hint="Mend its permissions."
            ) from error
        return tuple(sorted(name for name in names if not name.startswith((".", "_"))))

    def has_python(self, where: str) -> bool:
        """Whether Python files lie directly in a folder."""
        planned = any("/" not in path and path.endswith(".py") for path in self._planned(where))
        return planned or any(path.is_file() for path in self.at(where).glob("*.py"))

    def new_folders(self, where: str) -> tuple[str, ...]:
        """The folders that writing a file would make, outermost first."""
        parents = [str(parent) for parent in Path(where).parents if parent != Path()]
        return tuple(parent for parent in reversed(parents) if not self.at(parent).exists())

    def _planned(self, folder: str) -> list[str]:
        """The paths, relative to a folder, of files below it that are planned."""
        top = f"{folder}/" if folder else ""
        return [
            path.removeprefix(top) for path, text in self.written.items() if text is not None and path.startswith(top)
        ]

    def _check_inside(self, path: Path, where: str) -> None:
        if path.is_symlink():
            raise WorkspaceError(f"{where} is a link", hint="Put the file itself there, or choose another place.")
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise WorkspaceError(
                f"{where} is reached through a link that leaves the workspace", hint="Choose another place with --to."
            )
