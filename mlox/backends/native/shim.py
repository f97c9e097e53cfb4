"""How a native process begins: it ends what an earlier run of its unit left, then becomes the unit's command.

Standalone, standard library only: the back end copies this file beside a stack's supervisor, which runs it as
``python -I -S shim.py LAUNCH`` (a process list shows no more than that). ``shim.py LAUNCH ARGV...`` runs another
command in the unit's place: a job, a probe. LAUNCH is a JSON file of mode 0600: ``argv``, ``environment``, ``cwd``, and
for units ``marker`` and ``record``. It ends with 127 where there is no such program, with 126 where that cannot be run.
What runs beside a unit has ``#aside`` after its marker: a unit that begins again must not end its own probe, or a job
that works on it.

A unit's processes are found by the variable ``MLOX_UNIT`` in their environment. Some programs write their title over
it (redis, postgres), therefore also by the process group in the record, and by descent. See proc(5), ps(1).
"""

# It runs at every start and reads hundreds of small files: pathlib would double its time.

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import NamedTuple

VARIABLE = "MLOX_UNIT"
ASIDE = "#aside"
TERM_S = 5.0
KILL_S = 5.0


class Process(NamedTuple):
    """A process: its ids, when it started (in the system's own words), and the unit it was started for."""

    pid: int
    parent: int
    group: int
    owner: int
    start: str
    marker: str


class Record(NamedTuple):
    """What a unit's process wrote about itself when it began: pid, start, how often it began; who owns the file."""

    pid: int
    start: str
    runs: int
    owner: int


def processes() -> dict[int, Process]:
    """All processes that live (no zombies) and can be seen, by pid."""
    return _from_proc() if os.path.isfile("/proc/self/stat") else _from_ps()


def read_record(path: str) -> Record | None:
    """The record of a unit, or None where there is none that can be used."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, encoding="utf-8") as file:
            value = json.load(file)
            return Record(int(value["pid"]), str(value["start"]), int(value["runs"]), os.fstat(handle).st_uid)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def members(marker: str, record: Record | None = None, table: dict[int, Process] | None = None) -> dict[int, Process]:
    """The processes of a unit, never this one or its ancestors.

    A record counts for processes of its owner alone: a service cannot name somebody else's process in it.
    """
    table = processes() if table is None else table
    found = {pid for pid, process in table.items() if process.marker == marker}
    if record is not None:
        leader = table.get(record.pid)
        if leader is None or leader.start == record.start:
            found |= {p.pid for p in table.values() if p.group == record.pid and p.owner == record.owner}
    spared = _lineage(table)
    fresh = found - spared
    while fresh:
        fresh = {p.pid for p in table.values() if p.parent in fresh} - found - spared
        found |= fresh
    return {pid: table[pid] for pid in found - spared}


def terminate(
    marker: str,
    record: Record | None = None,
    *,
    grace_s: float = TERM_S,
    also: dict[int, Process] | None = None,
    first: int = signal.SIGTERM,
) -> dict[int, Process]:
    """End the processes of a unit, and those of ``also`` that still live: politely, then SIGKILL; returns survivors."""
    known = dict(also or {})
    for sign, patience_s in ((first, grace_s), (signal.SIGKILL, KILL_S)):
        deadline, pause = time.monotonic() + patience_s, 0.005
        told: set[int] = set()
        while True:
            table = processes()
            known.update(members(marker, record, table))
            known = {pid: p for pid, p in known.items() if pid in table and table[pid].start == p.start}
            if not known:
                return {}
            for pid in known.keys() - told:
                told.add(pid)
                try:
                    os.kill(pid, sign)
                except (ProcessLookupError, PermissionError):
                    continue
            if time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 2, 0.1)
    return known


def _lineage(table: dict[int, Process]) -> set[int]:
    spared, pid = {0, 1}, os.getpid()
    while pid not in spared:
        spared.add(pid)
        pid = table[pid].parent if pid in table else 0
    return spared


def _from_proc() -> dict[int, Process]:
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            if fields[0] in (b"Z", b"X"):
                continue
            owner = os.stat(f"/proc/{name}").st_uid
        except (OSError, IndexError):
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                environment = b"\0" + file.read()
        except OSError:
            environment = b""
        _, found, rest = environment.partition(b"\0" + VARIABLE.encode() + b"=")
        marker = rest.partition(b"\0")[0].decode("utf-8", "replace") if found else ""
        table[int(name)] = Process(int(name), int(fields[1]), int(fields[2]), owner, fields[19].decode(), marker)
    return table


def _from_ps() -> dict[int, Process]:
    columns = "pid=,ppid=,pgid=,uid=,stat=,lstart=,command="
    listing = subprocess.run(
        ["/bin/ps", "-axwwE", "-o", columns], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    table = {}
    for line in listing.stdout.decode("utf-8", "replace").splitlines():
        fields = line.split(None, 10)
        if len(fields) < 10 or fields[4].startswith("Z"):
            continue
        words = fields[10].split() if len(fields) > 10 else []
        marker = next((word.partition("=")[2] for word in words if word.startswith(f"{VARIABLE}=")), "")
        pid, parent, group, owner = (int(field) for field in fields[:4])
        table[pid] = Process(pid, parent, group, owner, " ".join(fields[5:10]), marker)
    return table


def _begin(marker: str, path: str) -> None:
    """End the earlier run, then record this one."""
    record = read_record(path)
    left = terminate(marker, record)
    if left:
        sys.stderr.write(f"mlox: processes of an earlier run cannot be ended: {sorted(left)}\n")
    me = processes().get(os.getpid())
    value = {"pid": os.getpid(), "start": me.start if me else "", "runs": (record.runs if record else 0) + 1}
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(f"{path}.new", path)


def main(arguments: list[str]) -> None:
    """Become the command of the launch file, or the one given after it."""
    os.umask(0o077)
    with open(arguments[0], encoding="utf-8") as file:
        launch = json.load(file)
    argv, environment = arguments[1:] or launch["argv"], launch["environment"]
    if launch.get("record") and not arguments[1:]:
        _begin(launch["marker"], launch["record"])
    elif VARIABLE in environment:
        environment[VARIABLE] += ASIDE
        for name in ("TERM", "COLORTERM"):
            if os.isatty(0) and name in os.environ:
                environment.setdefault(name, os.environ[name])
    os.chdir(launch["cwd"])
    program = shutil.which(argv[0], path=environment.get("PATH", os.defpath)) or argv[0]
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(program, argv, environment)  # noqa: S606 - becoming the command is the purpose
    except OSError as error:
        sys.stderr.write(f"mlox: {program} cannot be run: {error.strerror}\n")
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main(sys.argv[1:])
