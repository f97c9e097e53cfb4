"""Whoever is interrupted, killed or in each other's way: the same command again comes to the same one service."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from mlox.documents import load
from tests.live.support import MLOX, Project, data_home, interrupt, project, until

Running = subprocess.Popen[str]
Moment = Callable[[Running], object]

PROMPT_S = 15.0
"""How long a Ctrl-C may take here: five seconds on a quiet machine, and tests share their processors."""


@pytest.fixture
def shop(data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path / "shop", data_home) as made:
        yield made


def says(process: Running, word: str) -> str:
    """What a process says on stderr up to ``word``, and a little later."""
    assert process.stderr is not None
    heard = ""
    for line in process.stderr:
        heard += line
        if word in line:
            return heard
    raise AssertionError(f"it ended without saying {word!r}: {heard}")


def commands(home: Path, word: str) -> list[psutil.Process]:
    """Processes, whoever started them, whose command names both the data home and ``word``."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if word in line and str(home) in line:
            found.append(process)
    return found


# Two at once


def test_the_second_waits_and_says_for_whom(shop: Project) -> None:
    shop.done("init", "demo")
    shop.write_page()
    first = shop.process(*MLOX, "up", "page", "--set", "patience=2")
    says(first, "page: starting")
    second = shop.mlox("up", "page", "--json")
    third = shop.mlox("up", "page")
    _, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert (second.code, second.err) == (0, "")
    assert second.json()["actions"] == []
    assert third.code == 0
    assert len(shop.runs("page.py")) == 1


def test_the_one_who_waits_names_the_holder_and_can_be_interrupted(shop: Project) -> None:
    shop.done("init", "demo")
    shop.write_page()
    first = shop.process(*MLOX, "up", "page", "--set", "patience=25")
    says(first, "page: starting")
    second = shop.process(*MLOX, "up", "page")
    said = says(second, "waiting for")
    assert f"process {first.pid} (" in said
    began = time.monotonic()
    interrupt(second)
    out, err = second.communicate(timeout=30)
    assert time.monotonic() - began < PROMPT_S
    assert (second.returncode, out) == (130, "")
    assert err.splitlines()[-2].startswith("error: interrupted")
    _, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert shop.row("page")["status"] == "running"


def test_two_in_an_empty_folder(shop: Project) -> None:
    """Both make the workspace, both add, both deploy: one workspace, one id, both services."""
    with ThreadPoolExecutor(4) as pool:
        words = (("up", "redis"), ("up", "redis"), ("up", "redis", "--as", "cache"), ("init",))
        for said in pool.map(lambda each: shop.mlox(*each), words):
            assert said.code == 0, said
    written = load((shop.folder / "mlox.yaml").read_text(), source="mlox.yaml")
    assert isinstance(written, dict)
    assert set(written["services"]) == {"redis", "cache"}
    assert [row["status"] for row in shop.json("status")["services"]] == ["running", "running"]
    assert len(shop.runs("redis-server")) == 2
    stacks = [path.name for path in shop.home.iterdir() if path.name.startswith(f"{written['name']}-")]
    assert stacks == [shop.id]


# Ctrl-C


INSTALL = "pip --directory / --color never install"


def moments(home: Path) -> dict[str, Moment]:
    """When ``up mlflow`` is interrupted, in the order in which a deployment comes to it."""

    def installing(_: Running) -> None:
        until(lambda: commands(home, INSTALL), 60)
        time.sleep(0.5)

    return {
        "at once": lambda _: time.sleep(0.4),
        "while versions are chosen": lambda process: says(process, "choosing versions"),
        "when it starts": lambda process: says(process, "mlflow: starting"),
        "while it is installed": installing,
        "when the installation is nearly done": lambda process: (
            says(process, "installing"),
            until(lambda: list((home / "environments").glob("*/lib/python3*/site-packages/mlflow/version.py")), 120),
        ),
        "while it is not healthy yet": lambda _: until(lambda: commands(home, "--app-name=basic-auth"), 120),
    }


@pytest.mark.long
def test_ctrl_c_at_any_moment_of_up_mlflow(tmp_path: Path) -> None:
    """Exit 130 at once, no installer left, no half-built environment used; the last ``up`` converges."""
    with data_home() as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        for name, moment in moments(home).items():
            process = shop.process(*MLOX, "up", "mlflow")
            moment(process)
            began = time.monotonic()
            interrupt(process)
            out, err = process.communicate(timeout=30)
            assert time.monotonic() - began < PROMPT_S, name
            assert out == ""
            if name == "at once" and process.returncode == -signal.SIGINT:
                continue  # Python itself was still starting; a shell shows 130 for it too
            assert process.returncode == 130, (name, err)
            assert "Traceback" not in err, (name, err)
            assert err.splitlines()[-2].startswith("error: interrupted"), (name, err)
            assert err.splitlines()[-1].startswith("hint: Run the same command again"), (name, err)
            assert commands(home, "/uv ") == [], name
            shop.done("status")
        done = shop.json("up", "mlflow")
        assert [row["status"] for row in done["services"]] == ["running"]
        assert shop.json("up")["actions"] == []
        assert len(shop.runs("--app-name=basic-auth")) == 1
        complete = {path.parent.name for path in (home / "environments").glob("*/complete.json")}
        assert complete == {path.name for path in (home / "environments").iterdir() if path.is_dir()}


