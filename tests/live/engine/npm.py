"""Programs of Node.js that come by npm: into the cache, once a version, and from there onto a PATH."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.engine.cache import CACHE, alone

INSTALL_S = 600
PROXY = ("configurable-http-proxy", "5.3.0")


@contextlib.contextmanager
def path_with_proxy() -> Iterator[str]:
    """A PATH on which JupyterHub's proxy is, in a folder that every account may look into."""
    with path_with(*PROXY) as path:
        yield path


@contextlib.contextmanager
def path_with(package: str, version: str) -> Iterator[str]:
    """A PATH on which a package's programs are; the test is skipped where they cannot be had."""
    if shutil.which("npm") is None:
        pytest.skip(f"{package} comes by npm, which is not on the PATH")
    folder = Path(tempfile.mkdtemp(prefix="mlox-npm-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        shutil.copytree(installed(package, version), folder / "package", symlinks=True)
        yield f"{folder}/package/node_modules/.bin{os.pathsep}{os.environ['PATH']}"
    finally:
        shutil.rmtree(folder)


def installed(package: str, version: str) -> Path:
    """The folder that has the package with what it needs, installed where it is not in the cache."""
    place = CACHE / "npm" / f"{package}-{version}"
    with alone(f"npm-{package}"):
        if not (place / "made").exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
            done = subprocess.run(
                ("npm", "install", *quiet, "--prefix", str(place), f"{package}@{version}"),
                capture_output=True,
                text=True,
                timeout=INSTALL_S,
                check=False,
            )
            if done.returncode:
                pytest.skip(f"{package} {version} cannot be installed: {done.stderr.strip()[-500:]}")
            (place / "made").touch()
    return place
