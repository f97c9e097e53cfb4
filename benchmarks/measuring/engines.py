"""The container engine of a benchmark, and Docker Compose beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from measuring.stopwatch import Command
from mlox.backends.docker.engine import Engine
from mlox.errors import MloxError

OF_TESTS = Path.home() / ".cache" / "mlox-tests" / "bin"
"""Where the live tests keep a Compose that they have built."""


def need_engine() -> Engine:
    """The engine that the docker command would use; where none answers, the benchmark ends with a word about that."""
    engine = Engine()
    try:
        engine.client.ping()
    except MloxError as error:
        sys.exit(f"skipped: {error.problem}")
    return engine


def compose_command() -> Command | None:
    """How Docker Compose is called here: as docker's plugin, as a program, or as the one of the live tests."""
    if shutil.which("docker"):
        plugin = subprocess.run(("docker", "compose", "version"), capture_output=True, check=False)
        if plugin.returncode == 0:
            return ("docker", "compose")
    found = [shutil.which("docker-compose"), *sorted(OF_TESTS.glob("docker-compose-v2.*"))]
    return next(((program,) for program in found if program), None)
