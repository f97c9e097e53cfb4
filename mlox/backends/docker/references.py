"""What the name of an image says: repository, tag, digest; and whether it is a pin.

Source: distribution/reference (the grammar, the familiar form of names); the image's own id is ``sha256:`` and digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ID = re.compile(r"sha256:[0-9a-f]{64}")
_HUB = re.compile(r"^(?:(?:index\.)?docker\.io/)(?:library/)?(?=[^/])|^library/(?=[^/]+$)")


@dataclass(frozen=True, slots=True)
class Reference:
    """The parts of an image's name; an empty tag beside an empty digest means ``latest``."""

    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def of(cls, name: str) -> Reference:
        """Take a name apart.

        Example:
            >>> Reference.of("127.0.0.1:5000/team/app:2")
            Reference(repository='127.0.0.1:5000/team/app', tag='2', digest='')
            >>> Reference.of("docker.io/library/redis")
            Reference(repository='redis', tag='latest', digest='')
        """
        rest, _, digest = name.strip().partition("@")
        head, slash, last = rest.rpartition("/")
        last, _, tag = last.partition(":")
        return cls(familiar(f"{head}{slash}{last}"), tag or ("" if digest else "latest"), digest)

    @property
    def registry(self) -> str:
        """The host of its registry; ``docker.io`` where none is named."""
        first, slash, _ = self.repository.partition("/")
        return first if slash and (first == "localhost" or "." in first or ":" in first) else "docker.io"

    @property
    def pin(self) -> str:
        """``repository@digest``; empty without a digest."""
        return f"{self.repository}@{self.digest}" if self.digest else ""


def familiar(repository: str) -> str:
    """A repository as people and engines write it: without the registry that is meant anyway.

    Example:
        >>> familiar("docker.io/library/redis"), familiar("docker.io/team/app"), familiar("ghcr.io/library/x")
        ('redis', 'team/app', 'ghcr.io/library/x')
    """
    return _HUB.sub("", repository)
