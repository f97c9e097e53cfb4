"""What requirements ask for together: names that are one, extras, and whether any version satisfies all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

FAR = 99999
"""A part of a version that is above those that anybody writes."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A requirement as a project's file has it. ``versions`` is None where they are told in a way of their own."""

    text: str
    name: str
    versions: SpecifierSet | None
    extras: frozenset[str] = frozenset()
    marker: str = ""


def listed(text: str) -> Listed | None:
    """A requirement as PEP 508 writes it; None for anything else.

    Example:
        >>> listed("PyYAML[C]>=6; python_version < '3.12'").name
        'pyyaml'
    """
    try:
        found = Requirement(text)
    except InvalidRequirement:
        return None
    versions = None if found.url else found.specifier
    return Listed(text, canonicalize_name(found.name), versions, extras_of(found), str(found.marker or ""))


def extras_of(requirement: Requirement) -> frozenset[str]:
    """The extras that it asks for, as canonical names."""
    return frozenset(canonicalize_name(extra) for extra in requirement.extras)


def combined(requirements: Iterable[str]) -> tuple[str, ...]:
    """One requirement for each name and marker, sorted: what all of ``requirements`` ask for.

    Example:
        >>> combined(["zarr", "Redis>=5", "redis[hiredis]<7", "zarr"])
        ('Redis[hiredis]<7,>=5', 'zarr')
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for text in sorted(set(requirements)):
        one = Requirement(text)
        groups.setdefault((canonicalize_name(one.name), str(one.marker or "")), []).append(text)
    return tuple(groups[key][0] if len(groups[key]) == 1 else _together(groups[key]) for key in sorted(groups))


def _together(texts: Sequence[str]) -> str:
    many = [Requirement(text) for text in texts]
    first = Requirement(texts[0])
    first.extras = {extra for one in many for extra in one.extras}
    first.specifier = SpecifierSet(",".join(filter(None, sorted({str(one.specifier) for one in many}))))
    return str(first)


def satisfiable(*sets: SpecifierSet) -> bool:
    """Whether any version is in all of ``sets``.

    Only bounds matter: if one is, then one of them, or one just above or just below one of them, is.

    Example:
        >>> satisfiable(SpecifierSet(">=1,<2"), SpecifierSet("~=1.4"))
        True
        >>> satisfiable(SpecifierSet("<2"), SpecifierSet(">=2"))
        False
    """
    rules = [rule for one in sets for rule in one]
    candidates = {Version("0"), Version(str(FAR))} | {near for rule in rules for near in _near(rule)}
    if any(rule.operator == "===" for rule in rules):
        return True  # compared as text: left to the resolver
    return any(all(rule.contains(version, prereleases=True) for rule in rules) for version in candidates)


def _near(rule: Specifier) -> Iterator[Version]:
    try:
        version = Version(rule.version.removesuffix(".*"))
    except InvalidVersion:
        return
    yield version
    release = version.release
    for place, part in enumerate(release):
        before = ".".join(map(str, release[:place]))
        start = f"{version.epoch}!{before}." if before else f"{version.epoch}!"
        yield Version(f"{start}{part + 1}")
        if part:
            yield Version(f"{start}{part - 1}.{FAR}")
    whole = ".".join(map(str, release))
    yield Version(f"{version.epoch}!{whole}.0.0.1")
    yield Version(f"{version.epoch}!{whole}")


def poetry_versions(text: str) -> SpecifierSet | None:
    """What Poetry's carets, tildes and bare versions mean; None for what has no such form (``||``).

    Source: https://python-poetry.org/docs/dependency-specification/

    Example:
        >>> str(poetry_versions("^1.2.3")), str(poetry_versions("~1.2"))
        ('<2,>=1.2.3', '<1.3,>=1.2')
    """
    rules: list[str] = []
    for part in filter(None, re.split(r"\s*,\s*|\s+(?=[<>=!~^])", text.strip())):
        found = re.fullmatch(r"(\^|~(?!=))\s*(\d+(?:\.\d+)*)(.*)", part)
        if part == "*":
            continue
        if found:
            rules += [f">={found[2]}{found[3]}", f"<{_ceiling(found[1], found[2])}"]
        else:
            rules.append(f"=={part}" if part[0].isdigit() else part)
    try:
        return SpecifierSet(",".join(rules))
    except InvalidSpecifier:
        return None


def _ceiling(sign: str, version: str) -> str:
    parts = [int(part) for part in version.split(".")]
    if sign == "~":
        place = min(1, len(parts) - 1)
    else:
        place = next((number for number, part in enumerate(parts) if part), len(parts) - 1)
    return ".".join(map(str, [*parts[:place], parts[place] + 1]))
