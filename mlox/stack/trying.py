"""A component tried out: added to an empty project, in an environment with what it declares and nothing else."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from mlox.components import Template, closure
from mlox.errors import MloxError
from mlox.plugins import find
from mlox.protocols import Completed, Emit, Event, Transport
from mlox.stack.components import Components
from mlox.stack.registries import Registries
from mlox.stack.stack import Stack
from mlox.workspace import data_home

STEP_S = 1800.0
SHOWN = 30
NAME = "trial"
_IMPORTING = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
package, _, public = sys.argv[1].partition(":")
getattr(importlib.import_module(package), public)
"""


StepName = Literal["add", "install", "import", "test"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trial and how it ended; ``detail`` is what was done, or the last lines of what failed."""

    step: StepName
    state: Literal["ok", "failed", "skipped"]
    detail: str


def try_component(template: Template, registries: Registries, *, offline: bool, emit: Emit) -> tuple[Step, ...]:
    """Add a component and those that it needs, install, import and test them; the rest is skipped where one fails."""
    with tempfile.TemporaryDirectory(prefix="mlox-trial-") as top:
        trial = _Trial(Path(top), template, registries, offline)
        results: list[Step] = []
        try:
            for name in get_args(StepName):
                if any(one.state != "ok" for one in results):
                    results.append(Step(name, "skipped", ""))
                    continue
                emit(Event(template.name, name))
                results.append(trial.step(name))
        finally:
            trial.forget()
        return tuple(results)


class _FailedError(Exception):
    """A step failed; its text is why."""


@dataclass(slots=True)
class _Trial:
    """The empty project, its environment, and what was added to it."""

    top: Path
    template: Template
    registries: Registries
    offline: bool
    added: tuple[Template, ...] = ()

    @property
    def project(self) -> Path:
        return self.top / NAME

    @property
    def python(self) -> Path:
        return self.top / "environment" / "bin" / "python"

    def step(self, name: StepName) -> Step:
        """Take one step."""
        work = {"add": self.add, "install": self.install, "import": self.imported, "test": self.tested}[name]
        try:
            return Step(name, "ok", work())
        except (_FailedError, MloxError) as error:
            return Step(name, "failed", str(error))

    def add(self) -> str:
        """The component and what comes along, as ``mlox add`` does it."""
        self.project.mkdir()
        components = Components(Stack(NAME, self.project))
        components.registries = self.registries
        self.added = closure(self.template, self.registries.look_up, {})
        for template in self.added:
            components.add(template)
        return ", ".join(f"{template.name} {template.spec.version}" for template in self.added)

    def install(self) -> str:
        """A new environment with what the components declare, and nothing else."""
        self._run(_uv("venv", "--no-project", "--python", sys.executable, str(self.top / "environment")))
        wanted = sorted({one for template in self.added for one in template.spec.dependencies})
        if wanted:
            self._install(wanted)
        return ", ".join(wanted) or "it declares no dependencies"

    def imported(self) -> str:
        """Every module of every component, and the name that somebody imports first."""
        modules = [name for template in self.added for name in _modules(template)]
        first = f"{NAME}.{self.template.spec.package}:{self.template.spec.imports}"
        self._run((str(self.python), "-c", _IMPORTING, first, *modules), cwd=self.project)
        return f"from {first.replace(':', ' import ')}"

    def tested(self) -> str:
        """The components' tests, with pytest and what only they need."""
        tests = [f"tests/{path}" for template in self.added for path in template.spec.tests]
        if not tests:
            raise _FailedError("it has no tests")
        self._install(["pytest", *sorted({one for template in self.added for one in template.spec.test_dependencies})])
        done = self._run((str(self.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests), cwd=self.project)
        return next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "")

    def forget(self) -> None:
        """Leave nothing of the trial's stack on this machine."""
        stack = Stack(path=self.project) if self.project.is_dir() else None
        if stack is not None and stack.workspace.exists and (identity := stack.spec().id):
            shutil.rmtree(data_home() / identity, ignore_errors=True)

    def _install(self, requirements: Sequence[str]) -> None:
        offline = ("--offline",) if self.offline else ()
        self._run(_uv("pip", "install", "--python", str(self.python), *offline, *requirements))

    def _run(self, argv: Sequence[str], cwd: Path | None = None) -> Completed:
        """Run to the end, with nothing of our own Python on the path."""
        transport: Transport = find("transports", "local")()
        environment: Mapping[str, str] = {
            "PYTHONPATH": "src",
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_ADDOPTS": "",
            "UV_NO_PROGRESS": "1",
        }
        inside = ("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(cwd)) if cwd else ()
        done = transport.run((*inside, *argv), timeout_s=STEP_S, environment=environment)
        if done.code:
            lines = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
            raise _FailedError("\n".join(lines[-SHOWN:]) or f"exit code {done.code}")
        return done


def _modules(template: Template) -> list[str]:
    """The modules of a component that are made to be imported."""
    found = []
    for path in template.spec.files:
        if path.endswith(".py") and not path.endswith("__main__.py"):
            parts = path.removesuffix(".py").removesuffix("__init__").strip("/").split("/")
            found.append(".".join([NAME, template.spec.package, *filter(None, parts)]))
    return found


def _uv(*argv: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "uv", *argv[:1], "--directory", "/", "--color", "never", *argv[1:])
