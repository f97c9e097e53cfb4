"""Whether the feature store is real: added to an empty project, in a clean environment with exactly what it declares.

There it is imported, type-checked, linted and tested, on SQLite and on a real Redis of the stack, through Feast.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.support import Project, project

UV = Path(sys.executable).with_name("uv")
RUFF = Path(sys.executable).with_name("ruff")

USED = """
import sys
sys.path.insert(0, "src")
import pandas as pd
from shop.feature_store import FeatureStore
from shop.feature_store.settings import ONLINE_STORE
times = pd.to_datetime(["2026-01-01", "2026-02-01"])
store = FeatureStore()
store.build("users", pd.DataFrame({"user": ["ann", "ann"], "event_timestamp": times, "visits": [1, 5]}), entity="user")
labels = pd.DataFrame({"user": ["ann"], "event_timestamp": pd.to_datetime(["2026-01-15"])})
print(ONLINE_STORE, store.online("users", {"user": ["ann"]})["visits"][0], store.offline("users", labels)["visits"][0])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with what the component declares, and with the tools that look at it; nothing of mlox."""
    folder = tmp_path_factory.mktemp("clean")
    python = folder / "environment" / "bin" / "python"
    ran(UV, "venv", "--quiet", "--python", sys.executable, folder / "environment")
    return python


@pytest.fixture
def empty(data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path / "shop", data_home) as made:
        made.done("init", "shop")
        yield made


def ran(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command prints; its failure is the test's."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def installed(python: Path, folder: Path) -> None:
    """Put into the environment what the project declares, and nothing else."""
    ran(UV, "pip", "install", "--quiet", "--python", python, "--requirements", folder / "pyproject.toml")


@pytest.mark.long
def test_added_to_an_empty_project_it_imports_checks_and_passes(empty: Project, python: Path) -> None:
    empty.done("add", "feature-store")
    installed(python, empty.folder)
    assert "mlox" not in ran(UV, "pip", "list", "--python", python)
    assert ran(python, "-c", USED, cwd=empty.folder).split() == ["sqlite", "5", "1"]
    assert (empty.folder / "data" / "feature_store" / "online.db").exists()

    ran(UV, "pip", "install", "--quiet", "--python", python, "pytest", "mypy", "pandas-stubs")
    tested = ran(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=empty.folder)
    assert " passed" in tested
    assert "failed" not in tested
    ran(python, "-m", "mypy", "--strict", "--cache-dir", "/dev/null", "-p", "shop", cwd=empty.folder / "src")
    ran(RUFF, "check", "--isolated", "--line-length", "120", "--select", "E,F,I,B,UP", empty.folder)
    ran(RUFF, "format", "--isolated", "--line-length", "120", "--check", empty.folder)

    assert "6 files" in empty.done("remove", "feature-store")
    assert not (empty.folder / "src").exists()
    assert not (empty.folder / "pyproject.toml").exists()


@pytest.mark.long
def test_with_redis_in_the_stack_it_serves_from_redis(empty: Project, python: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not on the PATH: tests/live/install")
    empty.done("up", "redis")
    assert "online_store = redis" in empty.done("add", "feature-store")
    installed(python, empty.folder)
    ran(UV, "pip", "install", "--quiet", "--python", python, "pytest")
    assert empty.done("run", "redis", "--", str(python), "-c", USED).split() == ["redis", "5", "1"]
    assert not (empty.folder / "data" / "feature_store" / "online.db").exists()
    without = empty.run(str(python), "-c", USED)
    assert "REDIS_URL is not set" in without.err

    tested = empty.done("run", "redis", "--", str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert " passed" in tested
    assert "skipped" not in tested
    password = empty.password("redis")
    written = [path for path in empty.folder.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    assert written == []


def test_the_template_is_tested_where_it_lies() -> None:
    root = Path(__file__).parents[2] / "mlx-components" / "feature-store"
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", ".")
    tested = ran("env", "PYTHONPATH=src", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", *command, "tests", cwd=root)
    assert " passed" in tested
