"""Every service of the catalog, as processes and containers: what its client wrote outlives kills and a purge."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mlox.catalog import Catalog
from mlox.stack import Stack
from mlox.stack.surroundings import Surroundings
from tests.live import docker_stage
from tests.live.catalog.case import Case, all_cases
from tests.live.catalog.clients import python_with
from tests.live.catalog.record import KEPT, Record, read, recorded
from tests.live.support import Project, project, until
from tests.live.support import data_home as place
from tests.slices import seeded

CASES = all_cases()
SERVER = {"native": "local", "docker": "docker"}
SEEN = {row for row, record in read(KEPT).items() if record.whole}
"""Seen to pass whole, with backup and restore; what is not is for the exhaustive run until it is."""
RESTART_S = 600
"""How long all units of a service may take together until they are well again, on a machine that does much else."""
SLICE = 3
"""How many services and back ends the normal run takes; another slice for each change."""

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture
def workspace() -> Iterator[Path]:
    """A place for a workspace that the account of services may go through: it reads what options name."""
    with place() as folder:
        yield folder / "demo"


def places() -> Sequence[object]:
    """Every service on each back end that it can be had on; all but a slice is for the exhaustive run."""
    found = [
        (name, backend)
        for name, case in CASES.items()
        for backend in Catalog().get(name).service.backends
        if backend in SERVER and backend not in case.absent
    ]
    light = [(name, backend) for name, backend in found if backend not in CASES[name].heavy and (name, backend) in SEEN]
    chosen = seeded()[0].sample(light, SLICE)
    rows = []
    for name, backend in found:
        marks = [pytest.mark.xdist_group("engine" if backend == "docker" else f"service-{name}")]
        if (name, backend) not in chosen:
            marks.append(pytest.mark.exhaustive)
        rows.append(pytest.param(name, backend, marks=marks, id=f"{name}-{backend}"))
    return rows


@contextlib.contextmanager
def worked(name: str, backend: str, folder: Path, home: Path, *, source: str = "") -> Iterator[Project]:
    """A project with the service and what it needs added to it, on one back end.

    ``source`` is another service of the catalog, which is added by this one's name.
    """
    case = CASES[name]
    with contextlib.ExitStack() as held:
        environment, engine = {}, None
        if path := held.enter_context(case.path()):
            environment["PATH"] = path
        if backend == "docker":
            engine = held.enter_context(docker_stage.engine())
            environment["DOCKER_HOST"] = engine.host
            for image in case.images.values():
                engine.image(image)
        with project(folder, home, **environment) as made:
            case.prepare(folder)
            made.done("init", "demo")
            stack = made.id if engine is None else engine.owns(made.id)
            options = [word for option in case.options for word in ("--set", option)]
            for needed in case.needs:
                made.done("add", needed, "--on", SERVER[backend])
            made.done("add", source or name, "--as", name, "--on", SERVER[backend], *options)
            yield made
        assert engine is None or not engine.left(stack)


def kill(made: Project, name: str) -> None:
    """End the main process of each unit of a service, wherever it runs, and wait until another one is well."""
    stack = Stack(path=made.folder)

    def mains() -> set[int]:
        around = Surroundings(stack.workspace, stack.spec(), made.home)
        own = [o for o in around.observed.values() if o.service == name]
        return {pid for o in own if (pid := around.backends[o.unit.server].measure(o).pid)}

    before = mains()
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(mains() - before) == len(before), RESTART_S)
    until(lambda: made.row(name)["status"] == "running", RESTART_S, rest_s=2)


def said(made: Project, case: Case, script: str) -> str:
    """What a script of a user's prints."""
    done = made.run(str(python_with(case.packages)), "-c", script)
    assert done.code == 0, done
    return done.out


def keeps_data(name: str) -> bool:
    """Whether there is something to save of a service."""
    entry = Catalog().get(name).service
    return bool(entry.data) or any(unit.stateful for unit in entry.units.values())


@pytest.mark.parametrize(("name", "backend"), places())
def test_its_client_reads_what_it_wrote_whatever_happens(
    name: str, backend: str, workspace: Path, data_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded(name, backend) as row, contextlib.ExitStack() as held:
        made = held.enter_context(worked(name, backend, workspace, data_home))
        for variable, value in made.environment.items():
            monkeypatch.setenv(variable, value)
        before = lives(made, name, row)
        if keeps_data(name):
            comes_back(made, name, row, before, workspace.parent / "backups")
        else:
            assert "keeps no data" in made.mlox("backup", name).err
            row.unneeded = dict.fromkeys(("backup", "restore"), "it keeps no data")
        with row.step("purge"):
            held.close()


def lives(made: Project, name: str, row: Record) -> str:
    """Its client reads the same after each thing that happens to a service: what that is."""
    case = CASES[name]
    with row.step("up"):
        made.done("up")
        assert made.row(name)["status"] == "running"
        row.version = made.row(name)["version"]
    with row.step("write"):
        said(made, case, case.write)
        before = said(made, case, case.read)
        assert before.strip()
    with row.step("again"):
        assert made.json("up")["actions"] == []
    with row.step("kill"):
        kill(made, name)
        assert said(made, case, case.read) == before
    with row.step("down"):
        made.done("down")
        made.done("up")
        assert said(made, case, case.read) == before
    return before


def comes_back(made: Project, name: str, row: Record, before: str, kept: Path) -> None:
    """A service is saved, purged and restored, and its client reads the same."""
    with row.step("backup"):
        (saved,) = made.json("backup", name, "--to", str(kept))["backups"]
        until(lambda: made.row(name)["status"] == "running", RESTART_S, rest_s=2)
    with row.step("restore"):
        made.done("down", name, "--purge", "-y")
        assert made.row(name)["status"] == "absent"
        restored = made.json("restore", name, "--from", str(kept))
        assert restored["backup"]["id"] == saved["id"]
        assert made.json("up")["actions"] == []
        assert said(made, CASES[name], CASES[name].read) == before
