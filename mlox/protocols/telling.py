"""Whom a watcher tells of alerts, and what they are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mlox.alerts import Notification


class Receiver(Protocol):
    """Somebody who is told of alerts: a webhook, people with mail."""

    def tell(self, notifications: Sequence[Notification]) -> None:
        """Hand over some notifications, the oldest first, in one message; comes back when they are accepted.

        It is bounded in time. What is told twice has the same ``id``.

        Raises:
            DeliveryError: they were not accepted; nothing of an address or a password is in the message.
        """
