"""How the lease is asked before every effect: a seam, with a check before each call that may change something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

Seam = TypeVar("Seam")

LOOKING = frozenset(
    {
        *("facts", "observe", "measure", "examine", "deviations", "history", "probe", "logs", "follow", "endpoint"),
        *("usage", "data_bytes"),
        *("leftovers", "holder", "at_rest", "abort", "name"),
        *("get", "names", "describe", "passages", "data_size", "data_out"),
    }
)
"""What only looks, or only ends what we began ourselves. Everything else counts as an effect, also what comes later."""


def guarded(seam: Seam, check: Callable[[], None]) -> Seam:
    """``seam``, where each call that is not one of :data:`LOOKING` happens only after ``check`` did not raise.

    Example:
        >>> from mlox.testing import FakeSecretStore
        >>> from mlox.secret import Secret
        >>> asked: list[str] = []
        >>> store = guarded(FakeSecretStore(), lambda: asked.append("may I?"))
        >>> _ = store.set("TOKEN", Secret("hunter22"))
        >>> store.names(), asked
        (('TOKEN',), ['may I?'])
    """
    return cast("Seam", _Guarded(seam, check))


class _Guarded:
    def __init__(self, seam: object, check: Callable[[], None]) -> None:
        self._seam = seam
        self._check = check

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._seam, name)
        if name in LOOKING:
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._check()
            return found(*arguments, **named)

        return call
