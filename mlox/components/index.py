"""How ``registry.json`` is written from components, and how one that a stranger wrote is read and held to its word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from packaging.version import Version
from pydantic import ValidationError

from mlox.components.manifest import Template
from mlox.documents import explain
from mlox.errors import SpecError
from mlox.protocols import Registry
from mlox.specs import IndexEntrySpec, IndexFileSpec, RegistryIndexSpec
from mlox.specs.paths import clash

MAX_INDEX = 5_000_000
MAX_DEPTH = 20
HINT = "Nothing was written. Tell whoever publishes it: mlox registry build writes one that is right."


def entry_of(template: Template, folder: str) -> IndexEntrySpec:
    """What ``registry.json`` says of a component that lies in ``folder`` below the registry."""
    spec = template.spec
    files = [
        IndexFileSpec(path=path, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for path, content in sorted(template.files.items())
    ]
    return IndexEntrySpec(
        name=spec.name,
        version=spec.version,
        summary=spec.summary,
        digest=template.digest,
        folder=folder,
        yanked=spec.yanked,
        files=files,
        dependencies=sorted(spec.dependencies),
        components=dict(sorted(spec.components.items())),
        services=sorted(spec.services),
        environment=sorted(spec.environment),
        options=dict(sorted(spec.options.items())),
    )


def entries_of(registry: Registry) -> list[IndexEntrySpec]:
    """What ``registry.json`` says of everything in a registry; the newest version lies in the folder of its name.

    Raises:
        MloxError: a component is wrong, or cannot be read.
    """
    entries = []
    for name in registry.names():
        for place, published in enumerate(registry.versions(name)):
            version = published.version
            files = registry.read(name, version)
            template = Template.parse(name, files, source=registry.name, version=version)
            entries.append(entry_of(template, f"{name}/versions/{version}" if place else name))
    return entries


def write_index(entries: Iterable[IndexEntrySpec]) -> bytes:
    """The text of a ``registry.json``: the same for the same components, in whichever order they come."""
    newest_first = sorted(entries, key=lambda entry: Version(entry.version), reverse=True)
    index = RegistryIndexSpec(components=sorted(newest_first, key=lambda entry: entry.name))
    value = index.model_dump(mode="json", exclude_none=True)
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def read_index(content: bytes, *, source: str) -> RegistryIndexSpec:
    """The ``registry.json`` in ``content``.

    Raises:
        SpecError: it is no JSON, too large, too deep, or does not say what the schema asks for.

    Example:
        >>> read_index(b'{"format": 1, "components": []}', source="here").components
        []
    """
    if len(content) > MAX_INDEX:
        raise SpecError(f"{source} is larger than {MAX_INDEX:,} bytes", hint=HINT)
    try:
        value: Any = json.loads(content.decode("utf-8"), parse_constant=_no_number)
        _check_depth(value)
    except (ValueError, RecursionError) as error:  # an integer of 5,000 digits is a ValueError too
        raise SpecError(f"{source} is no JSON, or goes too deep", hint=HINT) from error
    try:
        return RegistryIndexSpec.model_validate(value)
    except ValidationError as error:
        raise SpecError(explain(error, RegistryIndexSpec, source=source).problem, hint=HINT) from error


def check_files(entry: IndexEntrySpec, files: Mapping[str, bytes], *, source: str) -> None:
    """Raise a :class:`SpecError` where files are not those that ``registry.json`` lists."""
    for listed in entry.files:
        content = files.get(listed.path)
        if content is None:
            raise SpecError(f"{source}: {entry.name} {entry.version} has no file {listed.path}", hint=HINT)
        check_file(entry, listed, content, source=source)


def check_file(entry: IndexEntrySpec, listed: IndexFileSpec, content: bytes, *, source: str) -> None:
    """Raise a :class:`SpecError` where a file is not the one that ``registry.json`` lists."""
    if len(content) != listed.size or hashlib.sha256(content).hexdigest() != listed.sha256:
        raise SpecError(
            f"{source}: {entry.name}/{listed.path} is not the file that registry.json lists (its digest differs)",
            hint=HINT,
        )


def check_clashes(entry: IndexEntrySpec, *, source: str) -> None:
    """Raise a :class:`SpecError` where two listed files are one on some system."""
    if both := clash(file.path for file in entry.files):
        raise SpecError(f"{source}: {entry.name}: {both} clash", hint=HINT)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _check_depth(value: object) -> None:
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise RecursionError
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        stack.extend((child, depth + 1) for child in children)
