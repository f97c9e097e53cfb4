"""Requirements in Poetry's own table: ``name = "^1.2"``, ``name = {version = ..., extras = [...]}``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlox.components.dependencies.arrays import PYPROJECT, find_table, quoted
from mlox.components.dependencies.versions import Listed, extras_of, poetry_versions
from mlox.errors import WorkspaceError

TABLE = ("tool", "poetry", "dependencies")


@dataclass(frozen=True, slots=True)
class PoetrySheet:
    """The table ``[tool.poetry.dependencies]``; see :class:`mlox.components.dependencies.sheets.Sheet`."""

    path: str = PYPROJECT
    where: str = ".".join(TABLE)
    names_are_keys: bool = True

    def listed(self, text: str) -> tuple[Listed, ...]:
        """What stands in the table; versions of several constraints, of git and of paths are Poetry's own."""
        value: object = tomllib.loads(text.removeprefix("\ufeff"))
        for name in TABLE:
            value = value.get(name) if isinstance(value, dict) else None
        table = value if isinstance(value, dict) else {}
        return tuple(_listed(name, entry) for name, entry in table.items() if name.lower() != "python")

    def is_new(self, text: str) -> bool:
        """Never: without the table it is no project of Poetry's."""
        return False

    def insertion(self, text: str, entries: Sequence[str], *, made: bool) -> tuple[int, str]:
        """Where entries go, and their text: lines below the head of the table."""
        at = find_table(text, TABLE)
        if at is None:
            raise WorkspaceError(f"{self.path} has no plain table [{self.where}]", hint="Write one there.")
        end = "\r\n" if "\r\n" in text else "\n"
        lines = [f"{_name(one)} = {_value(one)}" for one in entries]
        if at and text[at - 1] != "\n":
            return at, "".join(f"{end}{line}" for line in lines)
        return at, "".join(f"{line}{end}" for line in lines)

    def found(self, text: str, entries: Sequence[str], *, made: bool) -> tuple[int, str] | None:
        """The same for a text that has them."""
        at, block = self.insertion(text, entries, made=made)
        if text[at : at + len(block)] != block and not text.endswith("\n"):
            end = "\r\n" if "\r\n" in text else "\n"
            at, block = at - len(end), end + block.removesuffix(end)
        return (at, block) if at >= 0 and text[at : at + len(block)] == block else None

    def without(self, text: str, entry: str) -> str:
        """The text without an entry, by tomlkit, where it is as it was written."""
        import tomlkit

        document = tomlkit.parse(text)
        value: object = document
        for name in TABLE:
            value = value.get(name) if isinstance(value, dict) else None
        written = tomllib.loads(f"x = {_value(entry)}")["x"]
        if isinstance(value, dict) and value.get(_name(entry)) == written:
            del value[_name(entry)]
        return tomlkit.dumps(document)


def _listed(name: str, entry: object) -> Listed:
    fields: Mapping[str, object] = entry if isinstance(entry, dict) else {"version": entry}
    version, extras, markers = fields.get("version"), fields.get("extras", []), fields.get("markers", "")
    versions = poetry_versions(version) if isinstance(version, str) else None
    known = frozenset(canonicalize_name(str(one)) for one in extras) if isinstance(extras, list) else frozenset()
    shown = f"{name} = {entry!r}" if isinstance(entry, str) else f"{name} = {json.dumps(entry, default=str)}"
    return Listed(shown, canonicalize_name(name), versions, known, str(markers))


def _name(entry: str) -> str:
    return Requirement(entry).name if "." not in Requirement(entry).name else f'"{Requirement(entry).name}"'


def _value(entry: str) -> str:
    one = Requirement(entry)
    version = quoted(str(one.specifier) or "*")
    if not one.extras and one.marker is None:
        return version
    fields = [f"version = {version}"]
    fields += [f"extras = [{', '.join(map(quoted, sorted(extras_of(one))))}]"] if one.extras else []
    fields += [f"markers = {quoted(str(one.marker))}"] if one.marker is not None else []
    return f"{{{', '.join(fields)}}}"
