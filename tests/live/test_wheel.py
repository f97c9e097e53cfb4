"""Whether the wheel alone is enough: installed into an empty environment, without anything that developers have."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.native_stage import free_port

ROOT = Path(__file__).parents[2]
TRIED = "import mlox, sys; stack = mlox.Stack('tried', sys.argv[1]); stack.add('mlflow'); print(stack.plan())"


def run(*command: str | Path) -> str:
    """What a command prints; its failure is the test's."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    "resolution", ["highest", pytest.param("lowest-direct", marks=[pytest.mark.exhaustive, pytest.mark.slow])]
)
def test_the_wheel_plans_a_stack_in_an_empty_environment(tmp_path: Path, resolution: str) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not on the PATH: tests/live/install")
    python = tmp_path / "environment" / "bin" / "python"
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT)
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "environment")
    uv = Path(sys.executable).with_name("uv")
    run(uv, "pip", "install", "--python", python, "--resolution", resolution, next(tmp_path.glob("*.whl")))

    assert "mlflow" in run(python.with_name("mlox"), "catalog")
    assert "create" in run(python, "-c", TRIED, tmp_path)
    assert run(python, "-c", "import mlox_jupyter, mlox.cli; print('there')") == "there\n"
    assert "6 files" in run(python.with_name("mlox"), "-C", tmp_path, "add", "feature-store")
    assert "clean" in run(python.with_name("mlox"), "-C", tmp_path, "status", "feature-store")
    assert "6 files" in run(python.with_name("mlox"), "-C", tmp_path, "remove", "feature-store")
    run(python.with_name("mlox"), "-C", tmp_path, "add", "redis")
    written = tmp_path / "mlox.yaml"  # a port that no test beside this one asks for
    written.write_text(
        written.read_text().replace("service: redis\n", f"service: redis\n    ports: {{redis: {free_port()}}}\n")
    )
    assert "running" in run(python.with_name("mlox"), "-C", tmp_path, "up", "redis")
    assert "data removed" in run(python.with_name("mlox"), "-C", tmp_path, "-y", "down", "redis", "--purge")
    assert run(python.with_name("mlox"), "--version").startswith("mlox ")
