"""The notebook about containers: it passes under every runner where an engine is, and fails alike where none is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

import mlox
from mlox.cli import main
from tests.jupyter.cells import ROOT
from tests.jupyter.test_runners import RUNNERS, run_with, sliced, texts
from tests.live import docker_stage

NOTEBOOK = ROOT / "notebooks" / "03-docker.ipynb"
IMAGES = ("redis:7", "postgres:15", "ghcr.io/mlflow/mlflow:v3.17.2-full")
SLOW_S = 1200


@pytest.fixture(scope="module")
def workspace(data_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace in which the notebook ran once, under nbval: it gave what is saved in it."""
    folder = tmp_path_factory.mktemp("containers")
    with docker_stage.engine() as engine, pytest.MonkeyPatch.context() as patch:
        for image in IMAGES:
            engine.image(image)
        patch.setenv("MLOX_DATA_HOME", str(data_home))
        patch.setenv("DOCKER_HOST", engine.host)
        shutil.copy(NOTEBOOK, folder)
        try:
            failed, printed = run_with("nbval", folder, NOTEBOOK.name)
            assert not failed, printed
            yield folder
        finally:
            stack = engine.owns(mlox.Stack(path=folder).id or "none")
            main(["-C", str(folder), "-q", "-y", "down", "--purge"])
            left = engine.left(stack)
        assert not left, left


@pytest.mark.live
@pytest.mark.xdist_group("engine")
@pytest.mark.slow
@pytest.mark.timeout(SLOW_S)
@pytest.mark.parametrize("runner", sliced("papermill", without="nbval"))
def test_run_again_the_notebook_finds_its_data(workspace: Path, runner: str) -> None:
    name = f"{runner}.ipynb"
    shutil.copy(NOTEBOOK, workspace / name)
    failed, printed = run_with(runner, workspace, name)
    assert not failed, printed
    assert [row.status for row in mlox.Stack(path=workspace).status().services] == ["stopped"] * 3
    if runner != "nbval-lax":
        init, redis, _, champion, plan, up, _, found, status, exported, _, _ = texts(workspace / name)
        assert init == "churn: this folder is a workspace already"
        assert redis.splitlines()[0] == "redis  running  docker  7"
        assert champion == "'churn-7'"
        assert {line.split()[0] for line in plan.splitlines()} == {"start"}
        assert {tuple(line.split()[:3]) for line in up.splitlines()[:2]} == {
            ("db", "running", "docker"),
            ("mlflow", "running", "docker"),
        }
        assert found == "[('churn-7', {'auc': 0.91}, 'notes.txt')]"
        assert status.splitlines()[-1] == "docker = containers; their engine starts them again after a reboot"
        assert "ghcr.io/mlflow/mlflow:v3.17.2-full" in exported


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_without_an_engine_the_first_up_fails_in_two_lines(
    isolated: Path, monkeypatch: pytest.MonkeyPatch, runner: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    shutil.copy(NOTEBOOK, isolated)
    failed, printed = run_with(runner, isolated, NOTEBOOK.name)
    assert failed == {NOTEBOOK.name}, printed
    first, *rest = printed[printed.index("error: ") :].splitlines()
    assert first == "error: no container engine answers at unix:///nonexistent/docker.sock (DOCKER_HOST)"
    assert rest[0] == "hint: Start that engine, or name another with DOCKER_HOST or `docker context use`."


def test_its_first_cell_that_starts_something_is_the_one_on_docker() -> None:
    sources = [cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    assert next(source for source in sources if source.startswith("%mlox up")) == "%mlox up redis --on docker"
