"""What nobody names in a verb that starts something: forwarders, which come and go with what needs them."""

from __future__ import annotations

from collections.abc import Collection

from mlox.errors import UsageError
from mlox.stack.surroundings import Surroundings


def refuse_forwarders(around: Surroundings, names: Collection[str]) -> None:
    """Raise a :class:`UsageError` where one of ``names`` is a forwarder: those follow from the wiring."""
    derived = {o.service: o.unit.forwards[0] for o in around.observed.values() if o.unit.forwards}
    for name in names:
        if name in derived:
            users = sorted({o.service for o in around.observed.values() if name in o.unit.after})
            raise UsageError(
                f"{name} follows from the wiring: it starts and stops with what needs {derived[name]}",
                hint=f"Name that: {', '.join(users) or derived[name]}.",
            )
