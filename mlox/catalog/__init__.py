"""Which services can be deployed: YAML files of mlox and of the workspace, read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

from mlox.catalog.check import check
from mlox.catalog.versions import patched, range_for
from mlox.documents import parse
from mlox.errors import MloxError, SpecError, UnknownNameError
from mlox.specs import CatalogService
from mlox.units import digest

BUILT_IN = Path(__file__).parent / "services"


@dataclass(frozen=True, slots=True)
class Entry:
    """A catalog service and where it came from.

    Attributes:
        source: empty for mlox's own, else a digest of the YAML. ``text``: the YAML; ``path``: the file.
    """

    service: CatalogService
    source: str = ""
    text: str = field(default="", repr=False)
    path: str = ""

    def at(self, version: str | None) -> Entry:
        """As it is in a version; by default in its own."""
        words = range_for(self.service, version) if version else None
        return self if words is None else replace(self, service=patched(self.text, words, source=self.path))


@dataclass(frozen=True, slots=True)
class Installed:
    """The folders of catalog files that installed packages bring, by what brings them, and what is wrong of others."""

    folders: Mapping[str, Path] = field(default_factory=dict)
    faults: tuple[MloxError, ...] = ()


class Catalog:
    """The catalog of a workspace. A file of mlox's own cannot be shadowed by one of the workspace.

    Nor can one of the workspace by one of an installed package; these are looked for where no other has the name.

    Example:
        >>> Catalog().get("mlflow").service.backends
        ('native', 'docker')
    """

    def __init__(self, folders: Sequence[Path] = (), installed: Callable[[], Installed] = Installed) -> None:
        self.folders = tuple(folders)
        self._installed = installed
        self._read: dict[str, Entry] = {}

    @cached_property
    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in (*self.folders, BUILT_IN):
            found.update({file.stem: file for file in sorted(folder.glob("*.yaml"))})
        return found

    @cached_property
    def _foreign(self) -> tuple[dict[str, Path], tuple[MloxError, ...]]:
        """The files of installed packages; of two of a name the first counts, and the other is a fault."""
        found: dict[str, Path] = {}
        installed = self._installed()
        faults = list(installed.faults)
        for origin, folder in sorted(installed.folders.items()):
            for file in sorted(folder.glob("*.yaml")):
                counts = self._files.get(file.stem) or found.setdefault(file.stem, file)
                if counts != file:
                    problem = f"{origin} brings a service {file.stem!r}, and so does {counts}, which counts"
                    faults.append(SpecError(problem, hint="Nothing is to be done, unless you want the other one."))
        return found, tuple(faults)

    def names(self) -> tuple[str, ...]:
        """The names of all services, sorted."""
        return tuple(sorted({*self._files, *self._foreign[0]}))

    def path(self, name: str) -> Path | None:
        """The file of a service, or None where there is none of that name."""
        return self._files.get(name) or self._foreign[0].get(name)

    def readable(self) -> tuple[CatalogService, ...]:
        """Every service whose file is well, in the order of names."""
        return tuple(entry.service for entry in self._loaded() if isinstance(entry, Entry))

    def faults(self) -> tuple[MloxError, ...]:
        """What is wrong with the files of the others, and with packages that bring some."""
        return (*(each for each in self._loaded() if isinstance(each, MloxError)), *self._foreign[1])

    def _loaded(self) -> Iterator[Entry | MloxError]:
        for name in self.names():
            try:
                yield self.get(name)
            except MloxError as error:
                yield error

    def get(self, name: str, version: str | None = None) -> Entry:
        """The service of that name, as it is in a version; by default in its own.

        Raises:
            UnknownNameError: there is none; the hint names the nearest.
            SpecError: its file is wrong.
        """
        if name not in self._read:
            path = self.path(name)
            if path is None:
                raise UnknownNameError.among("service", name, self.names())
            self._read[name] = self._load(path)
        return self._read[name].at(version)

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
    own = path.parent == BUILT_IN
    for words in () if own else service.versions:
        patched(text, words, source=str(path))
    return Entry(service, "" if own else digest(text), text, str(path))
