"""What rendering depends on, beside what is written: catalog, facts, what runs, secrets' versions, pins. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mlox.protocols import Facts, Observed
from mlox.specs import CatalogService


@dataclass(frozen=True, slots=True)
class World:
    """All that the answer depends on.

    Attributes:
        services: catalog services by the name that they have in the stack; ``sources`` says whether a file is foreign.
        facts: by server. ``observed``: the units of this stack. ``reserved``: ports of other stacks, by server.
        pins: exact package versions from the lock file, by :func:`lock_key`; digests of images, by their names.
        versions: the newest version of each secret in the store, by name.
        here: the servers that are this machine: they share its ports.
        root: the workspace's folder, from which paths in a service's file are meant.
    """

    services: Mapping[str, CatalogService]
    sources: Mapping[str, str]
    facts: Mapping[str, Facts]
    observed: Mapping[str, Observed] = field(default_factory=dict)
    reserved: Mapping[str, frozenset[int]] = field(default_factory=dict)
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    backends: Mapping[str, str] = field(default_factory=dict)
    root: str = ""
    here: frozenset[str] = frozenset()


def lock_key(packages: Iterable[str]) -> str:
    """The key of a set of packages in the lock file.

    Example:
        >>> lock_key(["b", "a[x]==1"])
        'a[x]==1, b'
    """
    return ", ".join(sorted(packages))
