"""Which services can be deployed: YAML files of mlox and of the workspace, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from mlox.catalog.check import check
from mlox.documents import parse
from mlox.errors import SpecError, UnknownNameError
from mlox.specs import CatalogService
from mlox.units import digest

BUILT_IN = Path(__file__).parent / "services"


@dataclass(frozen=True, slots=True)
class Entry:
    """A catalog service and where it came from. ``source`` is empty for mlox's own, else a digest of the YAML."""

    service: CatalogService
    source: str = ""


class Catalog:
    """The catalog of a workspace. A file of mlox's own cannot be shadowed by one of the workspace.

    Example:
        >>> Catalog().get("mlflow").service.backends
        ('native', 'docker')
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = tuple(folders)
        self._read: dict[str, Entry] = {}

    @cached_property
    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in (*self.folders, BUILT_IN):
            found.update({file.stem: file for file in sorted(folder.glob("*.yaml"))})
        return found

    def names(self) -> tuple[str, ...]:
        """The names of all services, sorted."""
        return tuple(sorted(self._files))

    def path(self, name: str) -> Path | None:
        """The file of a service, or None where there is none of that name."""
        return self._files.get(name)

    def get(self, name: str) -> Entry:
        """The service of that name.

        Raises:
            UnknownNameError: there is none; the hint names the nearest.
            SpecError: its file is wrong.
        """
        if name not in self._read:
            if name not in self._files:
                raise UnknownNameError.among("service", name, self._files)
            self._read[name] = self._load(self._files[name])
        return self._read[name]

    def __iter__(self) -> Iterator[Entry]:
        return (self.get(name) for name in self.names())

    def _load(self, path: Path) -> Entry:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"{path}: cannot be read: {error}", hint="Mend or remove the file.") from error
        return _entry(text, path)


@lru_cache(maxsize=256)
def _entry(text: str, path: Path) -> Entry:
    """The entry in a text; the same text is parsed once in a process."""
    service = parse(text, CatalogService, source=str(path))
    if service.name != path.stem:
        raise SpecError(f"{path}: name is {service.name!r}", hint=f"Name the file {service.name}.yaml.")
    check(service, source=str(path))
    return Entry(service, source="" if path.parent == BUILT_IN else digest(text))
