"""Environments of what is compared: each is made once below the cache folder, by the project's uv, with bytecode."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from uv import find_uv_bin

PROJECT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("MLOX_BENCHMARK_CACHE") or Path.home() / ".cache" / "mlox-benchmarks")
INTERPRETER = str(Path(getattr(sys, "_base_executable", "") or sys.executable).resolve())
TAG = f"py{sys.version_info.major}.{sys.version_info.minor}"
KEPT_S = 24 * 3600
"""How long an environment of an earlier state of this checkout stays: another benchmark may be using it."""


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would change how Python, a notebook or mlox starts."""
    unwanted = ("PYTHON", "JPY_", "MLOX_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | more


def uv(*argv: str, lines: Sequence[str] = ()) -> str:
    """Run the project's uv, with its folder set to ``/``: no project's settings count; returns what it printed."""
    command = [find_uv_bin(), "--directory", "/", *argv]
    done = subprocess.run(
        command, input="\n".join(lines), env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"error: uv {' '.join(argv)} failed:\n{done.stderr}")
    return done.stdout


def compiled(*requirements: str) -> list[str]:
    """``name==version`` of everything that these requirements install here, newest versions."""
    form = ("--no-header", "--no-annotate", "--quiet", "--python", INTERPRETER)
    return uv("pip", "compile", *form, "-", lines=requirements).split()


def newest(name: str) -> Path:
    """The environment of the newest release of a distribution on the package index."""
    requirement = next(line for line in compiled(name) if line.startswith(f"{name}=="))
    return _made(f"{requirement.replace('==', '-')}-{TAG}", requirement)


def ours(extra: str = "") -> Path:
    """The environment of mlox as this checkout builds it: a wheel, installed as users have it, with an extra."""
    files = [PROJECT / "pyproject.toml", *(p for top in ("mlox", "mlox_jupyter") for p in (PROJECT / top).rglob("*"))]
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    plain = f"mlox-sdk-{digest.hexdigest()[:12]}"
    name = f"{plain}-{extra}-{TAG}" if extra else f"{plain}-{TAG}"
    for older in CACHE.glob("mlox-sdk-*"):
        if not older.name.startswith(plain) and time.time() - older.stat().st_mtime > KEPT_S:
            shutil.rmtree(older, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="mlox-bench-") as folder:
        if not (CACHE / name / "complete").exists():
            build = ("--wheel", "--no-build-isolation", "--python", sys.executable, "--quiet")
            uv("build", *build, "--out-dir", folder, str(PROJECT))
        wheels = [str(path) for path in Path(folder).glob("*.whl")]
        return _made(name, *(f"{wheel}[{extra}]" if extra else wheel for wheel in wheels))


def release(folder: Path) -> str:
    """What an environment of this module is of, for what is printed."""
    return folder.name.removesuffix(f"-{TAG}")


def _made(name: str, *requirements: str) -> Path:
    folder = CACHE / name
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"making an environment for {name}", flush=True)
        uv("venv", "--no-project", "--python", INTERPRETER, str(folder))
        python = str(folder / "bin" / "python")
        uv("pip", "install", "--python", python, "--compile-bytecode", *requirements)
        (folder / "complete").touch()
    return folder
