"""The shell, in the process of the test: what one command of mlox says, on a machine where no service runs."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlox.cli import main
from mlox.testing import FakeBackend

Say = Callable[..., "Said"]
PASSWORD = "hunter22-and-more"
FOREIGN = """\
name: web
version: "1"
summary: a page of our own
options:
  greeting: {help: what it says}
  loud: {type: boolean, default: false, help: whether it shouts}
ports: {http: {port: 18080, scheme: http}}
units:
  server:
    native:
      binary: {name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}
      command: [sh, -c, "echo ${option.greeting}; sleep 1000"]
"""


@dataclass(frozen=True)
class Said:
    """How one command ended: exit code, what it printed, what it complained."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> dict[str, str]:
        """The one JSON object of a failure with ``--json``; nothing else may be printed."""
        assert not self.out
        (line,) = self.err.splitlines()
        error: dict[str, str] = json.loads(line)["error"]
        return error

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object of a success with ``--json``."""
        assert (self.code, self.err) == (0, "")
        value: dict[str, Any] = json.loads(self.out)
        return value


@pytest.fixture
def say(machine: FakeBackend, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run ``mlox`` with these words, in this process; ``stdin`` is what it reads."""
    del machine

    def run(*words: str, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(words)
        return Said(code, *capfd.readouterr())

    return run


@pytest.fixture
def demo(say: Say) -> Say:
    """The same, in a workspace that has mlflow and redis written and nothing running."""
    for words in (("init", "demo"), ("add", "mlflow"), ("add", "redis")):
        assert say(*words).code == 0
    return say


def files(*folders: Path) -> dict[str, bytes]:
    """Every file, with its content; of environments, which hold gigabytes, which there are."""
    found: dict[str, bytes] = {}
    for top in folders:
        for folder, below, names in os.walk(top):
            if Path(folder).name == "environments":
                found |= {f"{folder}/{name}": b"" for name in (*below, *names)}
                below.clear()
                continue
            paths = [Path(folder, name) for name in names]
            found |= {str(path): path.read_bytes() for path in paths if path.is_file()}
    return dict(sorted(found.items()))


@pytest.fixture
def no_reports(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An error that is no deliberate one is a defect, whatever the test looks at."""
    reports = isolated.parent / f"{isolated.name}-reports"
    reports.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(reports))
    yield
    found = [path.read_text() for path in reports.glob("mlox-report-*")]
    assert not found, found[0]
