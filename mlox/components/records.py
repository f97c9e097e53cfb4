"""What is written down of a component that was added: one committed file each, so that two branches merge in git."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from mlox.components.definitions import definitions
from mlox.components.tree import Tree
from mlox.documents import explain
from mlox.errors import SpecError
from mlox.specs.model import Scalar, Spec
from mlox.specs.naming import RECORDS, ComponentName, file_stem, name_of_stem

BASE = ".mlox/base"

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Unresolved(Spec):
    """What an update could not merge: the digest of the base before it, and what both sides changed."""

    base: Digest
    keys: list[str] = Field(default_factory=list)


class FileRecord(Spec):
    """A file as it was injected: its text's digest, where it came from, and a digest of each definition in it.

    ``adopted``: it was there before, word for word, and stays when the component goes. ``unresolved``: the last update
    left something of it to a person; ``base`` is the new text then.
    """

    base: Digest
    template: str
    definitions: dict[str, str] = Field(default_factory=dict)
    adopted: bool = False
    unresolved: Unresolved | None = None


class FragmentRecord(Spec):
    """What a component added to a module of another one: its text's digest, where it came from, and for which module.

    ``package`` is the user's. ``adopted`` are imports that the module had before, and that stay.
    """

    base: Digest
    template: str
    module: str
    package: str
    adopted: list[str] = Field(default_factory=list)


class SettingRecord(Spec):
    """A setting that was written for the component, or that it shares: the keys to it, and the digest of its value.

    The digest is empty for a mapping or list that holds others. ``comment`` is what was written above it.
    """

    keys: list[str]
    digest: Literal[""] | Digest
    comment: str = ""


class SettingsRecord(Spec):
    """What a component put into a file of the user's: the digest of the piece, where it came from, and each setting.

    ``made``: the file itself was written with it, and goes with the last that is in it. ``unresolved`` as for a file.
    """

    base: Digest
    template: str
    entries: list[SettingRecord] = Field(default_factory=list)
    made: bool = False
    unresolved: Unresolved | None = None


class DependencyRecord(Spec):
    """A requirement that was written for the component: into which file and which list of it.

    ``made``: the list itself was written with it, and goes with the last that is in it.
    """

    requirement: str
    path: str = "pyproject.toml"
    where: str = "project.dependencies"
    made: bool = False


class Record(Spec):
    """A component in a workspace.

    ``extends`` is what it added to modules of others, by their paths; ``settings`` what it put into files of the
    user's; ``components`` are those that it needs.
    ``package`` is its dotted name, ``into`` the folder of the package that it was put into, and ``project`` that of the
    project which has the package, its tests, settings and requirements; empty where that is the workspace itself.
    ``made`` are files that the component stands on and that mlox made, with their digests; ``folders`` likewise.
    Several components may list the same: the last one to go takes them along.
    """

    format: Literal[1] = 1
    name: ComponentName
    version: str
    source: str
    digest: Digest
    package: str
    into: str
    project: str = ""
    options: dict[str, Scalar] = Field(default_factory=dict)
    files: dict[str, FileRecord]
    extends: dict[str, FragmentRecord] = Field(default_factory=dict)
    components: list[str] = Field(default_factory=list)
    dependencies: list[DependencyRecord] = Field(default_factory=list)
    settings: dict[str, SettingsRecord] = Field(default_factory=dict)
    made: dict[str, Digest] = Field(default_factory=dict)
    folders: list[str] = Field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it is kept in the workspace."""
        return f"{RECORDS}/{file_stem(self.name)}.json"

    @property
    def folder(self) -> str:
        """The folder of the component's package."""
        return f"{self.into}/{self.package.rpartition('.')[2]}"

    @property
    def bases(self) -> set[str]:
        """The digests of all texts that it needs to be updated, compared and resolved."""
        merged = _merged(self).values()
        open_ = {file.unresolved.base for file in merged if file.unresolved}
        return {file.base for file in merged} | open_ | {fragment.base for fragment in self.extends.values()}

    @property
    def unresolved(self) -> tuple[str, ...]:
        """The files in which the last update left something to a person."""
        return tuple(path for path, file in _merged(self).items() if file.unresolved)

    def to_bytes(self) -> bytes:
        """The text of the file, sorted, so that it changes no more than it has to."""
        return (json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True) + "\n").encode()


def read_records(tree: Tree) -> dict[str, Record]:
    """Every component of the workspace, by name.

    Raises:
        SpecError: a record was damaged.
    """
    folder = tree.at(RECORDS)
    names = [name_of_stem(path.stem) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    return {name: _read(tree, name) for name in names}


def file_record(path: str, origin: str, text: bytes, *, adopted: bool = False) -> FileRecord:
    """What is recorded of a file that is injected as ``text``."""
    found = definitions(text) if path.endswith(".py") else {}
    return FileRecord(base=digest_of(text), template=origin, definitions=found, adopted=adopted)


def base_path(digest: str) -> str:
    """Where the text of a file is kept as it was injected."""
    return f"{BASE}/{digest}"


def base_text(tree: Tree, digest: str) -> bytes:
    """A text as it was injected.

    Raises:
        SpecError: it is not there any more, or it is another.
    """
    text = tree.read(f"{base_path(digest)}")
    if text is None or digest_of(text) != digest:
        raise SpecError(f"{base_path(digest)} is gone or was changed", hint="Bring it back from git.")
    return text


def digest_of(content: bytes) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(content).hexdigest()


def _merged(record: Record) -> dict[str, FileRecord | SettingsRecord]:
    """What an update merges, by path."""
    return {**record.files, **record.settings}


def _read(tree: Tree, name: str) -> Record:
    where = f"{RECORDS}/{file_stem(name)}.json"
    hint = "Bring it back from git."
    try:
        value = json.loads(tree.read(where) or b"")
    except ValueError as error:
        raise SpecError(f"{where} is not JSON", hint=hint) from error
    try:
        record = Record.model_validate(value)
    except ValidationError as error:
        raise SpecError(explain(error, Record, source=where).problem, hint=hint) from error
    if record.name != name:
        raise SpecError(f"{where} is the record of {record.name!r}", hint=hint)
    return record
