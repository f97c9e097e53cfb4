"""Verbs in any order, on two servers in memory."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from mlox import plugins
from mlox.cli import main
from mlox.testing import FakeBackend, FakeBackupStore
from tests.moving_stage import APP, BASE, both_servers
from tests.saving_stage import ThePlace
from tests.verbs_machine import Standing, Verbs, World, only

SIZE = "options: {size: {type: integer, default: 1, help: how many words}}"
SIZED = BASE.replace("secrets:", f"{SIZE}\nsecrets:").replace("{PASSWORD:", '{SIZE: "${option.size}", PASSWORD:')


class InMemory:
    """Both servers and the place of backups are the shipped fakes; the verbs are the shell's, in this process."""

    servers: tuple[str, ...] = ("local", "docker")
    option = "size"
    values: tuple[str, ...] = ("2", "3")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.native, self.engine = both_servers(monkeypatch)
        monkeypatch.setattr(ThePlace, "place", FakeBackupStore(), raising=False)
        monkeypatch.setitem(plugins.TABLE, ("backup_stores", "folder"), plugins.Row("tests.saving_stage:ThePlace"))
        (self.folder / "services").mkdir()
        (self.folder / "services" / "base.yaml").write_text(SIZED)
        (self.folder / "services" / "app.yaml").write_text(APP)
        for backend in self.backends():
            backend.execs.programs["tell"] = lambda *_, data=backend.data: (0, data.get(self.key(), "").encode())
        for words in (("init", "demo"), ("add", "base"), ("add", "app", "--needs", "below=base")):
            self.run(*words)

    def run(self, *words: str) -> dict[str, Any]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main((*words, "--json", "-C", str(self.folder)))
        assert code == 0, f"mlox {' '.join(words)}: {err.getvalue()}"
        value: dict[str, Any] = json.loads(out.getvalue())
        return value

    def backends(self) -> tuple[FakeBackend, FakeBackend]:
        return self.native, self.engine

    def key(self) -> tuple[str, str]:
        """Under which a fake keeps the data of base."""
        (stack,) = {each.stack for backend in self.backends() for each in backend.observe()} or {""}
        return stack, "base"

    def write(self, words: str) -> None:
        self._of("base").data[self.key()] = words

    def words(self) -> str:
        return self._of("base").data.get(self.key(), "")

    def kill(self, name: str) -> None:
        self._of(name).kill(self.key()[0], name, "server")

    def remains(self) -> dict[str, Standing]:
        found: list[tuple[str, Standing]] = []
        for backend in self.backends():
            for each in backend.observe():
                assert each.state in ("running", "stopped"), each
                assert each.previous is None
                found.append((each.service, "running" if each.state == "running" else "stopped"))
            assert {service for _, service in backend.data} <= {name for name, _ in found}
        return only(found)

    def effects(self) -> object:
        return [list(backend.effects) for backend in self.backends()]

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def _of(self, name: str) -> FakeBackend:
        (found,) = (b for b in self.backends() if any(each.service == name for each in b.observe()))
        return found


def machine(monkeypatch: pytest.MonkeyPatch) -> type[Verbs]:
    """The machine in this world."""

    class InThisWorld(Verbs):
        def make_world(self) -> World:
            return InMemory(monkeypatch)

    return InThisWorld


@pytest.mark.parametrize(
    "examples",
    [
        pytest.param(8, id="slice"),
        pytest.param(400, id="whole", marks=[pytest.mark.exhaustive, pytest.mark.timeout(3000)]),
    ],
)
def test_verbs_in_any_order_do_what_is_expected(monkeypatch: pytest.MonkeyPatch, isolated: Path, examples: int) -> None:
    assert Path.cwd() == isolated
    run_state_machine_as_test(machine(monkeypatch), settings=settings(max_examples=examples, stateful_step_count=15))
