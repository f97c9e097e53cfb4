"""Whether nbclient, papermill, nbmake, nbval and nbval-lax agree: the quickstart passes, a failing cell fails."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from packaging.requirements import Requirement

import mlox
from mlox.cli import main
from tests.jupyter.cells import ROOT, WAIT_FOR_DEPLOYMENT, Kernel

COMPONENTS = ROOT / "notebooks" / "04-components.ipynb"
FEATURES = ROOT / "notebooks" / "02-feature-store.ipynb"
QUICKSTART = ROOT / "notebooks" / "01-quickstart.ipynb"

LIBRARY = """
import sys
for path in sys.argv[1:]:
    try:
        {call}
    except Exception as error:
        print(f"FAILED {{path}}", error)
"""
NBCLIENT = """import nbformat, nbclient
        client = nbclient.NotebookClient(nbformat.read(path, 4), kernel_name="python3")
        client.execute()
        nbformat.write(client.nb, path)"""
PAPERMILL = """import papermill
        papermill.execute_notebook(path, path, kernel_name="python3", progress_bar=False)"""

RUNNERS: dict[str, Sequence[str]] = {
    "nbclient": ("-c", LIBRARY.format(call=NBCLIENT)),
    "papermill": ("-c", LIBRARY.format(call=PAPERMILL)),
    "nbmake": ("-m", "pytest", "--nbmake", "--overwrite", "-rf", "-c", os.devnull, "--rootdir=."),
    "nbval": ("-m", "pytest", "--nbval", "-rf", "-c", os.devnull, "--rootdir=."),
    "nbval-lax": ("-m", "pytest", "--nbval-lax", "-rf", "-c", os.devnull, "--rootdir=."),
}

CELLS = {
    "fine": "%mlox help up\n%mlox init fine",
    "wrong name": "%mlox up mlfow",
    "wrong option": "%mlox status --nope",
    "no body": "%%mlox start",
}


def sliced(*names: str, without: str = "") -> list[Any]:
    """Runners for a notebook that takes long: ``names`` in every run of tests, the others in the exhaustive one."""
    others = (pytest.param(name, marks=pytest.mark.exhaustive) for name in RUNNERS if name not in {*names, without})
    return [*names, *others]


def run_with(
    runner: str, folder: Path, *names: str, python: str = sys.executable, timeout_s: float = 600
) -> tuple[set[str], str]:
    """Which of the notebooks in ``folder`` fail under a runner, and what it prints."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [python, *RUNNERS[runner], *names],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "PY_COLORS": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    printed = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert done.returncode in (0, 1), printed
    return set(re.findall(r"^(?:FAILED|ERROR) (?:\S*/)?([\w .-]+\.ipynb)", printed, re.MULTILINE)), printed


def write(path: Path, *sources: str) -> str:
    """A notebook of these cells, without outputs; returns its name."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    cells = [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path.name


def texts(path: Path) -> list[str]:
    """The plain texts that a notebook holds."""
    outputs = [output for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", ())]
    return [output.data["text/plain"] for output in outputs if "data" in output]


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_a_failing_cell_fails_under_every_runner(isolated: Path, runner: str) -> None:
    names = [write(isolated / f"{name}.ipynb", "%load_ext mlox_jupyter", cell) for name, cell in CELLS.items()]
    failed, printed = run_with(runner, isolated, *names)
    assert failed == set(names) - {"fine.ipynb"}, printed
    assert "error: unknown service 'mlfow'" in printed


# The quickstart


@pytest.fixture(scope="module")
def settings(data_home: Path) -> Iterator[None]:
    """For fixtures of the whole file, which come before those of a test, the data home of these."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOX_DATA_HOME", str(data_home))
        yield