@pytest.mark.long
def test_whoever_waits_for_an_installation_can_be_interrupted(tmp_path: Path) -> None:
    """Two stacks share an environment: the second waits until the first has built it."""
    with (
        data_home() as home,
        project(tmp_path / "one", home) as one,
        project(tmp_path / "two", home) as two,
    ):
        for each in (one, two):
            each.done("init", "demo")
            each.write_page(packages="jupyterlab")
        first = one.process(*MLOX, "up", "page")
        installer = min(until(lambda: commands(home, INSTALL), 60), key=lambda each: each.pid)  # not what it has forked
        installer.suspend()
        second = two.process(*MLOX, "up", "page")
        says(second, "waiting for another process, which installs jupyterlab")
        began = time.monotonic()
        interrupt(second)
        _, err = second.communicate(timeout=30)
        assert time.monotonic() - began < PROMPT_S
        assert second.returncode == 130, err
        first.kill()
        first.communicate(timeout=10)
        two.done("up", "page")
        assert not installer.is_running(), "the installer of the killed process"
        one.done("up", "page")
        assert len(list((home / "environments").glob("*/complete.json"))) == 1


def test_ctrl_c_with_json(shop: Project) -> None:
    shop.done("init", "demo")
    shop.write_page(code="time.sleep(1000)")
    process = shop.process(*MLOX, "up", "page", "--json")
    until(lambda: shop.runs("page.py"))
    interrupt(process)
    out, err = process.communicate(timeout=PROMPT_S)
    assert (process.returncode, out) == (130, "")
    assert json.loads(err)["error"]["type"] == "Cancelled"
    process = shop.process(*MLOX, "restart", "page")
    says(process, "page: starting")
    interrupt(process)
    process.communicate(timeout=PROMPT_S)
    assert process.returncode == 130


def test_ctrl_c_ends_following_a_log(shop: Project) -> None:
    shop.done("init", "demo")
    shop.write_page(code="print('hello', flush=True)")
    shop.done("up", "page")
    process = shop.process(*MLOX, "logs", "page", "--follow")
    time.sleep(1.0)
    (page,) = shop.runs("page.py")
    page.kill()
    assert process.stdout is not None
    assert process.stdout.readline() == "hello\n"
    interrupt(process)
    process.communicate(timeout=PROMPT_S)
    assert process.returncode == 130


# kill -9


@pytest.mark.long
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """``kill -9`` of ``mlox up`` where it writes, installs, starts and waits; the last ``up`` has one process."""
    with data_home() as home, project(tmp_path / "shop", home) as shop:
        shop.write_page(packages="jupyterlab")
        whens: tuple[Moment, ...] = (
            lambda _: time.sleep(0.5),
            lambda _: until((shop.folder / "mlox.yaml").exists),
            lambda process: says(process, "choosing versions"),
            lambda _: until((shop.folder / "mlox.lock.yaml").exists, 60),
            lambda process: says(process, "page: starting"),
            lambda process: until(lambda: commands(home, INSTALL) or process.poll() is not None, 120),
            lambda _: until(lambda: list((home / "environments").glob("*/lib/*/site-packages/jupyterlab")), 120),
            lambda _: until((shop.data / "launch" / "page.server.json").exists, 120),
            lambda _: until(lambda: shop.runs("page.py"), 120),
        )
        killed = 0
        for when in whens:
            process = shop.process(*MLOX, "up", "page")
            when(process)
            killed += process.poll() is None
            process.kill()
            process.communicate(timeout=10)
        assert killed > len(whens) / 2, "some of the installer's moments are short"
        done = shop.json("up", "page")
        assert [row["status"] for row in done["services"]] == ["running"]
        assert shop.json("up")["actions"] == []
        assert len(shop.runs("page.py")) == 1
        assert len([path for path in home.iterdir() if path.name.startswith("shop-")]) == 1
        assert not list((shop.folder / ".mlox" / "local").glob("journal/*"))
        assert not list(shop.folder.glob(".*.tmp"))


def test_killed_while_it_stops_and_purges(shop: Project) -> None:
    shop.done("init", "demo")
    shop.write_page(code="import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    # The page may end slowly between a plan and its turn: then the error says to run the same command again.
    for words in (("down",), ("down", "--purge", "-y")):
        until(lambda: shop.mlox("up", "page").code == 0)
        process = shop.process(*MLOX, *words)
        says(process, "page: stopping")
        time.sleep(0.3)
        process.kill()
        process.communicate(timeout=10)
        shop.done("status")
    until(lambda: shop.mlox("down", "--purge", "-y").code == 0)
    assert shop.processes() == []
    assert not shop.data.exists()
    assert shop.json("secrets", "list") == {"secrets": []}


def test_its_supervisor_is_killed(shop: Project) -> None:
    """What runs on without one is taken over: still one process, with a supervisor again."""
    shop.done("init", "demo")
    shop.done("up", "redis")
    (supervisor,) = shop.runs("supervisor.supervisord")
    supervisor.kill()
    supervisor.wait(10)
    assert shop.row("redis")["status"] == "unhealthy"
    shop.done("up")
    assert shop.row("redis")["status"] == "running"
    assert len(shop.runs("redis-server")) == 1
    assert len(shop.runs("supervisor.supervisord")) == 1


def test_detached(shop: Project) -> None:
    """``--detach`` comes back at once, and the deployment goes on."""
    shop.done("init", "demo")
    shop.write_page()
    said = shop.done("up", "page", "--detach", "--set", "patience=20")  # seconds before it answers anybody
    assert "mlox status" in said
    assert shop.row("page")["status"] == "starting"
    until(lambda: '"running"' in shop.done("status", "--json"), 60)
    assert shop.json("up")["actions"] == []
    assert shop.mlox("up", "paeg", "--detach", "--json").error()["type"] == "UnknownNameError"
