"""What the author of a registry asks of it: its ``registry.json``, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlox.catalog import Catalog
from mlox.components import Template
from mlox.components.index import entries_of, read_index, write_index
from mlox.components.validating import Around, Fault, faults_of
from mlox.errors import MloxError, SpecError, UsageError
from mlox.plugins import find
from mlox.protocols import Published, Registry, Transport
from mlox.specs import ComponentSpec
from mlox.specs.registry import INDEX


@dataclass(frozen=True, slots=True)
class Built:
    """A ``registry.json``: where it goes, its text, what was there before, and what it tells of each component."""

    path: Path
    text: bytes
    before: bytes | None
    components: tuple[str, ...]
    changed: tuple[str, ...]

    def write(self) -> None:
        """Put it there, in one step.

        Raises:
            OSError: the folder cannot be written.
        """
        if self.text != self.before:
            transport: Transport = find("transports", "local")()
            transport.put(self.text, self.path, mode=0o644)


def build(folder: Path) -> Built:
    """The ``registry.json`` of the components in a folder; nothing is written yet.

    ``changed`` are versions that the one before lists with other files: whoever has added them will be told.

    Raises:
        UsageError: there is no such folder. SpecError: a component is wrong.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="Begin one: mlox registry new NAME.")
    entries = entries_of(_plain(folder))
    text = write_index(entries)
    before = (folder / INDEX).read_bytes() if (folder / INDEX).is_file() else None
    try:
        known = read_index(before, source=INDEX).components if before is not None else []
    except SpecError:
        known = []  # it is about to be replaced
    digests = {(entry.name, entry.version): entry.digest for entry in known}
    changed = [
        f"{entry.name} {entry.version}"
        for entry in entries
        if digests.get((entry.name, entry.version), entry.digest) != entry.digest
    ]
    names = tuple(f"{entry.name} {entry.version}" for entry in entries)
    return Built(folder / INDEX, text, before, names, tuple(changed))


def validate_folder(folder: Path, *, hidden: bool = False) -> tuple[int, tuple[Fault, ...]]:
    """How many components a folder has, and what is wrong with them and with its ``registry.json``.

    ``hidden``: it is a workspace's own, where a component with the name of one of mlox's is never found.
    """
    registry = _plain(folder)
    counted, faults = validate(registry, registry.names(), hidden=hidden)
    return counted, (*faults, *_index_faults(folder, any(one.level == "error" for one in faults)))


def validate_one(folder: Path, *, hidden: bool = False) -> tuple[int, tuple[Fault, ...]]:
    """What is wrong with every version of one component, which lies in ``folder``."""
    return validate(_plain(folder.parent), (folder.name,), hidden=hidden)


def validate(registry: Registry, names: Sequence[str], *, hidden: bool = False) -> tuple[int, tuple[Fault, ...]]:
    """How many of ``names`` there are in a registry, and what is wrong with every version of them."""
    from importlib.metadata import packages_distributions

    own: Registry = find("registries", "folder")()
    others = {**_specs(registry, registry.names()), **_specs(own, own.names())}
    same = registry.source == own.source or getattr(registry, "folder", None) == getattr(own, "folder", None)
    taken = {} if same else dict.fromkeys(own.names(), "mlox has a component of that name")
    taken |= dict.fromkeys(Catalog().names(), "a service of the catalog has it")
    around = Around(others, cache(packages_distributions), taken, hidden=hidden)
    return len(names), tuple(fault for name in names for fault in _all_versions(registry, name, around))


def _all_versions(registry: Registry, name: str, around: Around) -> Iterator[Fault]:
    try:
        versions: Sequence[Published] = registry.versions(name)
    except MloxError as error:
        yield Fault("error", name, "component.yaml", 0, error.problem)
        return
    for published in versions:
        try:
            files = registry.read(name, published.version)
            template = Template.parse(name, files, source=registry.name, version=published.version)
        except MloxError as error:
            yield Fault("error", name, "component.yaml", 0, error.problem)
            continue
        yield from faults_of(template, list(files), around)


def _specs(registry: Registry, names: Sequence[str]) -> Mapping[str, Sequence[ComponentSpec]]:
    """The manifests of components, newest first; what is wrong with one is told where it is looked at itself."""
    found: dict[str, list[ComponentSpec]] = {}
    for name in names:
        try:
            for published in registry.versions(name):
                files = registry.read(name, published.version)
                found.setdefault(name, []).append(Template.parse(name, files, source=registry.name).spec)
        except MloxError:
            continue
    return found


def _index_faults(folder: Path, broken: bool) -> Iterator[Fault]:
    path = folder / INDEX
    hint = f"mlox registry build {folder.name}"
    if not path.is_file():
        yield Fault("warning", "", INDEX, 0, f"it is missing, which others need who take components by address: {hint}")
        return
    try:
        read_index(path.read_bytes(), source=INDEX)
    except SpecError as error:
        yield Fault("error", "", INDEX, 0, error.problem)
        return
    if not broken:
        built = build(folder)
        if built.text != built.before:
            told = f" ({', '.join(built.changed)} changed)" if built.changed else ""
            yield Fault("error", "", INDEX, 0, f"it is not what the components are{told}: {hint}")


def _plain(folder: Path) -> Registry:
    registry: Registry = find("registries", "folder")(folder)
    return registry