@pytest.fixture(scope="module")
def left_running(settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace in which the quickstart ran without its last cell, under nbclient."""
    del settings
    folder = tmp_path_factory.mktemp("quickstart")
    notebook = nbformat.read(QUICKSTART, 4)
    assert notebook.cells[-1].source == "%mlox down"
    notebook.cells.pop()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    nbformat.write(notebook, folder / "first.ipynb")
    shutil.copy(folder / "first.ipynb", folder / "again.ipynb")
    try:
        failed, printed = run_with("nbclient", folder, "first.ipynb")
        assert not failed, printed
        yield folder
    finally:
        main(["-C", str(folder), "-q", "-y", "down", "--purge"])


@pytest.mark.live
def test_the_quickstart_gives_what_is_saved_in_it(isolated: Path) -> None:
    shutil.copy(QUICKSTART, isolated)
    try:
        failed, printed = run_with("nbval", isolated, QUICKSTART.name)
        assert not failed, printed
        assert mlox.Stack().service("mlflow").status().status == "stopped"
    finally:
        main(["-q", "-y", "down", "--purge"])


@pytest.mark.live
def test_the_quickstart_without_its_end_leaves_mlflow_running(left_running: Path) -> None:
    assert texts(left_running / "first.ipynb")[1].splitlines()[-1] == "next: tracking = %mlox use mlflow"
    assert mlox.Stack(path=left_running).service("mlflow").status().status == "running"


@pytest.mark.live
@pytest.mark.parametrize("runner", [name for name in RUNNERS if name != "nbval"])
def test_run_again_the_quickstart_has_nothing_to_do(left_running: Path, runner: str) -> None:
    name = f"{runner}.ipynb"
    shutil.copy(left_running / "again.ipynb", left_running / name)
    failed, printed = run_with(runner, left_running, name)
    assert not failed, printed
    if runner != "nbval-lax":
        init, up, use, files, metrics, secret, would_add, added, status = texts(left_running / name)
        assert init == "churn: this folder is a workspace already"
        assert up == "nothing to do\nmlflow  running  local  3.17.2"
        assert use.endswith("MLFLOW_TRACKING_PASSWORD (hidden)")
        assert (files, metrics) == ("['notes.txt']", "[{'auc': 0.91}]")
        assert secret == "DEMO_TOKEN set, readable by: you"
        assert would_add == "feature-store 1.0 is in src/churn/feature_store already; nothing was written"
        assert added.startswith("feature-store 1.0 is in src/churn/feature_store already (6 files, clean)")
        assert status.splitlines()[0].split() == ["mlflow", "service", "running", "local", "3.17.2"]
        assert status.splitlines()[1].split() == ["feature-store", "component", "clean", "6", "files"]


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("runner", sliced("nbval", "nbclient"))
def test_features_are_built_and_read_and_what_was_added_is_gone(isolated: Path, runner: str) -> None:
    name = FEATURES.name  # it tells of itself that it imports what goes
    for _ in range(2 if runner == "nbclient" else 1):
        shutil.copy(FEATURES, name)
        failed, printed = run_with(runner, isolated, name)
        assert not failed, printed
        left = {path.name for path in isolated.iterdir()} - {name}
        assert left <= {".mlox", "mlox.yaml", "data", "pyproject.toml", ".pytest_cache"}, left
        needed = tomllib.loads((isolated / "pyproject.toml").read_text())["project"]["dependencies"]
        assert [Requirement(one).name for one in needed] == ["pandas"]  # which the notebook imports itself
    built, online, offline = texts(isolated / name)[2:5]
    assert built == "{'customers': ['tenure_months', 'support_calls', 'plan']}"
    assert [line.split()[-1] for line in online.splitlines()] == ["plan", "basic", "basic"]
    assert [line.split()[-2] for line in offline.splitlines()] == ["support_calls", "0.0", "3.0", "NaN"]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("runner", RUNNERS)
def test_components_are_edited_updated_settled_and_gone(isolated: Path, runner: str) -> None:
    """Whether or not the index of packages answers; a second time too, since the folder is as it was."""
    name = COMPONENTS.name  # it tells of itself that it imports what goes
    turns = 2 if runner == "nbclient" else 1
    for _ in range(turns):
        shutil.copy(COMPONENTS, name)
        failed, printed = run_with(runner, isolated, name)
        assert not failed, printed
        left = {path.name for path in isolated.iterdir()} - {name}
        assert left <= {".mlox", "mlox.yaml", ".pytest_cache"}, left
    saved, found = texts(COMPONENTS), texts(isolated / name)
    first = turns - 1  # the second time the workspace is there already
    assert found[first:] == saved[first:]
    assert "[('src/churn/greetings/greeting.py', 'conflict')]" in found


@pytest.mark.live
def test_an_interrupt_reaches_neither_the_deployment_nor_the_service(left_running: Path) -> None:
    assert main(["-C", str(left_running), "-q", "down"]) == 0
    kernel = Kernel(left_running)
    try:
        kernel.run("%load_ext mlox_jupyter")
        request = kernel.begin("%mlox up mlflow")
        kernel.end(request, until=lambda ran: bool(ran.displays))
        kernel.manager.interrupt_kernel()
        assert kernel.end(request).lines[0] == "error: stopped waiting; the deployment goes on in this process"
        kernel.run(WAIT_FOR_DEPLOYMENT)
    finally:
        kernel.close()
    assert mlox.get("mlflow", path=left_running).status().status == "running"


@pytest.mark.live
def test_a_service_outlives_its_kernel_and_is_found_from_another_and_from_a_script(isolated: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not on the PATH: tests/live/install installs it")
    script = [sys.executable, "-c", "import mlox; print(mlox.get('redis').status().status)"]
    try:
        first = Kernel(isolated)
        begun = first.run("%load_ext mlox_jupyter\n%mlox init churn\n%mlox up redis")
        first.close()
        assert begun.error is None
        second = Kernel(isolated)
        found = second.run("%load_ext mlox\n%mlox status")
        second.close()
        assert found.text.startswith("redis  running  local")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        assert subprocess.run(script, env=environment, capture_output=True, text=True, check=True).stdout == "running\n"
    finally:
        main(["-q", "-y", "down", "--purge"])
