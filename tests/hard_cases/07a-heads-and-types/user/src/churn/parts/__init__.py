# Ours.
"""Parts."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def load(text: str) -> Mapping[str, int]:
    return json.loads(text)


def names() -> Iterator[str]:
    yield from os.environ
