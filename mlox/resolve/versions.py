"""What versions tell of each other."""

from __future__ import annotations

import re


def apart(version: str, other: str) -> bool:
    """Whether two versions are of different major ones; a date or the name of a build has none, and tells nothing.

    Example:
        >>> apart("15", "17.2"), apart("7", "7.0.15"), apart("RELEASE.2025-01-01", "7")
        (True, False, False)
    """
    majors = (major(version), major(other))
    return all(each.isdigit() for each in majors) and majors[0] != majors[1]


def major(version: str) -> str:
    """The first part of a version."""
    return version.lstrip("v").partition(".")[0]


def is_newer(version: str, other: str) -> bool:
    """Whether a version comes after another one: by the rules of Python's packages, else by the numbers in them.

    Example:
        >>> is_newer("3.10.1", "3.9"), is_newer("3.0", "3.0rc1"), is_newer("RELEASE.2025-09-07", "RELEASE.2025-10-01")
        (True, True, False)
    """
    from packaging.version import InvalidVersion, Version

    try:
        return Version(version) > Version(other)
    except InvalidVersion:
        return [*map(int, re.findall(r"\d+", version))] > [*map(int, re.findall(r"\d+", other))]
