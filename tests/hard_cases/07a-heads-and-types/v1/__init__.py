"""Parts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def load(text: str) -> Mapping[str, int]:
    return json.loads(text)
