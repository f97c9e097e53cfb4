"""How components lie in a registry that is a tree of files, and how they are read from it so that nothing gets by.

Each has a folder of its name; what is in it is the newest version, and older ones lie below ``versions/`` in it. A
``registry.json`` beside the folders is held against what is read. Names that begin with a dot, and what Python has
compiled, are nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from packaging.version import Version

from mlox.components.index import check_files, read_index
from mlox.components.manifest import MANIFEST, Template, read_manifest
from mlox.errors import SpecError, UnknownNameError, WorkspaceError
from mlox.protocols import Published
from mlox.specs import RegistryIndexSpec
from mlox.specs.naming import is_component_name, split_name
from mlox.specs.paths import clash, path_fault
from mlox.specs.registry import INDEX, MAX_BYTES, MAX_FILES

VERSIONS = "versions"


@dataclass(frozen=True, slots=True)
class Found:
    """Something in the tree: its path, whether it is a plain file, and its size."""

    path: str
    plain: bool
    size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Reads components through ``walk``, which lists what is below a folder, and ``get``, which reads one file.

    ``registry`` is what the registry is called in a message. Folders that are not there are empty, and of a file that
    is not there ``get`` gives None.
    """

    registry: str
    walk: Callable[[str], Iterable[Found]]
    get: Callable[[str], bytes | None]

    def index(self) -> RegistryIndexSpec | None:
        """What ``registry.json`` says; None where there is none."""
        content = self.get(INDEX)
        return None if content is None else read_index(content, source=f"{self.registry}: {INDEX}")

    def versions(self, name: str) -> tuple[Published, ...]:
        """Every version of a component, newest first."""
        return tuple(published for published, _ in self._folders(name))

    def read(self, name: str, version: str | None, index: RegistryIndexSpec | None) -> dict[str, bytes]:
        """The files of one version, held against ``index`` where there is one."""
        folders = self._folders(name) if version or any(self.walk(f"{name}/{VERSIONS}")) else []
        if version is not None and version not in {published.version for published, _ in folders}:
            raise UnknownNameError.among(f"version of {name}", version, [one.version for one, _ in folders])
        chosen = next((each for each in folders if version in (None, each[0].version)), None)
        folder = chosen[1] if chosen else name
        files = self._files(name, folder)
        if index is not None:
            self._check(index, name, folder, files)
        return files

    def _folders(self, name: str) -> list[tuple[Published, str]]:
        """Each version with its folder, newest first."""
        below = {found.path.split("/")[0] for found in self.walk(f"{name}/{VERSIONS}") if "/" in found.path}
        folders = [name, *(f"{name}/{VERSIONS}/{one}" for one in sorted(below) if not one.startswith("."))]
        found: dict[str, tuple[Published, str]] = {}
        for folder in folders:
            content = self.get(f"{folder}/{MANIFEST}")
            where = f"{self.registry}: {folder}/{MANIFEST}"
            if content is None:
                raise SpecError(f"{where} is not there", hint="A component is a folder with that file.")
            spec = read_manifest(content, where)
            if spec.version in found or (folder != name and PurePosixPath(folder).name != spec.version):
                raise SpecError(
                    f"{where}: version is {spec.version}", hint="Each version lies in a folder of its name, and once."
                )
            found[spec.version] = (Published(spec.version, spec.yanked or ""), folder)
        newest_first = sorted(found.values(), key=lambda each: Version(each[0].version), reverse=True)
        if newest_first[0][1] != name:
            raise SpecError(
                f"{self.registry}: {newest_first[0][1]} is newer than what is in {name} itself",
                hint=f"Keep the newest in {name}, and older ones in {name}/{VERSIONS}.",
            )
        return newest_first

    def _files(self, name: str, folder: str) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        size = 0
        for one in self.walk(folder):
            where = f"{self.registry}: {name}/{one.path}"
            if fault := path_fault(one.path):
                raise SpecError(f"{self.registry}: {name}: a file's name {one.path!r} {fault}", hint="Rename it there.")
            if one.path.startswith(f"{VERSIONS}/") or _nobodys(one.path):
                continue
            if not one.plain:
                raise WorkspaceError(f"{where} is no plain file", hint="Put the file itself there.")
            size += one.size
            if size > MAX_BYTES or len(found) >= MAX_FILES:
                raise WorkspaceError(
                    f"{self.registry}: {name} has more than {MAX_FILES} files or {MAX_BYTES:,} bytes",
                    hint="A component is source code: keep data out of it.",
                )
            found[one.path] = self.get(f"{folder}/{one.path}") or b""
        if both := clash(found):
            raise SpecError(
                f"{self.registry}: {name}: {both} are one file on some systems", hint="Rename one of them there."
            )
        return found

    def _check(self, index: RegistryIndexSpec, name: str, folder: str, files: Mapping[str, bytes]) -> None:
        source = f"{self.registry}: {INDEX}"
        entry = next((one for one in index.components if one.name == name and one.folder == folder), None)
        if entry is None:
            raise SpecError(f"{source} does not list {folder}", hint="Tell whoever publishes it: mlox registry build.")
        check_files(entry, files, source=source)
        if Template.parse(name, files, source=self.registry, version=entry.version).digest != entry.digest:
            raise SpecError(
                f"{source}: {name} {entry.version} is not what it says (its digest differs)",
                hint="Nothing was written. Tell whoever publishes it: mlox registry build.",
            )


def is_own_name(name: str) -> bool:
    """Whether a component can have that name in its registry: there it has no namespace."""
    return is_component_name(name) and not split_name(name)[0]


def _nobodys(path: str) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.split("/"))
