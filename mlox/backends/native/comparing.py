"""What of a native unit is not as mlox made it: files, what it is started with, what its process runs with."""

from __future__ import annotations

import configparser
import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from mlox.backends.asking import known
from mlox.backends.native import shim
from mlox.backends.native.layout import UnitPlace
from mlox.backends.native.site import Site
from mlox.protocols import Deviation
from mlox.secret import Secret
from mlox.units import Unit
from mlox.variables import finish


def compare(site: Site, unit: Unit, secrets: Mapping[str, Secret]) -> tuple[Deviation, ...]:
    """Look; see :meth:`mlox.protocols.Comparing.deviations`."""
    place = site.place(unit.stack).unit(unit.service, unit.name)
    if not place.annotation.exists():
        return ()
    variables = {name: text for name, value in unit.environment if (text := known(value, secrets)) is not None}
    return (
        *_files(place, unit, secrets),
        *_entry(place),
        *_launch(place, unit, variables),
        *_process(place, variables),
    )


def _files(place: UnitPlace, unit: Unit, secrets: Mapping[str, Secret]) -> Iterator[Deviation]:
    for file in unit.files:
        path = Path(file.path)
        name = str(path.relative_to(place.data)) if path.is_relative_to(place.data) else str(path)
        try:
            there = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(there.st_mode) else None
        except FileNotFoundError:
            yield Deviation("file", name, "missing")
            continue
        except OSError:  # it is closed to us; whoever runs the service sees more
            continue
        wanted, mode = known(file.content, secrets), stat.S_IMODE(there.st_mode)
        if content is None:
            yield Deviation("file", name, "no file any more")
        elif wanted is not None and content != wanted.encode():
            yield Deviation("file", name, "changed")
        elif mode != file.mode:
            yield Deviation("file", name, f"mode {mode:o} instead of {file.mode:o}")


def _entry(place: UnitPlace) -> Iterator[Deviation]:
    """The supervisor's entry: only what it starts; its other settings may change with mlox."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(place.program.read_text("utf-8", errors="replace"))
        command = parser.get(f"program:{place.key}", "command")
    except FileNotFoundError:  # it is not wanted running
        return
    except (OSError, configparser.Error):
        yield Deviation("supervisor", place.program.name, "changed")
        return
    if not command.endswith(f" -I -S shim.py launch/{place.key}.json") or parser.has_option(
        f"program:{place.key}", "environment"
    ):
        yield Deviation("supervisor", place.program.name, "changed")


def _launch(place: UnitPlace, unit: Unit, variables: Mapping[str, str]) -> Iterator[Deviation]:
    """The launch file: the command, and the variables that the unit itself has."""
    try:
        value = json.loads(place.launch.read_bytes())
        argv, environment = [str(word) for word in value["argv"]], dict(value["environment"])
    except FileNotFoundError:  # it is not wanted running
        return
    except OSError:
        return
    except (ValueError, KeyError, TypeError):
        yield Deviation("command", place.launch.name, "changed")
        return
    words = [finish(word) for word in unit.command]
    if unit.software.interpreter:
        words = [argv[0], "-I", "-S", *words]
    if argv[1:] != words[1:] or Path(argv[0]).name != Path(words[0]).name:
        yield Deviation("command", "as it is started", "changed")
    for name, text in variables.items():
        if environment.get(name) != text:
            yield Deviation("environment", name, "changed" if name in environment else "missing")


def _process(place: UnitPlace, variables: Mapping[str, str]) -> Iterator[Deviation]:
    """Variables of the process that runs. One that is not seen says nothing: some programs write a title over them."""
    record = shim.read_record(str(place.record))
    leader = shim.members(place.marker, record).get(record.pid) if record is not None else None
    if leader is None:
        return
    try:
        there = psutil.Process(leader.pid).environ()
    except (psutil.Error, OSError):
        return
    for name, text in variables.items():
        if name in there and there[name] != text:
            yield Deviation("environment", name, "another value in the process")
