"""`mlox catalog test` for real: a service that does what it must passes, and each fault is found by its point."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlox.catalog import BUILT_IN
from mlox.catalog.skeleton import skeleton
from tests.live.docker_stage import Engine, engine
from tests.live.support import Project, data_home, snapshot

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("worksheet")]

POINTS = (
    "up: it becomes healthy",
    "a second up has nothing to do",
    "dry runs and plans change nothing",
    "secrets are in no process list, log or open file",
    "killed, it comes back",
    "down keeps its data",
    "backup, down --purge, restore: the same data",
    "mlox killed on the way: the next up gets there",
    "down --purge leaves nothing",
)
CLIENT = "its client writes and reads"
FOREIGN = Path(__file__).parent / "foreign"
PATIENCE_S = 1500.0
SERVE = "http.server.ThreadingHTTPServer("


@pytest.fixture
def author(tmp_path: Path) -> Iterator[Project]:
    """A folder with services of somebody's own, and no stack."""
    with data_home() as home:
        (tmp_path / "services").mkdir()
        yield Project(tmp_path, home, {"TMPDIR": "/tmp"}, PATIENCE_S)


def write(author: Project, *changes: tuple[str, str], name: str = "hello") -> str:
    text = skeleton(name)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (author.folder / "services" / f"{name}.yaml").write_text(text)
    return f"services/{name}.yaml"


def states(author: Project, file: str, code: int, *words: str) -> dict[str, str]:
    said = author.mlox("catalog", "test", file, "--json", "-q", *words)
    wrong = [each for each in json.loads(said.out)["points"] if each["state"] != "ok"] if said.out else said
    assert said.code == code, wrong
    return {each["point"]: each["state"] for each in said.json()["points"]}


def left_over() -> list[str]:
    found = [str(path) for path in Path("/tmp").glob("mlox-worksheet-*")]
    commands = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return found + [command for command in commands if "mlox-worksheet-" in command]


@pytest.mark.long
def test_the_skeleton_passes_and_nothing_of_it_is_left(author: Project) -> None:
    before, there = snapshot(author.folder), set(left_over())
    file = write(author)
    assert states(author, file, 0) == dict.fromkeys(POINTS, "ok")
    assert snapshot(author.folder, author.home).keys() - before.keys() == {str(author.folder / file)}
    assert set(left_over()) <= there


@pytest.mark.long
def test_redis_passes(author: Project) -> None:
    assert states(author, str(BUILT_IN / "redis.yaml"), 0) == dict.fromkeys(POINTS, "ok")


def foreign(author: Project, name: str, begin: str = "") -> tuple[str, ...]:
    """A file and the client of somebody else, and the words that try them."""
    (author.folder / "services" / f"{name}.yaml").write_bytes((FOREIGN / f"{name}.yaml").read_bytes())
    (author.folder / "client.py").write_bytes((FOREIGN / "client.py").read_bytes())
    client = f"{shlex.quote(sys.executable)} client.py"
    return f"services/{name}.yaml", "--write", f"{client} write {begin}".rstrip(), "--read", f"{client} read"


@pytest.mark.long
def test_a_foreign_file_passes_as_processes(author: Project) -> None:
    file, *words = foreign(author, "radicale", "MKCALENDAR")
    assert states(author, file, 0, *words) == dict.fromkeys((*POINTS, CLIENT), "ok")


@pytest.mark.long
@pytest.mark.xdist_group("engine")
def test_a_foreign_file_passes_as_containers(author: Project) -> None:
    with engine() as made:
        made.image("nginx:1")
        author.environment["DOCKER_HOST"] = made.host
        before = named(made)
        file, *words = foreign(author, "webdav")
        found = states(author, file, 0, *words, "--backend", "docker")
        if found["killed, it comes back"] == "not tried":  # whoever is not root must not end a container's process
            assert os.getuid() != 0
            found["killed, it comes back"] = "ok"
        assert found == dict.fromkeys((*POINTS, CLIENT), "ok")
        assert named(made) <= before


def named(made: Engine) -> set[str]:
    """What there is of any worksheet's stack on an engine."""
    client = made.client
    found: list[Any] = [*client.containers.list(all=True, ignore_removed=True), *client.volumes.list()]
    return {str(one.name) for one in (*found, *client.networks.list()) if "mlox-worksheet" in str(one.name)}


@pytest.mark.long
def test_a_client_that_fails_and_data_that_changes_are_told(author: Project) -> None:
    file = write(author)
    said = author.mlox("catalog", "test", file, "--write", "nope", "--read", "date +%N")
    assert said.code == 3
    assert "its client writes and reads: nope: exit code 127" in said.out
    assert "down keeps its data: its client said" in said.out
    assert "backup, down --purge, restore: the same data: its client said" in said.out


def test_a_file_that_would_not_be_read(author: Project) -> None:
    file = write(author, name="redis")
    said = author.mlox("catalog", "test", file)
    assert said.code == 2
    assert "mlox has a service 'redis' of its own, which counts" in said.err


@pytest.mark.long
def test_a_service_that_tells_its_password_and_forgets_its_data(author: Project) -> None:
    forgetful = f"[p.unlink() for p in path.parent.iterdir()]; print('it is', os.environ['TOKEN'], flush=True); {SERVE}"
    found = states(author, write(author, (SERVE, forgetful)), 3)
    assert found == dict.fromkeys(POINTS, "ok") | dict.fromkeys((POINTS[3], POINTS[5], POINTS[6]), "failed")


def test_a_service_that_does_not_come_up_says_why(author: Project) -> None:
    said = author.mlox("catalog", "test", write(author, (SERVE, f"sys.exit('no license'); {SERVE}")))
    assert said.code == 1
    assert "no license" in said.out
    assert said.out.count("not tried") == len(POINTS) - 1


def test_a_file_that_is_wrong_or_not_there(author: Project) -> None:
    assert author.mlox("catalog", "test", "services/nothing.yaml").code == 2
    said = author.mlox("catalog", "test", write(author, ("summary:", "sumary:")))
    assert said.code == 2
    assert "unknown key 'sumary'" in said.err
    assert author.done("catalog", "test", write(author), "--dry-run").startswith("would try services/hello.yaml out")
    assert author.mlox("catalog", "test", write(author), "--backend", "dcker").err.endswith("Did you mean 'docker'?\n")
