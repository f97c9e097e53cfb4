"""Why a service runs as it does: what it needs and who meets that, who needs it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mlox.explaining.case import Case, Wire
from mlox.specs import EMBEDDED


def reasons(case: Case) -> tuple[str, ...]:
    """A line for each need, and one for those who need it."""
    if case.forwards:
        provider, server = case.forwards
        told = f"by it containers of {server} reach {provider}, which itself listens for this machine alone"
        return (told, *_users(case))
    return (*(_told(wire) for wire in case.wires), *_users(case))


def _told(wire: Wire) -> str:
    who = "met by itself (embedded)" if wire.provider == EMBEDDED else f"met by {wire.provider}"
    if wire.provider != EMBEDDED and wire.status:
        who += f", which is {wire.status}"
    if wire.through:
        who += f", through {wire.through}"
    why = f"written in mlox.yaml, line {wire.line}" if wire.line else "decided when it was added; kept"
    spare = ""
    if wire.others:
        offer = "offers" if len(wire.others) == 1 else "offer"
        spare = f"; {' and '.join(wire.others)} {offer} it too, and nothing is rewired unasked"
    return f"needs {wire.need}: {who}: {why}{spare}"


def _users(case: Case) -> Iterator[str]:
    if case.users:
        yield f"needed by: {', '.join(case.users)}"
    elif case.listed:
        yield "needed by: no other service of this stack"
