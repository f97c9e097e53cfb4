"""The points of the worksheet: each looks at one thing that every service must do, and says why where it does not."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import psutil

from mlox.errors import MloxError
from mlox.moves import has_data
from mlox.protocols import Observed
from mlox.worksheet.holding import Held, NotTriedError, Trial, held, mark, own, unmark, write
from mlox.worksheet.killing import kill
from mlox.worksheet.scratch import until

KILLS = 6
"""At how many steps of a start mlox is killed at most."""

HEALED_S = 60.0
ENDED_S = 15.0
KEPT = frozenset({"lock", "recipients"})
"""What a backup leaves beside a purged stack: whom its user agreed to let read the vault, and the stack's lock."""
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one point; ``why`` says more where it failed or could not be tried."""

    point: str
    state: Literal["ok", "failed", "not tried"]
    why: str = ""


def comes_up(trial: Trial) -> str:
    """It becomes healthy."""
    trial.scratch.done(*trial.up)
    return _not_running(trial)


def nothing_to_do(trial: Trial) -> str:
    """A second `up` has nothing to do."""
    kinds = [f"{a['kind']} {a['service']}" for a in trial.scratch.done("up")["actions"]]
    return f"it would: {', '.join(kinds)}" if kinds else ""


def its_client_writes(trial: Trial) -> str:
    """The author's client writes, and reads something."""
    write(trial)
    return "" if trial.read is None or held(trial).read.strip() else "the client that reads prints nothing"


def dry_runs_are_inert(trial: Trial) -> str:
    """No dry run and no plan changes a file or a process."""
    ways = (("plan",), ("up", "--dry-run"), ("down", "--dry-run"), ("down", "--purge", "--dry-run", "-y"))
    for words in (*ways, ("restart", "--dry-run"), ("drift",)):
        files, running = trial.scratch.snapshot(), _pids(trial)
        said = trial.scratch.mlox(*words)
        if said.code != 0:
            return f"mlox {' '.join(words)}: {said.why}"
        after = trial.scratch.snapshot()
        changed = [name for name in {*files, *after} if files.get(name) != after.get(name)]
        if changed:
            return f"mlox {' '.join(words)} changed {min(changed)}"
        if _pids(trial) != running:
            return f"mlox {' '.join(words)} changed what runs"
    return ""


def secrets_stay_secret(trial: Trial) -> str:
    """No secret is in a process list, a log, or a file that others can read."""
    around = trial.scratch.around
    values = {row.name: around.store.get(row.name, row.version).reveal() for row in around.store.describe()}
    commands = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            commands.append(" ".join(process.cmdline()))
    logs = {
        o.key: "\n".join(around.backends[o.unit.server].logs(o.stack, o.service, o.name, lines=10_000))
        for o in around.observed.values()
    }
    texts = dict(_readable(trial))
    for name, value in values.items():
        if any(value in command for command in commands):
            return f"{name} is in a process list"
        shown = [key for key, text in logs.items() if value in text]
        if shown:
            return f"{name} is in the log of {shown[0]}"
        told = [path for path, content in texts.items() if value.encode() in content]
        if told:
            return f"{name} is in {told[0]}"
    return ""


def heals(trial: Trial) -> str:
    """A process that was killed comes back by itself, or by `up`, with what the service held."""
    kept, before = held(trial), _measured(trial)
    if not before:
        raise NotTriedError("every process of it ends by itself")
    for o in before.values():
        kill(o)

    def back() -> bool:
        now = {key: o for key, o in _measured(trial).items() if o.state == "running"}
        return all(key in now and now[key].pid not in (None, old.pid) for key, old in before.items())

    restarts = all(o.unit.restart != "no" for o in before.values())
    if not (restarts and until(lambda: back() and not _not_running(trial), HEALED_S)):
        trial.scratch.done(*trial.up)
    return _not_running(trial) or kept.lacks(held(trial))


def keeps_its_data(trial: Trial) -> str:
    """`down` stops all of it and keeps its data; `up` brings it back with the same passwords."""
    versions = {row.name: row.version for row in trial.scratch.around.store.describe()}
    mark(trial)
    kept = held(trial)
    trial.scratch.done("down", "--all")
    if not until(lambda: not trial.scratch.processes(), ENDED_S):
        return f"after `down` there runs: {_commands(trial)}"
    if running := [o.key for o in trial.scratch.observed if o.state != "stopped"]:
        return f"after `down` there runs: {', '.join(running)}"
    trial.scratch.done(*trial.up)
    wrong = kept.lacks(held(trial))
    unmark(trial)
    if {row.name: row.version for row in trial.scratch.around.store.describe()} != versions:
        wrong = wrong or "it came back with other passwords"
    return wrong or _not_running(trial)


def comes_back_from_a_backup(trial: Trial) -> str:
    """A backup, `down --purge`, and a restore: it holds what it held, with the same passwords."""
    if not any(has_data(o.unit) for o in own(trial)):
        raise NotTriedError("it keeps no data, so there is nothing to save")
    if not trial.dumps:
        mark(trial)
    kept, passwords, place = held(trial), _passwords(trial), str(trial.scratch.home / "saved")
    if kept == Held():
        raise NotTriedError("nothing can be written into it: say how its client does, with --write and --read")
    trial.scratch.done("backup", trial.name, "--to", place)
    if wrong := _not_running(trial):
        return f"after the backup: {wrong}"
    trial.scratch.done("down", trial.name, "--purge", "-y")
    if left := [o.key for o in own(trial)]:
        return f"after `down --purge` there still is: {', '.join(left)}"
    trial.scratch.done("restore", trial.name, "--from", place, "-y")
    wrong = kept.lacks(held(trial))
    unmark(trial)
    if _passwords(trial) != passwords:
        wrong = wrong or "it came back with other passwords"
    return wrong or _not_running(trial) or nothing_to_do(trial)


