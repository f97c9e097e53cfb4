"""An MLflow that has tables in a PostgreSQL, both in memory, and a place for their backups in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import mlox
from mlox import plugins
from mlox.testing import FakeBackend, FakeBackupStore
from tests import fake_machine
from tests.granting_stage import DatabaseBackend
from tests.saving_stage import ThePlace

OLD, NEW = "3.16.0", "3.17.2"
ACCOUNT = "mlflow_database"


class TablesBackend(DatabaseBackend):
    """Accounts can be saved and brought back; what MLflow says that it holds are its files and its tables.

    Attributes:
        cannot_load: whether the command that brings an account back fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cannot_load = False
        self.execs.programs["env"] = self._account
        self.execs.programs["python3"] = lambda *_: (0, f"{self.files} {self.tables(ACCOUNT)}".encode())
        self.execs.programs["sh"] = lambda *_: (0, b"databases")

    @property
    def files(self) -> str:
        """What MLflow has in its folders."""
        return next((words for (_, service), words in self.data.items() if service == "mlflow"), "")

    def tables(self, account: str = ACCOUNT) -> list[str] | None:
        """What an account has; None where there is none."""
        postgres = self.databases.get("postgres")
        return postgres.rows.get(account) if postgres is not None else None

    def _account(self, argv: Sequence[str], environment: Mapping[str, str], given: bytes) -> tuple[int, bytes]:
        del environment
        named = dict(word.partition("=")[::2] for word in argv[1:-3])
        assert set(named) == {"MLOX_GRANT_USER", "MLOX_GRANT_DATABASE"}, "names alone: no password on a command line"
        rows = self.databases["postgres"].rows
        if "pg_dump" in argv[-1]:
            return 0, json.dumps(rows[named["MLOX_GRANT_DATABASE"]]).encode()
        assert "pg_restore" in argv[-1]
        if self.cannot_load or not given:
            return 1, b""
        rows[named["MLOX_GRANT_USER"]] = json.loads(given)
        return 0, b""


class House:
    """The stack with both of them running, and a server that is not there."""

    def __init__(self, backend: TablesBackend, folder: Path) -> None:
        self.native = backend
        self.engine = FakeBackend()
        self.stack = mlox.Stack("demo", path=folder)
        postgres = self.stack.add("postgres", version="15.4")
        self.stack.add("mlflow", version=OLD, needs={"database": postgres})
        self.stack.up()
        self.write("saved")

    @property
    def id(self) -> str:
        """The stack's."""
        return self.stack.id or ""

    def write(self, words: str) -> None:
        """What a client leaves, in both places."""
        self.native.data[self.id, "mlflow"] = words
        rows = self.native.databases["postgres"].rows[ACCOUNT]
        rows[:] = [words, *([rows[-1]] if rows and rows[-1] in (OLD, NEW) else [OLD])]

    def holds(self, words: str, *, tidy: bool = True) -> bool:
        """Whether both run and MLflow has these words in both places, and nothing of a restore is left.

        ``tidy``: nor a copy of its tables, which is nothing to go back to by then.
        """
        states = {o.key: o.state for o in self.native.observe(self.id)}
        assert states == {"mlflow.server": "running", "postgres.server": "running"}, states
        assert (self.native.files, self.native.tables()) == (words, [words, OLD])
        assert not tidy or self.native.databases["postgres"].copies == {}
        assert self.native.passages(self.id) == ()
        assert all(o.previous is None and self.native.probe(o.unit).healthy for o in self.native.observe(self.id))
        assert self.stack.plan().actions == ()
        return True


def housed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[House, FakeBackupStore]:
    """A house, and where its backups go."""
    place = FakeBackupStore()
    monkeypatch.setattr(ThePlace, "place", place, raising=False)
    monkeypatch.setitem(plugins.TABLE, ("backup_stores", "folder"), plugins.Row("tests.saving_stage:ThePlace"))
    fake_machine.fake_machine(monkeypatch)
    backend = TablesBackend()
    monkeypatch.setattr(fake_machine.OneMachine, "machine", backend)
    return House(backend, folder), place
