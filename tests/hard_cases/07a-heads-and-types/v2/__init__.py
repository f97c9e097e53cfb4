"""Parts."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def load(text: str) -> Mapping[str, int]:
    logging.debug("loads")
    return json.loads(text)


def rows(text: str) -> Sequence[int]:
    return list(load(text).values())
