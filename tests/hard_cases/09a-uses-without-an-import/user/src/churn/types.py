from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from churn.parts.store import Store


def size(store: "Store") -> int:
    return store.limit
