"""A receiver that keeps what it is told, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from mlox.alerts.records import Notification
from mlox.errors import DeliveryError


class FakeReceiver:
    """Implements :class:`mlox.protocols.Receiver`; while it is ``down`` it accepts nothing.

    Example:
        >>> FakeReceiver().told
        []
    """

    def __init__(self) -> None:
        self.told: list[Notification] = []
        self.down = False

    def tell(self, notifications: Sequence[Notification]) -> None:
        """Keep them."""
        if self.down:
            raise DeliveryError("the receiver is down", hint="Bring it back.")
        self.told += notifications
