"""What an installation consists of: the closure of the base install, the wheel, the locks, the chores."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution, metadata, packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mlox
from mlox.errors import DISTRIBUTION
from mlox.registries.folder import FolderRegistry

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = ("demo", "dev", "uv")
MAX_OWN_DISTRIBUTIONS = 12
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def closure(name: str) -> set[str]:
    """The distribution and all that it requires here, without extras."""
    seen: set[str] = set()
    waiting = [canonicalize_name(name)]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for text in distribution(current).requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(requirement.name))
    return seen


def pins(lock: str) -> dict[str, str]:
    """The versions in a lock, by distribution."""
    return dict(PIN.findall((ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")))


def test_the_base_install_is_small() -> None:
    own = closure(DISTRIBUTION) - closure("ipython")
    assert len(own) <= MAX_OWN_DISTRIBUTIONS, f"{len(own)} distributions beside IPython's: {', '.join(sorted(own))}"
    assert {canonicalize_name(DISTRIBUTION), "pydantic", "supervisor"} <= own


def test_every_package_that_is_imported_is_declared() -> None:
    project = PROJECT["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["all"]]
    declared = {canonicalize_name(Requirement(text).name) for text in required}
    brought_by_ipython = {"traitlets"}
    homes = packages_distributions()
    undeclared = []
    for path in (p for package in ("mlox", "mlox_jupyter") for p in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            tops = {name.split(".")[0] for name in named} - sys.stdlib_module_names - {"mlox", "mlox_jupyter"}
            # A namespace package has several homes; one that is declared is enough.
            undeclared += [
                f"{path.relative_to(ROOT)}:{node.lineno} imports {top}"
                for top in sorted(tops)
                if not {canonicalize_name(home) for home in homes.get(top, [top])} & (declared | brought_by_ipython)
            ]
    assert not undeclared, "\n".join(["", *undeclared])


def test_the_version_is_the_one_of_the_package() -> None:
    assert version(DISTRIBUTION) == mlox.__version__
    assert "version" in PROJECT["project"]["dynamic"]


def test_extras_and_pythons_are_declared() -> None:
    told = metadata(DISTRIBUTION)
    assert {"all", "dev"} <= set(told.get_all("Provides-Extra") or [])
    assert set(told["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    assert not [r for r in distribution(DISTRIBUTION).requires or [] if Requirement(r).name.startswith("mlflow")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sources without a network."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_packages_and_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = f"mlox_sdk-{mlox.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"mlox", "mlox_jupyter", info}
    assert {"mlox/py.typed", "mlox_jupyter/py.typed", f"{info}/licenses/LICENSE"} <= names
    written = {p.relative_to(ROOT).as_posix() for p in (ROOT / "mlox").rglob("*.yaml")}
    shipped = {f"mlox/{file.relative_to(ROOT).as_posix()}" for file in (ROOT / "mlx-components").rglob("*.yaml")}
    assert written
    assert shipped
    assert {name for name in names if name.endswith(".yaml")} == written | shipped


def test_the_wheel_holds_what_browsers_get(wheel: Path) -> None:
    assets = [path for path in (ROOT / "mlox_jupyter").rglob("assets/*") if path.is_file()]
    assert {path.suffix for path in assets} >= {".js", ".css"}
    with zipfile.ZipFile(wheel) as archive:
        for path in assets:
            assert archive.read(path.relative_to(ROOT).as_posix()) == path.read_bytes()


def test_the_wheel_holds_every_component_whole(wheel: Path) -> None:
    registry = FolderRegistry()
    with zipfile.ZipFile(wheel) as archive:
        for name in registry.names():
            for path, content in registry.read(name).items():
                assert archive.read(f"mlox/mlx-components/{name}/{path}") == content


def test_the_wheel_brings_its_two_commands(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entry_points = archive.read(f"mlox_sdk-{mlox.__version__}.dist-info/entry_points.txt").decode()
    assert entry_points.split() == ["[console_scripts]", "mlox", "=", "mlox.cli:main", "mlx", "=", "mlox.cli:mlx"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_has_hashes_and_no_lock_names_an_index(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", text) if PIN.match(entry)]
    assert entries
    bare = [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert not bare, f"{lock}.txt: without a hash: {', '.join(bare)}"
    assert not re.search(r"://|--(?:extra-)?index|--find-links|(?:^| )/", text)


def test_the_locks_agree_with_each_other() -> None:
    dev = pins("dev")
    for lock in ("demo", "uv"):
        other = {name: (pin, dev.get(name)) for name, pin in pins(lock).items() if dev.get(name) != pin}
        assert not other, f"{lock}.txt and dev.txt differ: {other}; run make lock"


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    asked = {
        "dev": [*project["dependencies"], *project["optional-dependencies"]["dev"]],
        "demo": [*project["dependencies"], *(r for r in groups["demo"] + groups["build"] if isinstance(r, str))],
    }
    for lock, requirements in asked.items():
        locked = {canonicalize_name(name): pin for name, pin in pins(lock).items()}
        for requirement in map(Requirement, requirements):
            pin = locked.get(canonicalize_name(requirement.name))
            assert pin, f"{lock}.txt lacks {requirement}; run make lock"
            assert requirement.specifier.contains(pin, prereleases=True), f"{lock}.txt: {requirement} is not {pin}"


def test_make_help_lists_every_chore() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    chores = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE).group(1).split())  # type: ignore[union-attr]
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    assert listed == chores - {"live-requirements"}


def test_ci_runs_the_command_of_the_readme_and_lets_no_live_test_be_skipped() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "make test" in script
    assert "MLOX_TEST_NO_SKIP=1" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    head = (ROOT / "README.md").read_text("utf-8").splitlines()[:12]
    assert {"make demo", "make test"} <= {line.partition("#")[0].strip() for line in head}


SKIPPING = """
import pytest

