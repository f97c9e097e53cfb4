"""Where the front end is loaded: beside a foreign package, inside a browser, in a terminal, behind a JupyterHub."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlox.errors import DISTRIBUTION
from mlox.plan import Plan
from mlox.values import Deployed, Notice, ServiceRow
from mlox_jupyter.views import view
from tests.jupyter.cells import ROOT


def python(code: str, *before: Path, terminal: bool = False) -> str:
    """What a new interpreter prints; ``before`` stand before our own packages on its path."""
    kind = "terminal.interactiveshell import TerminalInteractiveShell" if terminal else "core.interactiveshell import "
    start = f"from IPython.{kind if terminal else kind + 'InteractiveShell'} as Shell\nshell = Shell.instance()\n"
    done = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", start + code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*before, ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Another package of the same name


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder of packages with another program's ``mlox``, as ``pip install busysloths-mlox`` leaves it."""
    (tmp_path / "mlox").mkdir()
    (tmp_path / "mlox" / "__init__.py").write_text("from mlox.logging_config import configure\n")
    (tmp_path / "mlox" / "logging_config.py").write_text("configure = print\n")
    info = tmp_path / "busysloths_mlox-0.5.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: busysloths-mlox\nVersion: 0.5.0\n")
    (info / "top_level.txt").write_text("mlox\n")
    return tmp_path


def test_a_foreign_package_is_named_with_the_remedy(foreign: Path) -> None:
    printed = python("shell.run_cell('%load_ext mlox_jupyter')", foreign)
    assert printed.splitlines() == [
        f"error: the package mlox here is busysloths-mlox, not {DISTRIBUTION}",
        f"hint: pip uninstall -y busysloths-mlox && pip install --force-reinstall {DISTRIBUTION}",
    ]


def test_a_package_that_overwrote_only_some_of_our_files_is_noticed_too(foreign: Path) -> None:
    for name in ("errors.py", "verbs"):
        (foreign / "mlox" / name).symlink_to(ROOT / "mlox" / name)
    assert "pip uninstall -y busysloths-mlox" in python("shell.run_cell('%load_ext mlox_jupyter')", foreign)


def test_a_package_without_a_distribution_is_noticed_too(foreign: Path) -> None:
    (foreign / "mlox" / "__init__.py").write_text("import what_is_not_installed\n")
    for path in (foreign / "busysloths_mlox-0.5.0.dist-info").iterdir():
        path.unlink()
    printed = python("shell.run_cell('%load_ext mlox_jupyter')", foreign)
    assert printed.splitlines()[1] == f"hint: pip install --force-reinstall {DISTRIBUTION}"


# Where nothing can be started


@pytest.mark.parametrize(
    ("platform", "problem"),
    [("emscripten", "mlox can start nothing here"), ("win32", "mlox runs on Linux, macOS and WSL2")],
)
def test_importing_succeeds_and_acting_gives_one_clear_message(platform: str, problem: str) -> None:
    absent = "import sys\nfor name in ('fcntl', 'pwd', 'grp', 'psutil', 'supervisor', 'pyrage', 'uv'):\n"
    absent += f"    sys.modules[name] = None\nsys.platform = {platform!r}\n"
    cells = "".join(
        f"shell.run_cell({cell!r})\n"
        for cell in ("import mlox, mlox_jupyter\n%load_ext mlox", "%mlox help up", "%mlox up mlflow", "%mlox status")
    )
    lines = python(absent + cells).splitlines()
    assert lines[0].startswith("usage: %mlox up")
    assert [line for line in lines if line.startswith("error: ")] == [line for line in lines if problem in line]
    assert len([line for line in lines if problem in line]) == 2
    assert "Traceback" not in "\n".join(lines)


def test_loading_is_light() -> None:
    code = "import sys\nbefore = set(sys.modules)\nshell.run_cell('%load_ext mlox_jupyter')\n"
    code += "print(*sorted(set(sys.modules) - before))"
    loaded = set(python(code).split())
    assert "mlox_jupyter.magics" in loaded
    assert not {"pydantic", "ruamel.yaml", "psutil", "supervisor", "pyrage", "mlox.stack", "ipykernel"} & loaded


# A terminal


def test_in_a_terminal_values_are_text_with_detail() -> None:
    cells = ("%load_ext mlox", "%mlox init churn", "x = %mlox status", "%mlox nope", "%mlox help down", "x")
    printed = python("".join(f"shell.run_cell({cell!r})\n" for cell in cells), terminal=True)
    assert "churn: this folder is now a workspace" in printed
    assert str(Path.cwd() / "mlox.yaml") in printed
    assert "error: unknown verb 'nope'" in printed
    assert "usage: %mlox down" in printed
    assert "no services yet: %mlox up mlflow" in printed
    assert "<div" not in printed
    assert "Traceback" not in printed


# A JupyterHub

ROW = ServiceRow("mlflow", "mlflow", "local", "native", "running", url="http://127.0.0.1:5000", version="3.17.2")
PROXY = "/user/ann/proxy/5000/"


@pytest.mark.parametrize("value", [Deployed(Plan("s"), (ROW,)), Notice(("mlflow",), {}, ("http://127.0.0.1:5000",))])
def test_behind_a_hub_the_proxy_stands_beside_the_loopback_address(
    value: Deployed | Notice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = '<a href="http://127.0.0.1:5000" target="_blank" rel="noopener noreferrer">http://127.0.0.1:5000</a>'
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    assert PROXY not in view(value, detail=True)
    (tmp_path / "jupyter_server_proxy.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert link in view(value, detail=True)
    assert f'<a href="{PROXY}"' in view(value, detail=True)
    assert "5000" not in view(value, detail=False)
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX")
    assert link in view(value, detail=True)
    assert PROXY not in view(value, detail=True)
