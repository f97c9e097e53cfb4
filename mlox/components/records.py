"""What is written down of a component that was added: one committed file each, so that two branches merge in git."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from mlox.components.tree import Tree
from mlox.documents import explain
from mlox.errors import SpecError
from mlox.specs.model import Scalar, Spec
from mlox.specs.naming import ComponentName, file_stem, name_of_stem

RECORDS = ".mlox/components"
BASE = ".mlox/base"

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class FileRecord(Spec):
    """A file as it was injected: its text's digest, where it came from, and a digest of each definition in it.

    ``adopted``: it was there before, word for word, and stays when the component goes.
    """

    base: Digest
    template: str
    definitions: dict[str, str] = Field(default_factory=dict)
    adopted: bool = False


class DependencyRecord(Spec):
    """A requirement that was written into ``pyproject.toml``, and the text that it took to write it."""

    requirement: str
    inserted: str


class Record(Spec):
    """A component in a workspace.

    ``made`` are files that the component stands on and that mlox made, with their digests; ``folders`` likewise.
    Several components may list the same: the last one to go takes them along.
    """

    format: Literal[1] = 1
    name: ComponentName
    version: str
    source: str
    digest: Digest
    package: str
    options: dict[str, Scalar] = Field(default_factory=dict)
    files: dict[str, FileRecord]
    dependencies: list[DependencyRecord] = Field(default_factory=list)
    made: dict[str, Digest] = Field(default_factory=dict)
    folders: list[str] = Field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it is kept in the workspace."""
        return f"{RECORDS}/{file_stem(self.name)}.json"

    @property
    def folder(self) -> str:
        """The folder of the component's package."""
        packages = [path.removesuffix("/__init__.py") for path in self.files if path.endswith("/__init__.py")]
        return min(packages, key=len)

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


def base_path(content: bytes) -> str:
    """Where the text of a file is kept as it was injected."""
    return f"{BASE}/{digest_of(content)}"


def digest_of(content: bytes) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(content).hexdigest()


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
