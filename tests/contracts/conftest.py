"""The back ends that run the contract: one row of BENCHES makes a back end run all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.benches import BENCHES, LIVE, Bench


def marks(name: str) -> list[pytest.MarkDecorator]:
    """What a back end under test needs: real things, and those on an engine take turns with others there."""
    found = [pytest.mark.live] if name in LIVE else []
    return [*found, pytest.mark.xdist_group("engine")] if name == "docker" else found


@pytest.fixture(params=[pytest.param(name, marks=marks(name)) for name in sorted(BENCHES)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with BENCHES[request.param]() as made:
        yield made
