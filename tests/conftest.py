"""What tests share: the fixtures of the stages, and properties without a deadline: a busy machine is no defect."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from mlox.testing import FakeBackend
from tests.component_stage import shop
from tests.fake_machine import fake_machine
from tests.projects_stage import monorepo
from tests.sdk_stage import client, given_back, stack
from tests.shell_stage import demo, no_reports, say
from tests.workspace_stage import project

__all__ = ["client", "demo", "given_back", "machine", "monorepo", "no_reports", "project", "say", "shop", "stack"]

settings.register_profile(
    "mlox",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,  # whoever checks a change again gets the same examples
)
settings.load_profile("mlox")


@pytest.fixture(autouse=True)
def no_index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only live tests ask a package index; elsewhere uv says at once that it cannot."""
    if request.node.get_closest_marker("live") is None:
        monkeypatch.setenv("UV_OFFLINE", "1")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    return fake_machine(monkeypatch)
