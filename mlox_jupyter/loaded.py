"""Which modules of this kernel are older than their files: what a verb wrote, the kernel has imported already."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The imported modules below a folder, with the size and time of each file; taken before something is written."""

    stamps: dict[str, tuple[Path, Stamp | None]]

    @classmethod
    def below(cls, folder: Path) -> Self:
        """Those of this process; what is installed below the folder, in an environment, is nobody's to edit."""
        found = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and "site-packages" not in file and Path(file).is_relative_to(folder):
                found[name] = (Path(file), _stamp(Path(file)))
        return cls(found)

    def stale(self) -> tuple[str, ...]:
        """The modules whose file is another one by now, or gone."""
        return tuple(sorted(name for name, (file, stamp) in self.stamps.items() if _stamp(file) != stamp))


def note_on(names: tuple[str, ...], shell: InteractiveShell) -> str:
    """What to tell of modules that changed below the kernel; empty where it loads them again by itself.

    A package stands for what lies in it.

    Example:
        >>> note_on((), None)
        ''
    """
    old = [name for name in names if not _is_reloaded(name, shell)]
    highest = [name for name in old if not any(name.startswith(f"{other}.") for other in old)]
    if not old:
        return ""
    return f"still loaded in this kernel as before: {', '.join(highest)}; restart the kernel to use what is there now"


def _is_reloaded(name: str, shell: InteractiveShell) -> bool:
    """Whether ``%autoreload`` brings a module up to date with the next cell; it never does where the file is gone."""
    autoreload: Any = shell.magics_manager.registry.get("AutoreloadMagics")
    reloader = getattr(autoreload, "_reloader", None)
    if reloader is None or not reloader.enabled or _stamp(Path(sys.modules[name].__file__ or "")) is None:
        return False
    listed: Callable[[str], bool] = reloader.modules.__contains__
    return name not in reloader.skip_modules and (bool(reloader.check_all) or listed(name))


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
