"""Where components are put to the proof: clean environments with what they declare, and projects of every layout.

An environment stays between runs, under the digest of what is in it; it holds what the components declare, what their
tests need, pytest, and nothing of mlox.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlox.components import Template
from mlox.registries.folder import FolderRegistry, built_in
from mlox.specs import ComponentSpec
from tests.live.engine.cache import CACHE, alone

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
RUFF = Path(sys.executable).with_name("ruff")

SPECS: dict[str, ComponentSpec] = {
    name: Template.parse(name, FolderRegistry().read(name), source="built-in").spec for name in FolderRegistry().names()
}
"""All of mlox's own components."""

STUBS = {"feature-store": ("pandas-stubs",), "model-management": ("pandas-stubs",)}
"""What only a type checker needs, where a library comes without types."""

PYPROJECT = '[project]\nname = "shop"\nversion = "0.1.0"\nrequires-python = ">=3.11"\ndependencies = []\n'


@dataclass(frozen=True)
class Layout:
    """A project as somebody has it: its files, where ``--to`` says to put components, the package, and its path."""

    files: Mapping[str, str]
    to: str
    package: str
    path: str


LAYOUTS = {
    "empty": Layout({}, "", "shop", "src"),
    "src": Layout({"pyproject.toml": PYPROJECT, "src/shop/__init__.py": '"""The shop."""\n'}, "", "shop", "src"),
    "top": Layout({"pyproject.toml": PYPROJECT, "shop/__init__.py": '"""The shop."""\n'}, "", "shop", ""),
    "flat": Layout({"pyproject.toml": PYPROJECT, "src/__init__.py": "", "src/main.py": "X = 1\n"}, "", "src", ""),
    "namespace": Layout({"src/acme/other/__init__.py": ""}, "src/acme/shop", "acme.shop", "src"),
}


def with_needed(name: str) -> list[ComponentSpec]:
    """A component and those that it needs, which come first."""
    found: list[ComponentSpec] = []
    for needed in SPECS[name].components:
        found += [one for one in with_needed(needed) if one not in found]
    return [*found, SPECS[name]]


def environment_of(name: str, resolution: str = "highest") -> Path:
    """The Python of a clean environment for a component and those that it needs."""
    wanted = {"pytest>=8.2", *STUBS.get(name, ())}
    for spec in with_needed(name):
        wanted |= {*spec.dependencies, *spec.test_dependencies}
    text = "\n".join([f"# {sys.version} {resolution}", *sorted(wanted)])
    place = CACHE / "components" / hashlib.sha256(text.encode()).hexdigest()[:16]
    python = place / "environment" / "bin" / "python"
    with alone("components"):
        if not (place / "made").exists():
            place.mkdir(parents=True, exist_ok=True)
            ran(UV, "venv", "--quiet", "--clear", "--python", sys.executable, place / "environment")
            ran(UV, "pip", "install", "--quiet", "--python", python, "--resolution", resolution, *sorted(wanted))
            (place / "made").write_text(text)
    return python


def ran(*command: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """What a command prints; its failure is the test's."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def laid_out(folder: Path, layout: Layout) -> None:
    """Write the files of a project."""
    for path, text in layout.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def passes(python: Path, folder: Path, path: str, *tests: str) -> str:
    """What pytest says of the tests in a project, which must pass."""
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "testpaths=tests", "--rootdir", ".")
    said = ran(python, *words, "-c", os.devnull, *tests, cwd=folder, PYTHONPATH=path or ".")
    assert " passed" in said
    return said


def checked(python: Path, folder: Path, layout: Layout, spec: ComponentSpec) -> None:
    """Types and lint of injected code, by the developer's tools and the environment's libraries."""
    package = f"{layout.package}.{spec.package}"
    code = folder / layout.path / package.replace(".", "/")
    strict = ("--strict", "--config-file=", "--explicit-package-bases", "--python-executable", python)
    cache = ("--cache-dir", python.parents[2] / "mypy")
    mypy = (sys.executable, "-m", "mypy", *strict, *cache)
    ran(*mypy, "-p", package, cwd=folder / layout.path)
    ran(*mypy, *(f"tests/{path}" for path in spec.tests), cwd=folder, MYPYPATH=str(folder / layout.path))
    # What a longer or another name of the package does to the tests' imports is for the user's formatter.
    ran(RUFF, "check", "--isolated", "--line-length", "120", "--select", "E,F,I,B,UP", code)
    ran(RUFF, "format", "--isolated", "--line-length", "120", "--check", *sorted(code.glob("*.py")))
    ran(RUFF, "check", "--isolated", "--select", "F,B,UP", folder / "tests")


def in_place(python: Path, name: str) -> str:
    """What pytest says of a component's tests where they lie; ``project`` is a package of all folders on the path."""
    folder = built_in()
    sources = os.pathsep.join(str(folder / spec.name / "src") for spec in with_needed(name))
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", ".", "tests")
    return ran(python, *words, cwd=folder / name, PYTHONPATH=sources)
