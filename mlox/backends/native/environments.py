"""How the Python environments of services are decided, built and shared: one for each set of pins."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from mlox.backends.native.folders import passable
from mlox.backends.native.layout import writing
from mlox.backends.native.logfiles import last_lines
from mlox.backends.native.site import Site
from mlox.errors import CommandError, RequirementError, UsageError
from mlox.protocols import Completed, Emit, Event, Leftover, Transport
from mlox.units import Software, Unit

OLDEST_PYTHON = "3.11"
UV_S = 1800
END_S = 10
POLL_S = 0.1
SCHEMA = 1

_NETWORK = ("dns error", "error sending request", "failed to fetch", "connection", "timed out", "connect", "offline")


def pin(transport: Transport, software: Software, emit: Emit) -> Software:
    """``software`` with the exact versions of its packages, for every platform and Python from 3.11 on.

    Raises:
        RequirementError: there is no such version, no network, or no uv.
    """
    if not software.pending:
        return software
    emit(Event("", f"choosing versions for {', '.join(software.packages)}"))
    form = ("--universal", "--python-version", OLDEST_PYTHON, "--no-header", "--no-annotate")
    done = _uv(transport, ("pip", "compile", "--python", sys.executable, *form, "-"), software.packages)
    pins = tuple(line.strip() for line in done.stdout.splitlines() if line.strip() and not line.startswith("#"))
    return Software(software.packages, pins, software.binary)


@contextmanager
def used(site: Site, software: Software, service: str, emit: Emit) -> Iterator[Path | None]:
    """The environment with exactly these pins, built where it is missing or unfinished; None for a program.

    It is built in place, since scripts in it hold its path; ``complete.json`` is written last. Inside, nobody can
    discard it.

    Raises:
        RequirementError: no network, no space.
    """
    if not software.packages:
        yield None
        return
    decided = pin(site.transport, software, emit)
    interpreter = site.interpreter()
    text = json.dumps([sorted(decided.pins), interpreter.version, str(interpreter.path)])
    top = site.home / "environments"
    with writing(top):
        passable(top, site.account())
    folder = top / hashlib.sha256(text.encode()).hexdigest()[:16]
    waiting = _waiting(site, ", ".join(software.packages), service, emit)
    while True:
        with _held(folder, fcntl.LOCK_SH, waiting):
            if _complete(folder):
                yield folder
                return
        with _held(folder, fcntl.LOCK_EX, waiting):
            if not _complete(folder):
                _build(site, decided, folder, service, emit)


def leftovers(home: Path, units: Iterable[Unit]) -> tuple[Leftover, ...]:
    """The environments that none of ``units`` uses, in order; unfinished ones too."""
    wanted = {tuple(sorted(unit.software.pins)) for unit in units if unit.software.pins}
    found = [folder for folder in sorted((home / "environments").glob("*")) if folder.is_dir()]
    return tuple(Leftover(folder.name, _size(folder)) for folder in found if _pins(folder) not in wanted)


def is_there(home: Path, software: Software) -> bool:
    """Whether there is a whole environment with exactly these pins, its interpreter included."""
    wanted = tuple(sorted(software.pins))
    return any(_pins(folder) == wanted and _complete(folder) for folder in (home / "environments").glob("*"))


def discard(home: Path, name: str, still_unused: Callable[[], bool]) -> None:
    """Remove an environment, unless somebody came to use it meanwhile.

    Raises:
        UsageError: it is in use.
    """
    folder = home / "environments" / name
    if folder.parent != home / "environments" or not folder.is_dir():
        return
    with _held(folder, fcntl.LOCK_EX), writing(folder):
        if not still_unused():
            raise UsageError(f"environment {name} is in use", hint="Ask again for what is left over.")
        (folder / "complete.json").unlink(missing_ok=True)
        shutil.rmtree(folder)
        _lock_of(folder).unlink(missing_ok=True)


def _build(site: Site, software: Software, folder: Path, service: str, emit: Emit) -> None:
    count = len(software.pins)
    names = ", ".join(software.packages)
    emit(Event(service, f"installing {names} ({count} {'package' if count == 1 else 'packages'})"))
    with writing(folder):
        _end_orphans(folder)
        interpreter = str(site.interpreter().path)
        try:  # what uv's cache has needs no network
            _install(site.transport, interpreter, folder, software.pins, "--offline")
        except RequirementError:
            _install(site.transport, interpreter, folder, software.pins)
        if os.geteuid() == 0:
            _let_all_read(folder)
        built = {
            "schema": SCHEMA,
            "packages": software.packages,
            "pins": software.pins,
            "python": interpreter,
            "built": time.time(),
        }
        site.transport.put(json.dumps(built, indent=1).encode(), folder / "complete.json", mode=0o644)


def _end_orphans(folder: Path) -> None:
    """End the installer that a killed mlox left behind: we hold the lock, so it works for nobody."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "uv" and any(word.startswith(str(folder)) for word in process.cmdline()):
                process.kill()
                process.wait(END_S)


