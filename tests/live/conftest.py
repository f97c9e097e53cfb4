"""A stage for each live test of the native back end, swept and checked for leftovers afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.native_stage import Stage, stage


@pytest.fixture
def here() -> Iterator[Stage]:
    with stage() as made:
        yield made
