"""What every test has around it, doctests and the code blocks of the docs too: a home of its own, and no excuses.

- No test sees or touches the home, the data, the settings or the workspace of whoever runs it.
- With ``MLOX_TEST_NO_SKIP=1``, as in CI, a live test that is skipped is a failure.
- Ctrl-C works, also where whoever runs the tests in the background ignores it, which all commands would inherit.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.slices import leave_out

ROOT = Path(__file__).parent
LIVE = ROOT / "tests" / "live"
AMBIENT = ("MLOX_", "MLFLOW_", "XDG_", "JUPYTER_", "JPY_")

# Downloads are shared between runs: what the tests isolate is state, and a cache is none.
UV_CACHE = os.environ.get("UV_CACHE_DIR") or str(
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "uv"
)


@pytest.fixture(scope="session")
def data_home() -> Iterator[Path]:
    """Where services of this test session keep their data.

    Its path is short, since a socket's has to be, and others may go through it, since root's services run as an
    unprivileged user. Environments in it are shared by all tests of the session; stacks in it have ids of their own.
    """
    folder = Path(tempfile.mkdtemp(prefix="test-mlox-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def isolated(data_home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, an empty current folder (which is returned), and no setting of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    here = tmp_path_factory.mktemp("here")
    for variable in os.environ:
        if variable.startswith(("MLOX_", "MLFLOW_", "XDG_", "JUPYTER_", "JPY_")) and not variable.startswith(
            "MLOX_TEST_"
        ):
            monkeypatch.delenv(variable)
    monkeypatch.delenv("IPYTHONDIR", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MLOX_DATA_HOME", str(data_home))
    monkeypatch.setenv("UV_CACHE_DIR", UV_CACHE)
    monkeypatch.chdir(here)
    return here


def pytest_configure() -> None:
    """Take Ctrl-C back."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of ``tests/live`` is live; live tests take turns, unless they name a group; long ones are sliced.

    Comes first, since xdist reads the groups in the same hook.
    """
    for item in items:
        if item.path.is_relative_to(LIVE):
            item.add_marker(pytest.mark.live)
        if item.get_closest_marker("live") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("live"))
    leave_out(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a live test into a failure, where none may be skipped."""
    report = yield
    if item.get_closest_marker("live"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    if collector.path.is_relative_to(LIVE):
        _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("MLOX_TEST_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"a live test may not be skipped here (MLOX_TEST_NO_SKIP): {reason}"
