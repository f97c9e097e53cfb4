"""What a component of a registry is: its manifest and the texts of its files, checked against each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Self

from mlox.components.tree import inside
from mlox.documents import parse
from mlox.errors import SpecError
from mlox.specs import ROOT, ComponentSpec
from mlox.specs.component import ENV_EXAMPLE
from mlox.specs.naming import split_name
from mlox.specs.registry import MAX_BYTES

MANIFEST = "component.yaml"
MAX_MANIFEST = 64_000
_YANKED = re.compile(rb"^yanked:[^\n]*(\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """A component as its author wrote it. ``files`` are the texts by their paths in the component's folder.

    ``source`` tells where it is from, and ``namespace`` what the workspace calls that registry, ``@acme``.
    """

    spec: ComponentSpec
    files: Mapping[str, bytes]
    source: str
    namespace: str = ""

    @classmethod
    def parse(cls, name: str, files: Mapping[str, bytes], *, source: str, version: str | None = None) -> Self:
        """The component in ``files``; ``name`` with its namespace, ``source`` says which registry.

        ``version`` is the one that the registry says it is.

        Raises:
            SpecError: the manifest is wrong, has another name or version, or names a file that is not there; or the
                files are too large.
        """
        namespace, own = split_name(name)
        where = f"{source}: {own}/{MANIFEST}"
        if MANIFEST not in files:
            raise SpecError(f"{where} is not there", hint="A component is a folder with that file.")
        spec = read_manifest(files[MANIFEST], where)
        if spec.name != own:
            raise SpecError(f"{where}: name is {spec.name!r}", hint=f"Name the folder {spec.name}.")
        if version not in (None, spec.version):
            raise SpecError(
                f"{where}: version is {spec.version}, and it is offered as {version}",
                hint="Tell whoever publishes it; nothing was written.",
            )
        if spec.yanked:
            _check_unyanked(files[MANIFEST], spec, where)
        code = (code_path(spec, path) for path in spec.files)
        pieces = [settings_path(path) for path in spec.settings if not _is_generated(spec, path, files)]
        listed = (*code, *map(test_path, spec.tests), *map(fragment_path, spec.extends), *pieces)
        missing = [path for path in listed if path not in files]
        if missing:
            raise SpecError(f"{where}: there is no file {missing[0]}", hint="Write it, or take it out of the list.")
        if sum(len(files[path]) for path in listed) > MAX_BYTES:
            raise SpecError(
                f"{where}: its files have more than {MAX_BYTES:,} bytes",
                hint="A component is source code: keep data out of it.",
            )
        if pieces:
            _check_settings(spec, files, f"{source}: {own}")
        return cls(spec, {path: files[path] for path in (MANIFEST, *listed)}, source, namespace)

    @property
    def name(self) -> str:
        """What the workspace calls it: ``@acme/caching``, or ``caching`` where it has no namespace."""
        return f"{self.namespace}/{self.spec.name}" if self.namespace else self.spec.name

    @property
    def digest(self) -> str:
        """The SHA-256 of the manifest and of every file that it lists, with their names.

        That it was yanked is left out: it is said later, of a version that stays what it is.
        """
        whole = hashlib.sha256()
        for path, text in sorted(self.files.items()):
            content = _unyanked(text) if path == MANIFEST and self.spec.yanked else text
            whole.update(f"{path}\0{len(content)}\0".encode() + content)
        return whole.hexdigest()


def whole_name(word: str, template: Template, names: Container[str]) -> str:
    """The component that a template means by a name: one of its own namespace may go without that.

    ``names`` are the components that are there.
    """
    return word if word in names or not template.namespace else f"{template.namespace}/{word}"


def read_manifest(content: bytes, where: str) -> ComponentSpec:
    """A manifest by itself, without looking for the files that it lists.

    Raises:
        SpecError: it is wrong, or too large.
    """
    if len(content) > MAX_MANIFEST:
        raise SpecError(f"{where} is larger than {MAX_MANIFEST:,} bytes", hint="Make it shorter.")
    try:
        return parse(content.decode("utf-8"), ComponentSpec, source=where)
    except UnicodeDecodeError as error:
        raise SpecError(f"{where} is not UTF-8 text", hint="Save it as UTF-8.") from error


def _is_generated(spec: ComponentSpec, path: str, files: Mapping[str, bytes]) -> bool:
    """Whether a file of names is made of the manifest's environment alone."""
    return path.endswith(ENV_EXAMPLE) and bool(spec.environment) and settings_path(path) not in files


def _check_settings(spec: ComponentSpec, files: Mapping[str, bytes], where: str) -> None:
    """Raise where settings are none, or must not be set; the formats are read only where there are some."""
    from mlox.components.settings.admitting import check_piece

    for path in spec.settings:
        origin = settings_path(path)
        if origin in files:
            check_piece(path, files[origin], where=f"{where}/{origin}", environment=spec.environment)


def _check_unyanked(content: bytes, spec: ComponentSpec, where: str) -> None:
    """Raise where the manifest without its line ``yanked`` is not the same but for that."""
    try:
        without = read_manifest(_unyanked(content), where)
    except SpecError:
        without = spec
    if without != spec.model_copy(update={"yanked": None}):
        raise SpecError(f"{where}: yanked is not on one line", hint="Write it as: yanked: the reason.")


def _unyanked(content: bytes) -> bytes:
    return _YANKED.sub(b"", content)


def code_path(spec: ComponentSpec, path: str) -> str:
    """Where a file of the code lies in the component's folder."""
    return f"src/{ROOT}/{spec.package}/{path}"


def test_path(path: str) -> str:
    """Where a test lies in the component's folder."""
    return f"tests/{path}"


def target_of(folder: str, origin: str, project: str = "") -> str:
    """Where a file of the component's folder goes, for the ``folder`` of the package that the component is put into.

    ``project`` is the folder of the project that has the package, and the tests of it.
    """
    code = f"src/{ROOT}/"
    return f"{folder}/{origin.removeprefix(code)}" if origin.startswith(code) else inside(project, origin)


def fragment_path(path: str) -> str:
    """Where what it adds to a module of another component lies in the component's folder."""
    return f"extends/{path}"


def settings_path(path: str) -> str:
    """Where the settings for a file of the user's lie in the component's folder: nothing there is hidden."""
    folder, slash, name = path.rpartition("/")
    return f"settings/{folder}{slash}{name.removeprefix('.')}"
