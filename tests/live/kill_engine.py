"""The same stack on an engine of its own, that is killed with ``kill -9`` while a command runs, and started again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tests.live.engine.daemons import Daemons
from tests.live.kill_yard import Contained
from tests.live.support import MLOX, Said

PARTS = 20
LAST = 15
"""Later ones may come when a command that is quicker this time is done."""
ENDS_S = 30
"""How long a command may take to end once its engine is gone."""


@dataclass
class Bereft(Contained):
    """A project whose engine is killed: a point is a part of the time that the command takes undisturbed."""

    daemons: Daemons
    ends_services: ClassVar[bool] = True
    takes_s: float = field(default=0, init=False)

    def points(self, words: Sequence[str]) -> list[str]:
        began = time.monotonic()
        self.shop.mlox(*words)
        self.takes_s = time.monotonic() - began
        return [f"engine#{part}" for part in range(1, LAST + 1)]

    def kill(self, point: str, when: str, words: Sequence[str]) -> bool:
        """Kill the engine; the command and the next ones end soon and clearly, until it is started again."""
        part = int(point.partition("#")[2]) - (0.5 if when == "before" else 0)
        process = self.shop.process(*MLOX, *words)
        time.sleep(self.takes_s * part / PARTS)
        in_time = process.poll() is None
        self.daemons.kill_engine()
        began = time.monotonic()
        try:
            out, err = process.communicate(timeout=ENDS_S)
            told = is_clear(Said(process.returncode, out, err)) if process.returncode else []
            assert len(is_clear(self.shop.mlox(*words))) == 2
            print(f"  killed at {part}/{PARTS} of {self.takes_s:.1f} s: {told or 'it was done'}")
            assert time.monotonic() - began < 3 * ENDS_S
        finally:
            self.daemons.start_engine()
        return in_time

    def check_gone(self) -> None:
        super().check_gone()
        client = self.engine.client
        assert client.volumes.list() == [], "a volume without a name"
        assert client.containers.list(all=True) == []


def is_clear(said: Said) -> list[str]:
    """The lines in which a failure is told: what is wrong, and at the end what helps; no traceback, no defect."""
    assert said.code > 0, said
    assert "Traceback" not in said.err, said.err
    assert "a defect in mlox" not in said.err, said.err
    lines = said.err.splitlines()
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("error: ")) :]
    assert any(line.startswith("hint: ") for line in last), said.err
    return last
