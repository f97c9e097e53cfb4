"""How a component is called: ``rate-limiting``, or ``@acme/rate-limiting`` where it comes from a configured registry.

In file names ``@acme/rate-limiting`` is written ``acme__rate-limiting``: a name never holds an underscore, so nothing
else is written like that.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

RECORDS = ".mlox/components"
"""The folder in a workspace that has a file for each component that was added."""

_ONE = "[a-z][a-z0-9]*(-[a-z0-9]+)*"

Namespace = Annotated[str, StringConstraints(pattern=f"^@{_ONE}$", max_length=41)]
"""What a workspace calls a registry of its own, ``@acme``."""

ComponentName = Annotated[str, StringConstraints(pattern=f"^(@{_ONE}/)?{_ONE}$", max_length=82)]
"""The name of a component, with its namespace where it has one."""

_NAME = re.compile(f"(?:@{_ONE}/)?{_ONE}")


def is_component_name(text: str) -> bool:
    """Whether a component could have that name.

    Example:
        >>> [is_component_name(text) for text in ("caching", "@acme/caching", "@acme", "acme/caching")]
        [True, True, False, False]
    """
    return _NAME.fullmatch(text) is not None


def split_name(name: str) -> tuple[str, str]:
    """The namespace of a name, empty where it has none, and the rest.

    Example:
        >>> split_name("@acme/caching"), split_name("caching")
        (('@acme', 'caching'), ('', 'caching'))
    """
    namespace, slash, own = name.partition("/")
    return (namespace, own) if slash else ("", name)


def split_version(word: str) -> tuple[str, str, bool]:
    """The name in ``NAME@VERSION``, the version, and whether an ``@`` for one stands there.

    Example:
        >>> split_version("@acme/caching@1.0"), split_version("@acme/caching"), split_version("caching@")
        (('@acme/caching', '1.0', True), ('@acme/caching', '', False), ('caching', '', True))
    """
    namespace, own = split_name(word)
    own, at, version = own.partition("@")
    return (f"{namespace}/{own}" if namespace else own), version, bool(at)


def file_stem(name: str) -> str:
    """A name as part of a file's name.

    Example:
        >>> file_stem("@acme/caching"), file_stem("caching")
        ('acme__caching', 'caching')
    """
    namespace, own = split_name(name)
    return f"{namespace.removeprefix('@')}__{own}" if namespace else own


def name_of_stem(stem: str) -> str:
    """What :func:`file_stem` was given.

    Example:
        >>> name_of_stem("acme__caching"), name_of_stem("caching")
        ('@acme/caching', 'caching')
    """
    namespace, underscores, own = stem.partition("__")
    return f"@{namespace}/{own}" if underscores else stem
