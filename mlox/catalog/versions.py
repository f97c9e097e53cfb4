"""What of a catalog file is otherwise in some versions: JSON Merge Patches (RFC 7386), each for a range of versions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion
from pydantic import ValidationError

from mlox.catalog.check import check
from mlox.documents import explain, load
from mlox.errors import SpecError
from mlox.specs import CatalogService


def range_for(service: CatalogService, version: str) -> str | None:
    """The first range of ``versions`` in the service's file that has this version."""
    for words in service.versions:
        try:
            if SpecifierSet(words).contains(version, prereleases=True):
                return words
        except (InvalidSpecifier, InvalidVersion):  # told where the file is checked, or the version
            continue
    return None


@lru_cache(maxsize=64)
def patched(text: str, words: str, *, source: str) -> CatalogService:
    """The service in a text as it is in a range of versions that the text names.

    Raises:
        SpecError: that is no range, or the service would be wrong there.
    """
    where = f"{source}: versions.{words!r}"
    try:
        SpecifierSet(words)
    except InvalidSpecifier as error:
        hint = "Write it as pip does, for example: '<3' or '>=2.1,<2.4'."
        raise SpecError(f"{where} is not a range of versions", hint=hint) from error
    whole: Any = load(text, source=source)
    try:
        service = CatalogService.model_validate(merge_patch(whole, {**whole["versions"][words], "versions": None}))
    except ValidationError as error:
        raise explain(error, CatalogService, source=where) from error
    if service.name != whole["name"]:
        raise SpecError(f"{where} has another name", hint="A service is called the same in every version.")
    check(service, source=where)
    return service


def merge_patch(value: Any, patch: Any) -> Any:
    """A value with a JSON Merge Patch laid over it: null removes a key, a mapping is merged, all else replaces.

    Source: https://www.rfc-editor.org/rfc/rfc7386

    Example:
        >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": [4]}})
        {'b': {'c': [4], 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(value) if isinstance(value, Mapping) else {}
    for key, change in patch.items():
        if change is None:
            kept.pop(key, None)
        else:
            kept[key] = merge_patch(kept.get(key), change)
    return kept
