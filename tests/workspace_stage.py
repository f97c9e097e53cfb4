"""A project of somebody, for the tests of workspaces: empty, or with a stack written in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.workspace import Workspace


def nobody(_: str) -> bool:
    return False


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of somebody, below a home folder of theirs."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def written(folder: Path, text: str = "name: churn\nid: churn-00aa\n") -> Workspace:
    (folder / "mlox.yaml").write_text(text, encoding="utf-8")
    return Workspace(folder)
