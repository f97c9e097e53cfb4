"""Whether mlox's own components are real: added to projects of every layout, in clean environments.

There each is imported, type-checked, linted and tested, and taken out again without a trace. In the normal run a
component sees one layout, in a full one all of them, and also the oldest releases that it declares.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlox.catalog import Catalog
from tests.live.component_yard import LAYOUTS, SPECS, checked, environment_of, in_place, laid_out, passes, ran
from tests.live.component_yard import with_needed as needed
from tests.live.support import MLOX, Project, project, snapshot

pytestmark = pytest.mark.slow

BESIDE = pytest.mark.xdist_group("components")  # beside other live tests: without services there are no ports to share
EXHAUSTIVE = pytest.mark.exhaustive
NO_REDIS = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not on the PATH")
FEATURES = "feature-store"  # is looked at more closely in test_feature_store.py

Made = Callable[[str], Project]


@pytest.fixture
def made(data_home: Path, tmp_path: Path) -> Made:
    """Makes a project of a layout, without services."""

    def make(layout: str) -> Project:
        folder = tmp_path / "shop"
        folder.mkdir()
        laid_out(folder, LAYOUTS[layout])
        return Project(folder, data_home)

    return make


def cases() -> list[object]:
    """Each component with each layout; of each component one belongs to the normal run."""
    found: list[object] = []
    for place, name in enumerate(SPECS):
        for number, layout in enumerate(LAYOUTS):
            marks = [] if number == place % len(LAYOUTS) and name != FEATURES else [EXHAUSTIVE]
            found.append(pytest.param(name, layout, marks=marks, id=f"{name}-{layout}"))
    return found


@BESIDE
@pytest.mark.long
@pytest.mark.parametrize(("name", "layout"), cases())
def test_added_it_imports_checks_passes_and_goes(made: Made, name: str, layout: str) -> None:
    project, place, specs = made(layout), LAYOUTS[layout], needed(name)
    project.done("init", "shop")
    before = snapshot_of(project)
    python = environment_of(name)
    for spec in specs:
        project.done("add", spec.name, *(("--to", place.to) if place.to else ()))
    written = project.folder / "pyproject.toml"
    declared = written.read_text() if written.exists() else ""
    assert all(requirement in declared for spec in specs for requirement in spec.dependencies)

    spec = SPECS[name]
    line = f"from {place.package}.{spec.package} import {spec.imports}; import sys; assert 'mlox' not in sys.modules"
    ran(python, "-c", line, cwd=project.folder, PYTHONPATH=place.path or ".")
    passes(python, project.folder, place.path)
    checked(python, project.folder, place, spec)

    for spec in reversed(specs):
        project.done("remove", spec.name)
    after = snapshot_of(project)
    assert sorted(after) == sorted(before)
    assert after == before


@BESIDE
@pytest.mark.parametrize("name", [pytest.param(name, marks=EXHAUSTIVE) for name in SPECS])
@pytest.mark.parametrize("resolution", ["highest", "lowest-direct"])
def test_where_it_lies_it_passes_with_the_newest_and_the_oldest_it_declares(name: str, resolution: str) -> None:
    assert " passed" in in_place(environment_of(name, resolution), name)


@NO_REDIS
@pytest.mark.parametrize("name", [name for name in SPECS if "redis" in SPECS[name].services and name != FEATURES])
def test_with_redis_in_the_stack_it_is_on_redis(data_home: Path, tmp_path: Path, name: str) -> None:
    python = environment_of(name)
    with project(tmp_path / "shop", data_home) as shop:
        shop.done("init", "shop")
        shop.done("up", "redis")
        for spec in needed(name):
            said = shop.done("add", spec.name)
        assert "backend = redis" in said
        code = (
            f"import sys; sys.path.insert(0, 'src'); from shop.{SPECS[name].package}.settings import BACKEND, Settings"
        )
        assert shop.done(
            "run", "redis", "--", str(python), "-c", f"{code}; Settings.from_environment(); print(BACKEND)"
        )
        assert "REDIS_URL is not set" in shop.run(str(python), "-c", f"{code}; Settings.from_environment()").err
        run_tests(shop, "redis", python)
        password = shop.password("redis").encode()
        assert [path for path in shop.folder.rglob("*") if path.is_file() and password in path.read_bytes()] == []


# A server that checks a password with each request takes its time: the normal run asks it for a few.
ON_A_SERVER = {"experiment-tracking": "went_in or part_of_it", "model-management": "stays_where_it_was or goes_on"}


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=EXHAUSTIVE)], ids=["few", "all"])
def test_what_is_tracked_and_managed_is_on_the_stacks_mlflow(data_home: Path, tmp_path: Path, whole: bool) -> None:
    names = [name for name in SPECS if "mlflow" in SPECS[name].services]
    assert sorted(names) == sorted(ON_A_SERVER)
    with project(tmp_path / "shop", data_home) as shop:
        shop.done("init", "shop")
        shop.done("up", "mlflow")
        for name in names:
            shop.done("add", name)
            chosen = () if whole else ("-k", ON_A_SERVER[name])
            run_tests(shop, "mlflow", environment_of(name), *(f"tests/{path}" for path in SPECS[name].tests), *chosen)


@BESIDE
@pytest.mark.parametrize("name", [name for name in SPECS if SPECS[name].extends])
def test_what_extends_another_brings_it_and_is_in_its_module(made: Made, name: str) -> None:
    shop = made("empty")
    shop.done("init", "shop")
    shop.done("add", name)
    code = "from shop.api_serving.app import app; print([one.cls.__module__ for one in app.user_middleware])"
    assert f"shop.{SPECS[name].package}" in ran(environment_of(name), "-c", code, cwd=shop.folder, PYTHONPATH="src")


@BESIDE
def test_no_component_is_called_like_a_service_and_each_says_how_it_is_used() -> None:
    assert not set(SPECS) & set(Catalog().names())
    for name, spec in SPECS.items():
        assert "README.md" in spec.files, name
        assert spec.tests, name


def run_tests(shop: Project, service: str, python: Path, *tests: str) -> None:
    """The tests of what was added, with the environment of a service: none may be skipped."""
    words = ("-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", ".", *(tests or ("tests",)))
    environment = ("env", "PYTHONPATH=src", "PYTHONDONTWRITEBYTECODE=1")
    process = shop.process(*MLOX, "run", service, "--", *environment, str(python), "-m", "pytest", *words)
    out, err = process.communicate(timeout=1800)
    assert process.returncode == 0, f"{out}{err}"
    assert " passed" in out
    assert "skipped" not in out


def snapshot_of(made: Project) -> dict[str, bytes]:
    """All files of the project by their paths, without those of mlox and what Python has compiled."""
    seen = snapshot(made.folder)
    paths = {Path(path).relative_to(made.folder): content for path, (_, changed, content) in seen.items() if changed}
    return {
        str(path): content
        for path, content in paths.items()
        if path.parts[0] not in (".mlox", ".gitignore") and "__pycache__" not in path.parts
    }
