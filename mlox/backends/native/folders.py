"""How the folders of a stack come to be: closed to others, and open just enough for the service account."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from mlox.backends.native import shim
from mlox.backends.native.account import Account
from mlox.backends.native.layout import Place, UnitPlace, writing
from mlox.errors import RequirementError
from mlox.protocols import Transport
from mlox.units import Unit


def make_stack(place: Place, account: Account, transport: Transport) -> None:
    """Make the folders of a stack and the copy of the shim, where they are missing.

    Raises:
        RequirementError: the data home cannot be written, or the account cannot go through it.
    """
    make_home(place.home, account)
    with writing(place.folder):
        for folder in (place.folder, place.launch, place.services):
            passable(folder, account)
        for folder in (place.supervisor, place.units, place.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
        source = Path(shim.__file__).read_bytes()
        if not place.shim.exists() or place.shim.read_bytes() != source:
            transport.put(source, place.shim, mode=0o644)


def make_home(home: Path, account: Account) -> None:
    """Make the data home, where it is missing.

    Raises:
        RequirementError: it cannot be written, or the account cannot go through it.
    """
    with writing(home):
        home.parent.mkdir(parents=True, exist_ok=True)
        passable(home, account)
    if not account.may_enter(home):
        raise RequirementError(
            f"{account.name}, as whom services run, cannot enter {home}",
            hint="Choose a data home that every user can go through, such as /var/lib/mlox: set MLOX_DATA_HOME.",
        )


def make_unit(place: UnitPlace, unit: Unit, account: Account) -> None:
    """Make the service's folder and the unit's own folders, where they are missing.

    Raises:
        RequirementError: one of them lies elsewhere, or cannot be written.
    """
    with writing(place.data):
        _owned(place.data, account)
        for _, path in unit.directories:
            make_owned(place, path, account)


def make_owned(place: UnitPlace, path: str, account: Account) -> None:
    """Make one folder below the service's, and those above it, for the account alone."""
    target = place.inside(path)
    for folder in (*reversed(target.relative_to(place.data).parents[:-1]), target.relative_to(place.data)):
        _owned(place.inside(str(place.data / folder)), account)


def _owned(folder: Path, account: Account) -> None:
    """Make a folder of the account; one that is ours still was made by a process that was killed before it gave it."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if account.other and folder.lstat().st_uid == os.geteuid():
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def passable(folder: Path, account: Account) -> None:
    """Make a folder that the account can go through; one that we made for ourselves alone is opened."""
    folder.mkdir(mode=account.folder_mode, exist_ok=True)
    seen = folder.stat()
    if seen.st_uid == os.geteuid() and seen.st_mode & account.folder_mode != account.folder_mode:
        folder.chmod(seen.st_mode & 0o7777 | account.folder_mode)


def remove_unit(place: UnitPlace, unit: Unit | None, others: tuple[Unit, ...]) -> None:
    """Remove what a stopped unit left: data, files, log, annotation, and then every folder that is empty.

    Args:
        place: where it lies.
        unit: None where its annotation cannot be read.
        others: the other units of the stack; a folder that one of the same service uses as well stays.
    """
    siblings = [other for other in others if other.service == place.service]
    with writing(place.stack.folder):
        if siblings:
            _remove_own(place, unit, {path for other in siblings for _, path in other.directories})
        else:
            _put_away(place, place.data, "data")
            moved = place.stack.moving / f"{place.service}.data"
            for folder in (*place.stack.kept.glob(place.service), *place.stack.kept.glob(f"{place.service}.*"), moved):
                if folder.exists():
                    shutil.rmtree(folder)
            (place.stack.moving / f"{place.service}.json").unlink(missing_ok=True)
        for path in place.stack.logs.glob(f"{place.key if siblings else f'{place.service}.*'}.log*"):
            path.unlink(missing_ok=True)
        place.annotation.unlink(missing_ok=True)
        tidy(place.stack)


def _remove_own(place: UnitPlace, unit: Unit | None, shared: set[str]) -> None:
    for name, path in unit.directories if unit else ():
        if path not in shared:
            gone = _put_away(place, place.inside(path), name)
            shutil.rmtree(gone, ignore_errors=True)
    for file in unit.files if unit else ():
        if not any(file.path.startswith(f"{path}/") for path in shared):
            place.inside(file.path).unlink(missing_ok=True)
    for own in (place.record, place.initialised):
        own.unlink(missing_ok=True)


def _put_away(place: UnitPlace, folder: Path, name: str) -> Path:
    """Take a folder away in one step, so that a kill leaves none with half of its data; ``recover`` ends such ones."""
    gone = place.stack.kept / f"{place.service}.{name}.gone"
    if folder.exists():
        place.stack.kept.mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(gone, ignore_errors=True)
        folder.rename(gone)
    return gone


def tidy(place: Place) -> None:
    """Remove the stack's empty folders, and, after its last unit, the supervisor's; what is not ours stays."""
    if not place.known() and not any(place.units.glob("*.conf")):
        shutil.rmtree(place.supervisor, ignore_errors=True)
        place.shim.unlink(missing_ok=True)
        if place.socket.parent != place.supervisor:
            shutil.rmtree(place.socket.parent, ignore_errors=True)
    for folder in (place.services, place.launch, place.logs, place.units, place.kept, place.moving, place.folder):
        with contextlib.suppress(OSError):
            folder.rmdir()
