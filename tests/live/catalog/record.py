"""What became of a service on a back end, step by step: written by the live suite, read by the table."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

STEPS = {
    "up": "it starts",
    "write": "its client writes, and reads that",
    "again": "a second `up` does nothing",
    "kill": "the main process of each unit is killed: another one serves the same data",
    "down": "`down`, `up`: the same data",
    "backup": "`backup`; it runs again",
    "restore": "`down --purge`, `restore`: the same data, and `up` does nothing",
    "purge": "`down --purge`: no process, container, network, volume or folder of it is left",
}
"""Each step in its order, and what it shows."""

KEPT = Path(__file__).with_name("records")
"""Those that the table in the docs is made of."""
PLACE = os.environ.get("MLOX_TEST_RECORDS")
"""The folder that a run of the suite writes to; without one it writes nothing."""


@dataclass
class Record:
    """A service on a back end.

    Attributes:
        version: the one that ran. ``date``: the day, UTC, as ``2026-11-22``.
        steps: how long each took that it passed, in seconds. ``unneeded``: why, of each that it has no need of.
        failed: the step at which it ended; empty where it passed whole.
    """

    service: str
    backend: str
    version: str = ""
    date: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    steps: dict[str, float] = field(default_factory=dict)
    unneeded: dict[str, str] = field(default_factory=dict)
    failed: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return not self.failed and all(step in self.steps or step in self.unneeded for step in STEPS)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One of the steps; it is passed where nothing is raised."""
        began = time.monotonic()
        self.failed = name
        yield
        self.failed = ""
        self.steps[name] = round(time.monotonic() - began, 1)

    def write(self, folder: Path) -> None:
        """Keep it, in the place of what was kept of the same service and back end."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.service}-{self.backend}.json").write_text(json.dumps(asdict(self), indent=1) + "\n")


@contextlib.contextmanager
def recorded(service: str, backend: str) -> Iterator[Record]:
    """A record of what is done within, which is kept however it ends, where the run is asked to."""
    record = Record(service, backend)
    try:
        yield record
    finally:
        if PLACE:
            record.write(Path(PLACE))


def read(folder: Path) -> dict[tuple[str, str], Record]:
    """The records of a folder by service and back end."""
    found = (Record(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json")))
    return {(record.service, record.backend): record for record in found}
