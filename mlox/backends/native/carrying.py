"""How a native service hands its data over and takes it in, and what its stack notes meanwhile, in ``moving/``.

``moving/NAME.json`` is the note; ``moving/NAME.data`` is what comes in, until it is complete: nobody else can enter it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from mlox.backends.native import folders, labels, shim
from mlox.backends.native.layout import Place, check_name, writing
from mlox.backends.native.site import Site
from mlox.errors import ServiceError
from mlox.journal import sync_folder
from mlox.protocols import Passage
from mlox.specs import CONFIG
from mlox.units import Unit


def note(site: Site, place: Place, passage: Passage) -> None:
    """Note that a service is on its way; see :meth:`mlox.protocols.Carrying.note_passage`."""
    check_name("service", passage.service)
    folders.make_stack(place, site.account(), site.transport)
    value = {"schema": labels.SCHEMA, **asdict(passage)}
    with writing(place.moving):
        place.moving.mkdir(mode=0o700, exist_ok=True)
        path = place.moving / f"{passage.service}.json"
        site.transport.put(json.dumps(value, indent=1).encode(), path, mode=0o600)
        sync_folder(place.moving)


def noted(place: Place) -> tuple[Passage, ...]:
    """What is noted; what cannot be read is not."""
    found = []
    for path in sorted(place.moving.glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            value = json.loads(path.read_bytes())
            found.append(
                Passage(str(value["service"]), value["role"], str(value["other"]), tuple(map(str, value["stopped"])))
            )
    return tuple(found)


def forget(place: Place, service: str) -> None:
    """Forget what is noted of a service."""
    check_name("service", service)
    with writing(place.moving):
        (place.moving / f"{service}.json").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            place.moving.rmdir()


def data_size(place: Place, units: Sequence[Unit]) -> int:
    """How many bytes the data of a service takes."""
    from mlox.backends.native.packing import size

    return size(_folders(place, units))


def data_out(place: Place, units: Sequence[Unit]) -> Iterator[bytes]:
    """The data of a service that does not run; see :meth:`mlox.protocols.Carrying.data_out`."""
    from mlox.backends.native.packing import packed

    service = units[0].service
    _check_stopped(place, service)
    try:
        yield from packed(_folders(place, units))
    except OSError as error:
        raise ServiceError(
            f"the data of {service} cannot be read: {error.filename}: {error.strerror}", hint="Mend that, then again."
        ) from error


def data_in(site: Site, place: Place, units: Sequence[Unit], chunks: Iterable[bytes], done: Collection[str]) -> None:
    """Put data where the units find it; see :meth:`mlox.protocols.Carrying.data_in`."""
    from mlox.backends.native.unpacking import unpack

    service = units[0].service
    targets = _folders(place, units)
    account = site.account()
    folders.make_home(site.home, account)
    folders.make_stack(place, account, site.transport)
    there = [str(path) for path in targets.values() if path.exists() and any(path.iterdir())]
    if there:
        raise ServiceError(f"there is data of {service} already: {there[0]}", hint="Remove that, or use another name.")
    staged = place.moving / f"{service}.data"
    with writing(staged):
        place.moving.mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(mode=0o700)
        try:
            unpack(chunks, staged, targets, account)
            os.sync()
            for unit in units:
                folders.make_unit(place.unit(service, unit.name), unit, account)
            for name in sorted(targets):
                if (staged / name).is_dir():
                    targets[name].rmdir()
                    (staged / name).rename(targets[name])
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        for unit in units:
            names = [job.name for job in unit.jobs if job.when == "init" and job.name in done]
            if names:
                path = place.unit(service, unit.name).initialised
                site.transport.put(json.dumps(names).encode(), path, mode=0o600, account=account.switch)


def data_gone(place: Place, units: Sequence[Unit]) -> None:
    """Remove the data of a service that does not run; see :meth:`mlox.protocols.Carrying.data_gone`."""
    _check_stopped(place, units[0].service)
    for unit in units:
        path = place.unit(unit.service, unit.name).initialised
        with writing(path):
            path.unlink(missing_ok=True)
    for folder in _folders(place, units).values():
        with writing(folder):
            if folder.exists():
                shutil.rmtree(folder)


def clear(place: Place) -> None:
    """Remove what a killed process was just taking in."""
    for path in list(place.moving.glob("*.data")):
        shutil.rmtree(path)
    with contextlib.suppress(OSError):
        place.moving.rmdir()


def _check_stopped(place: Place, service: str) -> None:
    table = shim.processes()
    for unit in [unit for unit in place.known() if unit.service == service]:
        if unit.program.exists() or shim.members(unit.marker, shim.read_record(str(unit.record)), table):
            raise ServiceError(f"{service} runs, and its data changes", hint=f"Stop it: mlox down {service}.")


def _folders(place: Place, units: Sequence[Unit]) -> dict[str, Path]:
    """The folders of data of a service by their names, one that its units share once."""
    return {
        name: place.unit(unit.service, unit.name).inside(path)
        for unit in units
        for name, path in unit.directories
        if name != CONFIG
    }
