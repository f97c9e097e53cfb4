"""Whether `make demo` tells what happens, and leaves nothing running, also where the notebook fails."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
MLOX = Path(sys.executable).with_name("mlox")


def demo(folder: Path, *cells: str) -> subprocess.CompletedProcess[str]:
    """Run a notebook with these cells as `make demo` does, in ``folder``."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    source = folder.with_suffix(".ipynb")
    nbformat.write(notebook, source)
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(source), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def statuses(folder: Path) -> list[str]:
    """How the services of the workspace stand."""
    done = subprocess.run([MLOX, "-C", folder, "--json", "status"], capture_output=True, check=True)
    return [row["status"] for row in json.loads(done.stdout)["services"]]


@pytest.mark.parametrize(
    ("last", "code", "told"),
    [
        ("%mlox down", 0, "nothing is left running"),
        ("%mlox up nosuch", 1, "unknown service 'nosuch'"),
        ("print('no down')", 0, "nothing is left running"),
    ],
)
def test_the_demo_shows_every_cell_and_stops_what_it_started(tmp_path: Path, last: str, code: int, told: str) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not on the PATH: tests/live/install")
    done = demo(tmp_path / "demo", "%load_ext mlox_jupyter", "%mlox up redis", last)
    try:
        assert done.returncode == code, done.stdout + done.stderr
        assert "\n>>> %mlox up redis\n    redis  running  local" in done.stdout
        assert f"\n>>> {last}\n" in done.stdout
        assert told in done.stdout
        assert statuses(tmp_path / "demo") == ["stopped"]
        assert (tmp_path / "demo" / "demo.ipynb").exists()
    finally:
        subprocess.run([MLOX, "-C", tmp_path / "demo", "-y", "-q", "down", "--purge"], capture_output=True, check=False)
