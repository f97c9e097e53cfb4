"""The notebook of a whole stack, from features to metrics, under every runner, and as a script without magics."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import mlox
from mlox.cli import main
from mlox.documents import load
from tests.jupyter.cells import ROOT
from tests.jupyter.test_runners import RUNNERS, run_with, texts
from tests.live.catalog.clients import python_with
from tests.live.collector_stage import path_with_otelcol
from tests.live.object_stage import path_with_minio

NOTEBOOK = ROOT / "notebooks" / "05-stack.ipynb"
PACKAGES = (
    *("feast[grpcio]==0.67.0", "mlflow-skinny==3.17.2", "opentelemetry-exporter-otlp-proto-http==1.45.2"),
    *("prometheus-api-client==0.7.2", "scikit-learn==1.8.0", "skops==0.16.0"),
)
"""What the notebook tells to install, but for what developers have anyway."""

SERVICES = ["redis", "postgres", "minio", "prometheus", "otel-collector", "feast", "mlflow", "churn"]
SLOW_S = 3600


@pytest.fixture(scope="module")
def python() -> str:
    return str(python_with(PACKAGES))


@pytest.fixture(scope="module")
def workspace(python: str, data_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace in which the notebook ran once, under nbval: it gave what is saved in it."""
    folder = tmp_path_factory.mktemp("stack")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOX_DATA_HOME", str(data_home))
        with path_with_minio() as minio:
            patch.setenv("PATH", minio)
            with path_with_otelcol() as path:
                patch.setenv("PATH", path)
                shutil.copy(NOTEBOOK, folder)
                try:
                    failed, printed = run_with("nbval", folder, NOTEBOOK.name, python=python, timeout_s=SLOW_S)
                    assert not failed, printed
                    yield folder
                finally:
                    main(["-C", str(folder), "-q", "-y", "down", "--purge"])


def stopped(workspace: Path) -> list[str]:
    """The services of a workspace, none of which may run."""
    rows = mlox.Stack(path=workspace).status().services
    assert {row.status for row in rows} == {"stopped"}
    return [row.name for row in rows]


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(SLOW_S)
def test_the_notebook_gives_what_is_saved_in_it(workspace: Path) -> None:
    assert stopped(workspace) == SERVICES
    written = service(workspace)
    assert written["options"]["model"] == "models:/churn/1"
    assert written["needs"] == {"mlflow": "mlflow", "telemetry": "otel-collector"}


@pytest.mark.exhaustive
@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(SLOW_S)
@pytest.mark.parametrize("runner", [name for name in RUNNERS if name != "nbval"])
def test_run_again_the_notebook_serves_the_next_version(workspace: Path, python: str, runner: str) -> None:
    before = served(workspace)
    name = f"{runner}.ipynb"
    shutil.copy(NOTEBOOK, workspace / name)
    failed, printed = run_with(runner, workspace, name, python=python, timeout_s=SLOW_S)
    assert not failed, printed
    assert served(workspace) == before + 1
    assert stopped(workspace) == SERVICES
    if runner != "nbval-lax":
        saved, found = texts(NOTEBOOK), texts(workspace / name)
        first, *same = [text for text in saved if text.startswith(("[", "{"))]
        assert len(same) > 6
        assert set(same) <= set(found)
        assert first.replace("}", ",\n 'churn': 'stopped'}") in found, "the cell starts the seven that it names"


@pytest.mark.exhaustive
@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(SLOW_S)
def test_a_script_in_the_same_words_does_the_same(workspace: Path, python: str) -> None:
    before = served(workspace)
    (workspace / "script.py").write_text(as_script())
    done = subprocess.run(
        [python, "script.py"], cwd=workspace, capture_output=True, text=True, timeout=SLOW_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert served(workspace) == before + 1
    assert stopped(workspace) == SERVICES
    answers = next(text for text in texts(NOTEBOOK) if re.match(r"\[(True|False), ", text))
    assert done.stdout.splitlines().count(answers) == 2


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_where_programs_are_missing_the_plan_says_so_and_nothing_is_started(
    isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    shutil.copy(NOTEBOOK, isolated)
    failed, printed = run_with(runner, isolated, NOTEBOOK.name)
    assert failed == {NOTEBOOK.name}, printed
    assert re.search(r"error: [\w-]+: \S+ is not on the PATH", printed), printed
    assert [row.status for row in mlox.Stack().status().services] == []


def service(workspace: Path) -> dict[str, Any]:
    """What ``mlox.yaml`` says of the service that has the model."""
    stack: Any = load((workspace / "mlox.yaml").read_text(), source="mlox.yaml")
    return dict(stack["services"]["churn"])


def served(workspace: Path) -> int:
    """The version of the model that the stack serves."""
    return int(service(workspace)["options"]["model"].rpartition("/")[2])


def as_script() -> str:
    """The notebook's cells, with each magic in the words of a script; what a cell ends in is printed."""
    lines = ["import subprocess, sys", "import mlox", "churn = mlox.Stack('churn')"]
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        if cell.cell_type == "code":
            lines += _words(cell.source)
    return "\n".join(lines)


def _words(source: str) -> list[str]:
    first, *rest = source.splitlines()
    if first == "%%mlox up":
        return [f"for name in {[line.strip(' :') for line in rest[1:]]}:", "    churn.add(name)", "churn.up()"]
    if first.startswith(("%load_ext", "%mlox init", "%%mlox plan")):
        return []
    if use := re.fullmatch(r"(\w+) = %mlox use (\S+)", first):
        return [f"{use[1]} = mlox.use({use[2]!r})"]
    if first.startswith("%mlox "):
        return [f"subprocess.run([sys.executable, '-m', 'mlox', *{shlex.split(first)[1:]}], check=True)"]
    last = source.splitlines()[-1]
    expression = not last.startswith((" ", ")")) and not re.match(r"[\w.]+ = |\w+\.(apply|write|to_|set_)", last)
    return [*source.splitlines()[:-1], f"print({last})" if expression else last]
