"""Whether uv's own words are understood: a set that has versions, and one that has none."""

from __future__ import annotations

import pytest

from mlox.errors import DependencyError
from mlox.protocols import Event
from mlox.stack.resolving import check_together, resolve_by_uv


def test_a_set_that_has_versions() -> None:
    events: list[Event] = []
    check_together("greeting", ["tabulate>=0.9", "packaging>=23"], resolve_by_uv, events.append)
    assert events == []


def test_a_set_that_has_none_is_told_in_the_words_of_uv() -> None:
    events: list[Event] = []
    with pytest.raises(DependencyError) as caught:
        check_together("greeting", ["fastapi==0.100", "starlette==0.30"], resolve_by_uv, events.append)
    assert "depends on starlette" in caught.value.problem
    assert events == []
