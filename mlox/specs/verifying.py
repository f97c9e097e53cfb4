"""What an author writes about a service's own content: the command that tells whether two servers have the same."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlox.specs.model import Name, Spec


class VerifySpec(Spec):
    """A command inside the running unit that writes what the service holds: the same text for the same content.

    Counts and checksums, in an order of their own; nothing of the server, of time, or of what expires by itself.
    """

    unit: Name
    argv: Annotated[list[str], Field(min_length=1)]
