"""Which Python starts native units and carries their environments: one that the service account may execute."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mlox.backends.native.account import Account
from mlox.backends.native.folders import passable
from mlox.backends.native.layout import writing
from mlox.errors import CommandError, RequirementError
from mlox.protocols import Transport

OLDEST = (3, 11)
NEWEST = (3, 13)
FOLDERS = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")

_ASK = "import encodings, json, os, sys; print('%d.%d' % sys.version_info[:2])"
_UNWANTED = frozenset({"site-packages", "__pycache__", "test", "idlelib", "turtledemo"})
_SYSTEM = frozenset({Path("/"), Path("/usr"), Path("/usr/local")})


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python: its path and its version, ``3.11``."""

    path: Path
    version: str


def choose(transport: Transport, account: Account, home: Path, candidates: Iterable[Path] | None = None) -> Interpreter:
    """The first of ``candidates`` that runs as ``account``; else a copy, below ``home``, of the one that runs us.

    Raises:
        RequirementError: there is none, and this one cannot be copied.
    """
    for path in usual() if candidates is None else candidates:
        found = _try(transport, account, path)
        if found is not None:
            return found
    return _copy(transport, account, home)


def usual() -> Iterator[Path]:
    """The base of the Python that runs us, then what is on the PATH and in the usual folders, newest first."""
    base = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    seen = {base}
    yield base
    folders = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for folder in (*folders, *map(Path, FOLDERS)):
            path = folder / f"python3.{minor}"
            if path.exists() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path.resolve()


def _try(transport: Transport, account: Account, path: Path) -> Interpreter | None:
    """Run it as the account: no look at permission bits says as much."""
    try:
        answer = transport.run((str(path), "-I", "-S", "-c", _ASK), timeout_s=20, account=account.switch)
    except CommandError:
        return None
    if answer.code != 0:
        return None
    version = answer.stdout.strip()
    numbers = tuple(int(number) for number in version.split(".") if number.isdigit())
    return Interpreter(path, version) if OLDEST <= numbers <= NEWEST else None


def _copy(transport: Transport, account: Account, home: Path) -> Interpreter:
    prefix = Path(sys.base_prefix).resolve()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    mark = hashlib.sha256(f"{prefix} {sys.version}".encode()).hexdigest()[:12]
    target = home / "interpreters" / f"{version}-{mark}"
    python = target / "bin" / f"python{version}"
    if python.exists():
        found = _try(transport, account, python)
        if found is not None:
            return found
    if prefix in _SYSTEM:
        raise RequirementError(
            f"{account.name} can run no Python from {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} here",
            hint=f"Install python{version} from your system's packages.",
        )
    staged = target.with_name(f"{target.name}.{os.getpid()}.new")
    with writing(target):
        passable(target.parent, account)
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(prefix, staged, symlinks=True, ignore=_skipped)
        _open_for_reading(staged)
        _relocate(staged, prefix)
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)
    found = _try(transport, account, python)
    if found is None:
        raise RequirementError(
            f"{account.name} can run no Python, not even a copy of {prefix}",
            hint=f"Install python{version} from your system's packages.",
        )
    return found


def _skipped(_: str, names: list[str]) -> set[str]:
    """What of an interpreter a service does not need; packages least of all, since its environment has its own."""
    return {name for name in names if name in _UNWANTED or name.endswith(".a")}


def _open_for_reading(tree: Path) -> None:
    """Let everybody read ``tree``, as its files may come from a private folder; the copy is ours alone to write."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _relocate(tree: Path, prefix: Path) -> None:
    """Let a Python with a shared library find it beside itself: its run path names the folder that it was built for.

    ``$ORIGIN`` is the folder of the file itself, see ld.so(8). The text in the file keeps its length.
    """
    before = os.fsencode(prefix / "lib") + b"\0"
    after = b"$ORIGIN/../lib".ljust(len(before), b"\0")
    if sys.platform != "linux" or len(after) != len(before):
        return
    for path in (*tree.glob("bin/python3.*"), *tree.glob("lib/libpython3*.so*")):
        content = path.read_bytes()
        if path.is_file() and not path.is_symlink() and content.startswith(b"\x7fELF"):
            path.write_bytes(content.replace(before, after))
