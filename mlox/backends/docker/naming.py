"""What containers, volumes and networks of a stack are called, which labels they carry, and who is a stranger.

Labels are the truth, names are for people: a name can be read in two ways, since its parts may hold hyphens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlox.errors import RequirementError, UsageError

STACK = "mlox.stack"
SERVICE = "mlox.service"
UNIT = "mlox.unit"
DIGEST = "mlox.digest"
SPEC = "mlox.spec"
LEASE = "mlox.lease"

LONGEST = 255
"""A volume is a folder of the engine's disk, which takes names of 255 bytes; containers and networks take any length.

Source: moby, ``daemon/names`` (what a name may consist of), ``volume/local``; NAME_MAX of limits.h.
"""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the labels of something of ours say; ``service``, ``unit`` and ``digest`` may be empty."""

    stack: str
    service: str = ""
    unit: str = ""
    digest: str = ""

    def to_engine(self) -> dict[str, str]:
        """As the engine takes them.

        Example:
            >>> Labels("churn-7f3a", "db").to_engine()
            {'mlox.stack': 'churn-7f3a', 'mlox.service': 'db'}
        """
        pairs = ((STACK, self.stack), (SERVICE, self.service), (UNIT, self.unit), (DIGEST, self.digest))
        return {key: value for key, value in pairs if value}

    @classmethod
    def of(cls, labels: Mapping[str, str] | None) -> Labels | None:
        """What is in the labels of a container, a volume or a network; None for what is not ours."""
        there = labels or {}
        if not there.get(STACK):
            return None
        return cls(there[STACK], there.get(SERVICE, ""), there.get(UNIT, ""), there.get(DIGEST, ""))


def container(stack: str, service: str, unit: str) -> str:
    """The name of a unit's container.

    Example:
        >>> container("churn-7f3a", "db", "server")
        'mlox-churn-7f3a-db-server'
    """
    return _name(stack, service, unit)


def volume(stack: str, service: str, data: str) -> str:
    """The name of the volume with a data folder of a service."""
    return _name(stack, service, data)


def settings(stack: str, service: str, unit: str) -> str:
    """The name of the volume with a unit's files and secrets; the dot is in no name that a user chooses."""
    return _name(stack, service, f"{unit}.files")


def network(stack: str) -> str:
    """The name of a stack's network."""
    return _name(stack)


def lease(stack: str) -> str:
    """The name of the container that says who may change a stack."""
    return _name(stack, "lease")


def check_ours(kind: str, name: str, labels: Mapping[str, str] | None, wanted: Labels) -> None:
    """Make sure that what has our name is ours: of this stack, and of this service and unit where these are wanted.

    Raises:
        RequirementError: it is a stranger's, or another stack's; it was not touched.

    Example:
        >>> check_ours("container", "mlox-a-db-server", {"mlox.stack": "a"}, Labels("a"))
        >>> check_ours("container", "mlox-a-db-server", {}, Labels("a"))
        Traceback (most recent call last):
        mlox.errors.RequirementError: the container mlox-a-db-server is not mlox's; it was not touched
    """
    there = Labels.of(labels)
    if there is None:
        raise RequirementError(
            f"the {kind} {name} is not mlox's; it was not touched", hint=f"Rename or remove that {kind}, then go on."
        )
    for said, asked in ((there.stack, wanted.stack), (there.service, wanted.service), (there.unit, wanted.unit)):
        if asked and said != asked:
            owner = "/".join(filter(None, (there.stack, there.service, there.unit)))
            raise RequirementError(
                f"the {kind} {name} belongs to {owner}; it was not touched",
                hint="Give one of the two services another name with --as.",
            )


def _name(*parts: str) -> str:
    name = "-".join(("mlox", *parts))
    if len(name) > LONGEST:
        raise UsageError(f"{name[:60]}... is longer than an engine's names may be", hint="Choose shorter names.")
    return name