def test_here():
    {reason}

@pytest.mark.xfail(strict=True)
def test_known():
    assert False
"""


def pytest_in(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest of its own, with our conftest.py."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "xdist", "-ra", *arguments],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


SKIP = "pytest.skip('no redis-server')"
SKIP_FILE = "pass\n\npytest.skip('no redis-server', allow_module_level=True)"


@pytest.mark.parametrize(
    ("reason", "folder", "no_skip", "workers", "code"),
    [
        (SKIP, "live", "1", "0", 1),
        (SKIP, "live", "1", "1", 1),
        (SKIP, "live", "", "0", 0),
        (SKIP, "elsewhere", "1", "0", 0),
        (SKIP_FILE, "live", "1", "0", 1),
        (SKIP_FILE, "live", "1", "1", 1),
        ("pass", "live", "1", "1", 0),
    ],
)
def test_a_skipped_live_test_fails_where_none_may_be_skipped(
    tmp_path: Path, reason: str, folder: str, no_skip: str, workers: str, code: int
) -> None:
    (tmp_path / "tests" / folder).mkdir(parents=True)
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    live: x\n")
    (tmp_path / "tests" / folder / "test_it.py").write_text(SKIPPING.format(reason=reason))
    done = pytest_in(tmp_path, "-n", workers, MLOX_TEST_NO_SKIP=no_skip)
    assert (done.returncode != 0) == bool(code), done.stdout + done.stderr
    if "skip" in reason:
        assert "no redis-server" in done.stdout


NOTING = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(4))
def test_here(number):
    pathlib.Path({notes!r}, f"{{__name__}}-{{number}}").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


@pytest.mark.parametrize(("folder", "workers"), [("live", 1), ("elsewhere", 2)])
def test_live_tests_take_turns(tmp_path: Path, folder: str, workers: int) -> None:
    (tmp_path / "tests" / folder).mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    live: x\n")
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / "tests" / folder / name).write_text(NOTING.format(notes=str(tmp_path / "notes")))
    done = pytest_in(tmp_path, "-n", "2", "--dist", "loadgroup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "notes").iterdir())) == 8
    assert len({note.read_text() for note in (tmp_path / "notes").iterdir()}) == workers
