"""What a resolver is asked for a project that takes others of its repository, or shares a lock file with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.components.dependencies.members import beside
from mlox.components.tree import Tree
from tests.component_stage import Shop

TOP = '[tool.uv.workspace]\nmembers = ["libs/*", "services/*"]\nexclude = ["services/old"]\n'
SOURCES = '\n[tool.uv.sources]\nour-shared = { workspace = true }\nbeyond = { path = "../../../beyond" }\n'


def _member(name: str, *asked: str, more: str = "") -> str:
    return f'[project]\nname = "{name}"\nversion = "1"\ndependencies = {list(asked)}\n{more}'


@pytest.fixture
def workspace(monorepo: Shop) -> Shop:
    """A workspace of uv: a library, and two services that take it as it lies there."""
    extras = '[project.optional-dependencies]\nfast = ["orjson"]\n'
    monorepo.put("pyproject.toml", TOP)
    monorepo.put("libs/shared/pyproject.toml", _member("Our.Shared", "httpx", more=extras))
    monorepo.put("services/api/pyproject.toml", _member("api", "our_shared[fast]", "beyond", "rich", more=SOURCES))
    monorepo.put("services/web/pyproject.toml", _member("web", "our-shared", "flask", more=SOURCES))
    monorepo.put("services/old/pyproject.toml", _member("old", "flask<1"))
    return monorepo


def test_all_members_of_a_workspace_have_to_go_together(workspace: Shop) -> None:
    workspace.add(to="services/api")
    assert sorted(workspace.resolved) == ["flask", "httpx", "orjson", "rich", "tabulate>=0.9"]


def test_members_that_may_differ_are_checked_alone(workspace: Shop) -> None:
    workspace.put("pyproject.toml", TOP + '\n[tool.uv]\nconflicts = [[{ package = "api" }, { package = "web" }]]\n')
    workspace.add(to="services/api")
    assert sorted(workspace.resolved) == ["httpx", "orjson", "rich", "tabulate>=0.9"]


def test_what_is_no_member_is_checked_alone(workspace: Shop) -> None:
    workspace.add(to="services/old")
    assert workspace.resolved == ["flask<1", "tabulate>=0.9"]


def test_a_distribution_from_a_folder_counts_with_what_it_asks_for(monorepo: Shop) -> None:
    monorepo.put(
        "services/api/pyproject.toml", _member("api", "web", more='[tool.uv.sources]\nweb = { path = "../web" }\n')
    )
    monorepo.put(
        "services/web/pyproject.toml", _member("web", "api", "flask", more='[tool.uv.sources]\napi.path = "../api"\n')
    )
    monorepo.add(to="services/api")
    assert sorted(monorepo.resolved) == ["flask", "tabulate>=0.9"]


def test_a_neighbour_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "a"\n[tool.uv.sources]\nx = { path = "x.whl" }\ny = { path = "y" }\nz = { path = "/z" }\n'
        '[tool.uv.workspace]\nmembers = ["../*", "/etc/*", "", "y"]\n'
    )
    (tmp_path / "x.whl").write_text("")
    (tmp_path / "y").mkdir()
    (tmp_path / "y/pyproject.toml").write_text("[")
    assert beside(Tree(tmp_path), "", ["x", "y", "z", "rich"]) == ("rich",)
