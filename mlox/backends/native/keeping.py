"""What is kept of a native service while it is changed: its annotations, and a copy of its data, in ``kept/``.

``kept/NAME`` is what ran before: ``units.json`` and, once it is complete, ``data``. Going back begins by renaming it to
``kept/NAME.back``, so that whoever comes after a kill goes on, and ends by renaming it again: what came back is settled
like any other change. ``kept/NAME.failed`` is the data of what failed last.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mlox.backends.native import carrying, folders, labels
from mlox.backends.native.layout import Place, UnitPlace, check_name, writing
from mlox.backends.native.logfiles import last_lines
from mlox.backends.native.site import Site
from mlox.backends.native.stopping import end_idle_supervisor, halt, has_idle_supervisor
from mlox.errors import CommandError
from mlox.protocols import Kept
from mlox.units import Unit

COPY_S = 3600.0
ROOM = 0.5
"""How much of the free disk a copy of data may take."""

FICLONE = 0x40049409
"""Make a file share the blocks of another. Source: ioctl_ficlone(2)."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the kept parts of one service lie."""

    place: Place
    service: str

    def __post_init__(self) -> None:
        check_name("service", self.service)

    @property
    def kept(self) -> Path:
        """What ran before."""
        return self.place.kept / self.service

    @property
    def back(self) -> Path:
        """The same, on its way back."""
        return self.place.kept / f"{self.service}.back"

    @property
    def failed(self) -> Path:
        """The data of what failed."""
        return self.place.kept / f"{self.service}.failed"

    @property
    def data(self) -> Path:
        """Where the service's data lies."""
        return self.place.services / self.service

    def units(self) -> list[UnitPlace]:
        """The units of the service that are known."""
        return [unit for unit in self.place.known() if unit.service == self.service]


def keep(site: Site, spot: Spot, *, data: bool) -> Kept:
    """Stop a service and keep it; see :meth:`mlox.protocols.Undoing.keep`."""
    if not (spot.kept / "units.json").exists():
        running = [unit for place in spot.units() if isinstance(unit := labels.read(place), Unit)]
        if not running:
            return Kept()
        with writing(spot.kept):
            for folder in (spot.place.kept, spot.kept):
                folder.mkdir(mode=0o700, exist_ok=True)
            _note(site, spot.kept, Kept(tuple(running)))
    kept = _read(spot.kept)
    _halt(site, spot)
    if not data or kept.data or kept.note or not spot.data.exists():
        return kept
    note = _copy(site, spot)
    done = Kept(kept.units, data=not note, note=note)
    with writing(spot.kept):
        _note(site, spot.kept, done)
        (spot.kept / "came back").unlink(missing_ok=True)
    return done


def take_back(site: Site, spot: Spot) -> Kept:
    """Put what was kept in its place again; see :meth:`mlox.protocols.Undoing.take_back`."""
    with writing(spot.kept):
        if (spot.kept / "units.json").exists():
            spot.kept.rename(spot.back)
        if not spot.back.exists():
            return Kept()
        kept = _read(spot.back)
        _halt(site, spot)
        if (spot.back / "data").exists():
            if spot.data.exists():
                shutil.rmtree(spot.failed, ignore_errors=True)
                spot.data.rename(spot.failed)
            (spot.back / "data").rename(spot.data)
        for unit in kept.units:
            labels.write(spot.place.unit(unit.service, unit.name), unit, site.transport)
        for place in spot.units():
            if place.name not in {unit.name for unit in kept.units}:
                place.annotation.unlink()
        _note(site, spot.back, Kept(kept.units))
        (spot.back / "came back").touch()
        spot.back.rename(spot.kept)
    return replace(kept, aside=str(spot.failed) if kept.data and spot.failed.exists() else "")


def settle(spot: Spot) -> None:
    """Forget what was kept; see :meth:`mlox.protocols.Undoing.settle`."""
    done = (spot.kept,) if (spot.kept / "came back").exists() else (spot.kept, spot.failed)
    with writing(spot.kept):
        (spot.kept / "units.json").unlink(missing_ok=True)
        for folder in done:
            if folder.exists():
                shutil.rmtree(folder)
        with contextlib.suppress(OSError):
            spot.place.kept.rmdir()


