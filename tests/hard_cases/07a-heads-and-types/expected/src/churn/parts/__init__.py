# Ours.
"""Parts."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def load(text: str) -> Mapping[str, int]:
    logging.debug("loads")
    return json.loads(text)


def names() -> Iterator[str]:
    yield from os.environ


def rows(text: str) -> Sequence[int]:
    return list(load(text).values())
