"""The back ends that run the contract: one row of BENCHES makes a back end run all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.benches import BENCHES, LIVE, Bench


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.live] if name in LIVE else []) for name in sorted(BENCHES)]
)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with BENCHES[request.param]() as made:
        yield made