def recover(site: Site, place: Place) -> None:
    """Finish ways back, and remove what was being written; see :meth:`mlox.protocols.Undoing.recover`."""
    for path in list(place.kept.glob("*.back")):
        take_back(site, Spot(place, path.name.removesuffix(".back")))
    with writing(place.folder):
        for path in list(place.kept.glob("*")):
            if path.suffix == ".gone" or (not path.suffix and not (path / "units.json").exists()):
                shutil.rmtree(path)
        with contextlib.suppress(OSError):
            place.kept.rmdir()
        for path in _half_written(place):
            path.unlink(missing_ok=True)
        carrying.clear(place)
    end_idle_supervisor(site, place)
    if not place.known():
        folders.tidy(place)


def at_rest(site: Site, place: Place) -> bool:
    """Whether nothing is kept, on its way, or half done, so that :func:`recover` has nothing to do; only looks."""
    kept = any(path.suffix != ".failed" for path in place.kept.glob("*"))
    if kept or any(place.moving.glob("*")) or any(_half_written(place)) or has_idle_supervisor(site, place):
        return False
    made = (place.supervisor, place.services, place.launch, place.logs, place.units)
    return bool(place.known()) or not any(folder.exists() for folder in made)


def previous(place: UnitPlace) -> Unit | None:
    """The unit that this one takes the place of, while that is not settled."""
    kept = _read(Spot(place.stack, place.service).kept)
    return next((unit for unit in kept.units if unit.name == place.name), None)


def kept_units(place: Place) -> tuple[Unit, ...]:
    """Every unit that may come back: what it needs must stay."""
    return tuple(unit for path in place.kept.glob("*/units.json") for unit in _read(path.parent).units)


def _halt(site: Site, spot: Spot) -> None:
    for place in spot.units():
        found = labels.read(place)
        halt(site, place, found if isinstance(found, Unit) else None)


def _note(site: Site, folder: Path, kept: Kept) -> None:
    value = {"schema": labels.SCHEMA, "data": kept.data, "note": kept.note, "units": [u.to_json() for u in kept.units]}
    site.transport.put(json.dumps(value, indent=1).encode(), folder / "units.json", mode=0o600)


def _read(folder: Path) -> Kept:
    """What is noted there; nothing where that is not there, or cannot be read."""
    try:
        value = json.loads((folder / "units.json").read_bytes())
        units = tuple(Unit.from_json(unit) for unit in value["units"])
        return Kept(units, bool(value["data"]), str(value["note"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Kept()


def _copy(site: Site, spot: Spot) -> str:
    """Copy the data, sharing its blocks where the disk can; returns why there is no copy, empty where there is one."""
    half, whole = spot.kept / "data.new", spot.kept / "data"
    with writing(half):
        shutil.rmtree(half, ignore_errors=True)
        shutil.rmtree(whole, ignore_errors=True)
        size, free = _size(spot.data), shutil.disk_usage(spot.kept).free
        if size > free * ROOM and not _clones(spot.kept):
            return f"it takes {size / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free"
        how = ("-Rpc",) if sys.platform == "darwin" else ("-a", "--reflink=auto")
        try:
            done = site.transport.run(("cp", *how, str(spot.data), str(half)), timeout_s=COPY_S)
        except CommandError as error:
            return error.problem
        if done.code != 0:
            shutil.rmtree(half, ignore_errors=True)
            return f"it could not be copied{last_lines(done.stderr)}"
        half.rename(whole)
    return ""


def _clones(folder: Path) -> bool:
    """Whether copies take no space here."""
    if sys.platform == "darwin":
        return True
    with tempfile.TemporaryFile(dir=folder) as one, tempfile.TemporaryFile(dir=folder) as other:
        one.write(b"x" * 4096)
        one.flush()
        try:
            fcntl.ioctl(other.fileno(), FICLONE, one.fileno())
        except OSError:
            return False
    return True


def _size(top: Path) -> int:
    return sum(Path(folder, name).lstat().st_blocks * 512 for folder, _, names in os.walk(top) for name in names)


def _half_written(place: Place) -> Iterator[Path]:
    """What a transport was writing when it was killed: ours alone, beside the files that we write."""
    folders = {place.folder, place.units, place.launch, place.supervisor, place.services, place.kept, place.moving}
    for unit_place in place.known():
        unit = labels.read(unit_place)
        folders |= {
            unit_place.data,
            *(Path(file.path).parent for file in (unit.files if isinstance(unit, Unit) else ())),
        }
    for folder in folders:
        yield from folder.glob(".mlox-*")
    yield from place.launch.glob("*.job")