def purge_leaves_nothing(trial: Trial) -> str:
    """`down --purge` leaves no process, no file and no password."""
    trial.scratch.done("down", "--all", "--purge", "-y")
    if not until(lambda: not trial.scratch.processes(), ENDED_S):
        return f"there still runs: {_commands(trial)}"
    left = [o.key for o in trial.scratch.observed]
    if left:
        return f"there still is: {', '.join(left)}"
    top = trial.scratch.home / (trial.scratch.stack.id or "")
    files = sorted(str(path) for path in top.rglob("*") if path.is_file() and str(path.relative_to(top)) not in KEPT)
    return f"there still is {files[0]}" if files else ""


def survives_kills(trial: Trial, told: Callable[[str], None]) -> str:
    """Whenever mlox is killed while it starts or stops the service, the next `up` gets there; nothing is orphaned."""
    wrong = purge_leaves_nothing(trial)
    lines = [] if wrong else trial.scratch.lines(*trial.up)
    count = len(trial.scratch.processes())
    for at, pause_s in _moments([moment for moment, _ in lines]):
        step = lines[at - 1][1]
        told(f"killing mlox {'in the middle of' if pause_s else 'at'}: {step}")
        wrong = wrong or purge_leaves_nothing(trial)
        trial.scratch.kill_at(at, pause_s, *trial.up)
        wrong = wrong or _converges(trial, count)
        if wrong:
            return f"mlox was killed at {step!r}: {wrong}"
    told("killing mlox while it stops the service")
    trial.scratch.kill_at(1, 0.0, "down", "--all")
    return wrong or _converges(trial, count)


def _converges(trial: Trial, count: int) -> str:
    trial.scratch.done(*trial.up)
    wrong = _not_running(trial) or nothing_to_do(trial)
    if not wrong and not until(lambda: len(trial.scratch.processes()) == count, ENDED_S):
        wrong = f"{len(trial.scratch.processes())} processes in place of {count}: {_commands(trial)}"
    return wrong


def _moments(moments: list[float]) -> Iterator[tuple[int, float]]:
    """After which line, and how many seconds later: each where there are few, and the middle of the longest step."""
    lines = range(1, len(moments) + 1)
    chosen = set(lines) if len(lines) <= KILLS else {number * len(lines) // KILLS for number in range(1, KILLS + 1)}
    yield from ((at, 0.0) for at in sorted(chosen))
    steps = [(after - before, at) for at, (before, after) in enumerate(pairwise(moments), start=1)]
    if steps:
        longest, at = max(steps)
        yield at, longest / 2


def _not_running(trial: Trial) -> str:
    """What of the service is not healthy; empty where all is."""
    around = trial.scratch.around
    for o in around.observed.values():
        if o.state not in ("running", "starting"):
            return f"{o.key} is {o.state}{f': {o.note}' if o.note else ''}"
        try:
            health = around.backends[o.unit.server].probe(o.unit)
        except MloxError as error:
            return error.problem
        if not health.healthy:
            return f"{o.key}: {health.detail}"
    return "" if own(trial) else f"there is no unit of {trial.name}"


def _measured(trial: Trial) -> dict[str, Observed]:
    """Every unit of the service that runs to serve, with its process."""
    around = trial.scratch.around
    units = [o for o in around.observed.values() if o.service == trial.name and not o.unit.completes]
    return {o.key: around.backends[o.unit.server].measure(o) for o in units}


def _pids(trial: Trial) -> dict[str, tuple[str, int | None]]:
    """What runs, as which process; one that is starting becomes a running one by itself."""
    around = trial.scratch.around
    seen = [around.backends[o.unit.server].measure(o) for o in around.observed.values()]
    return {o.key: ("running" if o.state == "starting" else o.state, o.pid) for o in seen}


def _passwords(trial: Trial) -> dict[str, str]:
    """The secrets of the service itself."""
    store = trial.scratch.around.store
    rows = [row for row in store.describe() if row.name.startswith(f"{trial.name}.")]
    return {row.name: store.get(row.name, row.version).reveal() for row in rows}


def _commands(trial: Trial) -> str:
    told = []
    for process in trial.scratch.processes():
        with contextlib.suppress(psutil.Error):
            told.append(" ".join(process.cmdline())[:80])
    return ", ".join(told) or "nothing any more"


def _readable(trial: Trial) -> Iterator[tuple[str, bytes]]:
    """The files that others may read, or that go into git."""
    for top in (trial.scratch.folder, trial.scratch.home):
        for path in top.rglob("*"):
            with contextlib.suppress(OSError):
                seen = path.lstat()
                wide = top == trial.scratch.folder or seen.st_mode & 0o044
                if stat.S_ISREG(seen.st_mode) and wide and seen.st_size < READ_BYTES:
                    yield str(path), path.read_bytes()
