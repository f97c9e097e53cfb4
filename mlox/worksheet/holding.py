"""What a service under test holds: what the author's client reads, what its own command says, marks in its folders."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from mlox.errors import CommandError
from mlox.protocols import Observed
from mlox.variables import finish
from mlox.worksheet.scratch import Scratch

MARK = ".mlox-worksheet"
CONFIG = "config"


class NotTriedError(Exception):
    """A point makes no sense for this service, or cannot be looked at here; its text is why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The service under test in its scratch stack, and the words that start it.

    Attributes:
        write: a shell's command of the author's, by which a client writes something. It finds the client's variables in
            its environment. ``read``: one that prints what the client finds: the same text for the same data.
        here: the folder in which both run.
        dumps: whether a backup is what the service's own command writes, and not the files of its data.
    """

    scratch: Scratch
    name: str
    up: tuple[str, ...]
    write: str | None = None
    read: str | None = None
    here: str | None = None
    dumps: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What a service holds: what a client reads, what its ``verify`` says, which folders have their mark."""

    read: str = ""
    told: str = ""
    marks: tuple[str, ...] = ()

    def lacks(self, after: Held) -> str:
        """How what is held afterwards differs; empty where it does not."""
        if gone := [folder for folder in self.marks if folder not in after.marks]:
            return f"what was in {gone[0]} is gone"
        for what, old, new in (("its client", self.read, after.read), ("its verify", self.told, after.told)):
            if old != new:
                return f"{what} said {_short(old)} before, and now {_short(new)}"
        return ""


def own(trial: Trial) -> list[Observed]:
    """The units of the service under test."""
    return [o for o in trial.scratch.observed if o.service == trial.name]


def write(trial: Trial) -> None:
    """Let the author's client write, where there is one.

    Raises:
        CommandError: it failed.
    """
    if trial.write is not None:
        _client(trial, trial.write)


def held(trial: Trial) -> Held:
    """What the service holds now.

    Raises:
        CommandError: the client, or the service's own command, failed.
    """
    read = _client(trial, trial.read) if trial.read is not None else ""
    told = [_told(trial, o) for o in own(trial) if o.unit.verify]
    marks = [folder for unit, folder in _folders(trial) if _run(trial, unit, f"grep -qx kept {_mark(folder)}")[0] == 0]
    return Held(read, "\n".join(told), tuple(marks))


def mark(trial: Trial) -> None:
    """Put a mark into each folder of data that a shell inside can write to."""
    for unit, folder in _folders(trial):
        _run(trial, unit, f"echo kept > {_mark(folder)}")


def unmark(trial: Trial) -> None:
    """Take the marks away again."""
    for unit, folder in _folders(trial):
        _run(trial, unit, f"rm -f {_mark(folder)}")


def _client(trial: Trial, command: str) -> str:
    """What a command of the author's prints."""
    said = trial.scratch.mlox("run", trial.name, "--", "sh", "-c", command, folder=trial.here)
    if said.code != 0:
        raise CommandError(f"{command}: exit code {said.code}: {_short(said.out + said.err)}")
    return said.out


def _told(trial: Trial, o: Observed) -> str:
    code, text = _run(trial, o.name, tuple(map(finish, o.unit.verify)))
    if code != 0:
        raise CommandError(f"{o.key} cannot tell what it holds: its verify ended with exit code {code}")
    return text


def _folders(trial: Trial) -> list[tuple[str, str]]:
    """Where it keeps data, as its units see it."""
    return [(o.name, path) for o in own(trial) for name, path in o.unit.directories if name != CONFIG]


def _mark(folder: str) -> str:
    return shlex.quote(f"{folder}/{MARK}")


def _run(trial: Trial, unit: str, script: str | Sequence[str]) -> tuple[int, str]:
    """How a command inside a unit ended, and what it wrote; a text is for a shell."""
    around = trial.scratch.around
    found = next((o for o in around.observed.values() if (o.service, o.name) == (trial.name, unit)), None)
    if found is None:
        return 127, ""
    written: list[bytes] = []

    def keep(channel: str, chunk: bytes) -> None:
        if channel == "out":
            written.append(chunk)

    argv = ["sh", "-c", script] if isinstance(script, str) else list(script)
    code = around.backends[found.unit.server].exec(found.unit, argv, input=None, write=keep)
    return code, b"".join(written).decode("utf-8", "replace")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(f"{line[:80]}..." if len(line) > 80 else line) if line else "nothing"
