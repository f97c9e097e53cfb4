"""`mlox catalog test` for real: a service that does what it must passes, and each fault is found by its point."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlox.catalog import BUILT_IN
from mlox.catalog.skeleton import skeleton
from tests.live.support import Project, data_home, snapshot

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.xdist_group("worksheet")]

POINTS = (
    "up: it becomes healthy",
    "a second up has nothing to do",
    "dry runs and plans change nothing",
    "secrets are in no process list, log or open file",
    "killed, it comes back",
    "down keeps its data",
    "mlox killed on the way: the next up gets there",
    "down --purge leaves nothing",
)
SERVE = "http.server.ThreadingHTTPServer("


@pytest.fixture
def author(tmp_path: Path) -> Iterator[Project]:
    """A folder with services of somebody's own, and no stack."""
    with data_home() as home:
        (tmp_path / "services").mkdir()
        yield Project(tmp_path, home, {"TMPDIR": "/tmp"})


def write(author: Project, *changes: tuple[str, str], name: str = "hello") -> str:
    text = skeleton(name)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (author.folder / "services" / f"{name}.yaml").write_text(text)
    return f"services/{name}.yaml"


def states(author: Project, file: str, code: int) -> dict[str, str]:
    said = author.mlox("catalog", "test", file, "--json", "-q")
    assert said.code == code, said
    return {each["point"]: each["state"] for each in said.json()["points"]}


def left_over() -> list[str]:
    found = [str(path) for path in Path("/tmp").glob("mlox-worksheet-*")]
    commands = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return found + [command for command in commands if "mlox-worksheet-" in command]


def test_the_skeleton_passes_and_nothing_of_it_is_left(author: Project) -> None:
    before, there = snapshot(author.folder), set(left_over())
    file = write(author)
    assert states(author, file, 0) == dict.fromkeys(POINTS, "ok")
    assert snapshot(author.folder, author.home).keys() - before.keys() == {str(author.folder / file)}
    assert set(left_over()) <= there


def test_redis_passes(author: Project) -> None:
    assert states(author, str(BUILT_IN / "redis.yaml"), 0) == dict.fromkeys(POINTS, "ok")


def test_a_service_that_tells_its_password_and_forgets_its_data(author: Project) -> None:
    forgetful = f"[p.unlink() for p in path.parent.iterdir()]; print('it is', os.environ['TOKEN'], flush=True); {SERVE}"
    found = states(author, write(author, (SERVE, forgetful)), 3)
    assert found == dict.fromkeys(POINTS, "ok") | dict.fromkeys((POINTS[3], POINTS[5]), "failed")


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
