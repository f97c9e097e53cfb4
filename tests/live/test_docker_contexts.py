"""Whether the engine is the one that the real docker command would use."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mlox.backends.docker.contexts import Address, chosen
from mlox.errors import MloxError
from tests.test_docker_contexts import select, write_context

HOSTS = (None, "", "tcp://lab", "lab:1", ":2", "tcp://", "unix://", "unix:///x.sock", "ssh://ada@lab", "http://lab")
NAMED = (None, "", "default", "lab", "office", "nowhere")
CURRENT = (None, "lab", "default", "nowhere")


def test_the_docker_command_means_the_same(tmp_path: Path) -> None:
    docker = shutil.which("docker") or pytest.skip("there is no docker command")
    folder = tmp_path / ".docker"
    write_context(folder, "lab", "tcp://lab:2376")
    write_context(folder, "office", "ssh://ada@office")
    differ = []
    for current in CURRENT:
        select(folder, current) if current else (folder / "config.json").unlink(missing_ok=True)
        for host, named in itertools.product(HOSTS, NAMED):
            said = {"DOCKER_HOST": host, "DOCKER_CONTEXT": named}
            environment = {name: value for name, value in said.items() if value is not None}
            ours, theirs = meant(environment, tmp_path), told(docker, environment, tmp_path)
            if ours != theirs:
                differ.append((current, host, named, ours, theirs))
    assert not differ


def meant(environment: dict[str, str], home: Path) -> str:
    try:
        found: Address = chosen(environment, home)
    except MloxError:
        return ""
    return found.url


def told(docker: str, environment: dict[str, str], home: Path) -> str:
    """The address that the command reads, which is told without an engine; empty for an error."""
    done = subprocess.run(
        (docker, "context", "inspect"),
        env={"PATH": os.environ["PATH"], "HOME": str(home), **environment},
        capture_output=True,
        check=False,
    )
    return str(json.loads(done.stdout)[0]["Endpoints"]["docker"]["Host"]) if done.returncode == 0 else ""