def _install(transport: Transport, interpreter: str, folder: Path, pins: tuple[str, ...], *options: str) -> None:
    """Make an environment from nothing: where an installation broke off, uv takes packages without files for whole."""
    if folder.exists():
        shutil.rmtree(folder)
    _uv(transport, ("venv", "--no-project", "--python", interpreter, str(folder)))
    python = str(folder / "bin" / "python")
    _uv(transport, ("pip", "install", "--python", python, "--compile-bytecode", "--no-deps", *options, "-r", "-"), pins)


def _complete(folder: Path) -> bool:
    return (folder / "complete.json").exists() and (folder / "bin" / "python").exists()


def _pins(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(json.loads((folder / "complete.json").read_bytes())["pins"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _size(folder: Path) -> int:
    return sum(Path(top, name).lstat().st_blocks * 512 for top, _, files in os.walk(folder) for name in files)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


@contextmanager
def _held(folder: Path, how: int, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock beside an environment, shared or alone; ``waiting`` is called again and again until it is free.

    Who discards the environment removes the lock file as well.
    """
    path = _lock_of(folder)
    while True:
        with writing(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not _locked(handle, how):
                waiting()
                time.sleep(POLL_S)
            if not _same(handle, path):
                continue
            yield
            return
        finally:
            os.close(handle)


def _waiting(site: Site, packages: str, service: str, emit: Emit) -> Callable[[], None]:
    """What happens while another process installs: it is told once, and an abort ends it."""
    aborts = site.aborts
    told: list[Event] = []

    def waiting() -> None:
        if site.aborts != aborts:
            raise CommandError(
                f"the wait for the installation of {packages} was ended on request",
                hint="Run the same command again to go on.",
            )
        if not told:
            told.append(Event(service, f"waiting for another process, which installs {packages}", kind="wait"))
            emit(told[0])

    return waiting


def _locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _let_all_read(tree: Path) -> None:
    """Add what the service account needs to read; files linked from a private cache may lack it."""
    for folder, _, files in os.walk(tree):
        for path in (folder, *(f"{folder}/{name}" for name in files)):  # tens of thousands: no Path for each
            mode = os.lstat(path).st_mode
            wanted = mode | 0o044 | (mode & 0o100) >> 3 | (mode & 0o100) >> 6
            if mode != wanted and not stat.S_ISLNK(mode):
                Path(path).chmod(wanted & 0o7777)


def _uv(transport: Transport, argv: tuple[str, ...], lines: tuple[str, ...] = ()) -> Completed:
    """Run uv with the user's own settings, but not with those of the project that we happen to stand in."""
    command = (_uv_path(), *argv[:1], "--directory", "/", "--color", "never", *argv[1:])
    text = "".join(f"{line}\n" for line in lines).encode() if lines else None
    done = transport.run(command, input=text, timeout_s=UV_S, environment={"UV_NO_PROGRESS": "1"})
    if done.code == 0:
        return done
    seen = done.stderr.lower()
    problem = f"uv {' '.join(argv[:2] if argv[0] == 'pip' else argv[:1])} failed{last_lines(done.stderr)}"
    if "no space left" in seen or "quota exceeded" in seen:
        raise RequirementError(
            problem, hint="Free some disk space where mlox keeps its data, or in uv's cache: uv cache prune"
        )
    if "no solution found" in seen or "not found in the package registry" in seen:
        raise RequirementError(problem, hint="Choose another version of these packages.")
    if any(word in seen for word in _NETWORK):
        raise RequirementError(problem, hint="Check the network, the proxy and the package index, then run it again.")
    raise CommandError(problem, hint="Read uv's last lines above, then run it again.")


def _uv_path() -> str:
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError) as e:
        found = shutil.which("uv")
        if found is None:
            raise RequirementError("uv is not installed", hint=f"{sys.executable} -m pip install uv") from e
        return found
