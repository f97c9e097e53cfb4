"""Whether live tests have a real Docker engine: images, docker compose, a mirror; and nothing of ours stays behind."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from docker.errors import APIError

from tests.live.docker_stage import Engine, mortal_engine
from tests.live.engine.daemons import NoEngineError, answers, can_start, connect
from tests.live.engine.images import mirror_of, publish
from tests.live.support import until

pytestmark = pytest.mark.xdist_group("engine")

ROOT = Path(__file__).parents[2]
NOWHERE = "unix:///nowhere/docker.sock"

COMPOSE = """\
services:
  store:
    image: redis:7
    labels: {{mlox.stack: {stack}}}
    healthcheck: {{test: [CMD, redis-cli, ping], interval: 200ms, retries: 50}}
  asker:
    image: redis:7
    labels: {{mlox.stack: {stack}}}
    depends_on: {{store: {{condition: service_healthy}}}}
    command: [sh, -c, "redis-cli -h store set asked yes && exec sleep 1000"]
    healthcheck: {{test: [CMD-SHELL, "redis-cli -h store get asked | grep yes"], interval: 200ms, retries: 50}}
networks: {{default: {{labels: {{mlox.stack: {stack}}}}}}}
"""


@pytest.mark.slow
def test_a_name_of_docker_hub_is_pulled_from_where_the_engine_looks_for_it(engine: Engine) -> None:
    name = engine.image("busybox:1")
    there = engine.client.images.get(name)
    if mirror := mirror_of(engine.client):
        name = f"mlox-tests/{secrets.token_hex(4)}:1"
        there.tag(name)
        publish(engine.client, name, mirror)
        engine.client.images.remove(name)
    pulled = engine.client.images.pull(name)
    assert pulled.id == there.id
    if mirror:
        engine.client.images.remove(name)


@pytest.mark.slow
def test_a_name_that_nobody_has_is_refused_at_once(engine: Engine) -> None:
    began = time.monotonic()
    with pytest.raises(APIError):
        engine.client.images.pull("mlox-tests/nobody-has-this", tag="1")
    assert time.monotonic() - began < 20


@pytest.mark.slow
def test_docker_compose_waits_for_health_and_finds_services_by_name(engine: Engine, tmp_path: Path) -> None:
    engine.image("redis:7")
    stack = engine.new_stack()
    file = tmp_path / "compose.yaml"
    file.write_text(COMPOSE.format(stack=stack))
    argv = (engine.compose(), "--project-name", stack, "--file", file)

    subprocess.run((*argv, "up", "--wait", "--quiet-pull"), check=True, capture_output=True, timeout=120)
    asker = engine.client.containers.get(f"{stack}-asker-1")
    assert asker.exec_run(["redis-cli", "-h", "store", "get", "asked"]).output == b"yes\n"

    subprocess.run((*argv, "down", "--volumes", "--timeout", "1"), check=True, capture_output=True, timeout=120)
    assert not engine.left(stack)


@pytest.mark.slow
def test_what_a_stack_leaves_is_swept_and_nothing_else(engine: Engine) -> None:
    stack, other = engine.new_stack(), engine.new_stack()
    image = engine.image("busybox:1")
    for each in (stack, other):
        engine.client.networks.create(each, labels={"mlox.stack": each})
        engine.client.volumes.create(each, labels={"mlox.stack": each})
        engine.client.containers.run(image, "sleep 1000", name=each, labels={"mlox.stack": each}, detach=True)
    swept = engine.sweep(stack)
    assert sorted(swept) == [f"container {stack}", f"network {stack}", f"volume {stack}"]
    assert not engine.left(stack)
    assert len(engine.left(other)) == 3


@contextlib.contextmanager
def wrapped(cache: Path, *argv: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A command with an engine of its own, since the docker CLI finds none."""
    run = subprocess.Popen(
        (sys.executable, "-m", "tests.live.engine", "run", "--", *argv),
        cwd=ROOT,
        env={**os.environ, "DOCKER_HOST": NOWHERE, "MLOX_TEST_CACHE": str(cache), **variables},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield run
    finally:
        run.terminate()
        run.communicate(timeout=120)


def line(run: subprocess.Popen[str]) -> str:
    """The next line that a command says."""
    assert run.stdout
    said = run.stdout.readline().strip()
    assert said, run.communicate(timeout=120)
    return said


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A cache of one's own, for an engine of one's own."""
    try:
        can_start()
    except NoEngineError as error:
        pytest.skip(str(error))
    return tmp_path / "cache"


def left_of(cache: Path, host: str, *interfaces: str) -> list[str]:
    """What is there of an engine that has ended."""
    folder = Path(host.removeprefix("unix://")).parent
    found = [str(folder)] if folder.exists() else []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        found += [words for each in (folder, cache) if str(each) in words]
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    found += [point for point in points if Path(point).is_relative_to(folder) or Path(point).is_relative_to(cache)]
    found += [name for name in interfaces if name in psutil.net_if_addrs()]
    rules = subprocess.run(("iptables-save",), check=True, capture_output=True, text=True).stdout.split()
    return found + [name for name in interfaces if name in rules]


@pytest.fixture
def image_file(engine: Engine, tmp_path: Path) -> Path:
    """An image as a file, for an engine that has none."""
    file = tmp_path / "busybox.tar"
    with file.open("wb") as written:
        for chunk in engine.client.images.get(engine.image("busybox:1")).save(named=True):
            written.write(chunk)
    return file


BUSY = """\
set -e
docker load --quiet --input {file} >/dev/null
one=$(docker network create one)
docker run --detach --network one --volume data:/data --publish 127.0.0.1::80 busybox:1 sleep {token} >/dev/null
bridge=$(docker network inspect bridge --format '{{{{index .Options "com.docker.network.bridge.name"}}}}')
echo "$DOCKER_HOST $bridge br-$(echo $one | cut -c1-12)"
exec sleep {seconds}
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ends", "interrupted", "terminated", "command killed", "killed", "keeper killed"])
def test_an_engine_of_ours_goes_with_all_that_it_has_however_its_run_ends(
    how: str, own: Path, image_file: Path
) -> None:
    token = str(secrets.randbelow(10**6) + 10**6)
    script = BUSY.format(file=image_file, token=token, seconds=0 if how == "ends" else 1000)
    with wrapped(own, "sh", "-c", script) as run:
        host, *interfaces = line(run).split()
        assert host.startswith("unix:///tmp/mlox-engine-")
        if how != "ends":
            assert len(left_of(own, host, *interfaces)) > len(interfaces)
            keeper, command = sorted(psutil.Process(run.pid).children(), key=lambda each: each.cmdline()[-1] != "keep")
        if how == "interrupted":
            os.killpg(run.pid, signal.SIGINT)
        elif how == "terminated":
            run.terminate()
        elif how == "killed":
            run.kill()
        elif how == "keeper killed":
            keeper.kill()
        if how.endswith("killed"):
            command.kill()
        _, err = run.communicate(timeout=120)
    expected = {"ends": 0, "interrupted": 130, "terminated": 143, "killed": -9}
    assert run.returncode == expected.get(how, 137), err
    if how == "killed":
        until(lambda: not left_of(own, host, *interfaces), 60)
    assert not left_of(own, host, *interfaces)
    assert not [each for each in psutil.process_iter(["cmdline"]) if token in (each.info["cmdline"] or ())]


@pytest.mark.slow
def test_an_engine_that_is_killed_starts_again_with_what_it_had(image_file: Path, tmp_path: Path) -> None:
    with mortal_engine(tmp_path / "mortal") as daemons:
        host = daemons.host
        with contextlib.closing(connect(host)) as client:
            client.images.load(image_file.read_bytes())
            kept = client.containers.run("busybox:1", "sleep 1000", stop_signal="KILL", detach=True)
            daemons.kill_engine()
            assert not answers(host)
            daemons.start_engine()
            kept.reload()
            assert kept.status == "exited"
            kept.start()
    assert not left_of(tmp_path / "mortal", host)


@pytest.mark.slow
def test_two_runs_at_once_share_an_engine_until_the_last_one_ends(own: Path) -> None:
    waiting = 'echo "$DOCKER_HOST"; exec sleep 1000'
    asking = 'echo "$DOCKER_HOST"; read line; docker version >/dev/null && echo answers'
    with wrapped(own, "sh", "-c", waiting) as first, wrapped(own, "sh", "-c", asking) as second:
        host = line(first)
        assert line(second) == host
        os.killpg(first.pid, signal.SIGINT)
        first.communicate(timeout=60)
        assert second.communicate("go\n", timeout=60)[0].strip() == "answers"
        assert second.returncode == 0
    assert not left_of(own, host)


def test_where_no_engine_can_be_started_the_command_runs_and_is_told_why(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    told = "import os, sys; print(os.environ['MLOX_TEST_NO_ENGINE']); sys.exit(7)"
    with wrapped(tmp_path / "cache", sys.executable, "-c", told, PATH=str(tmp_path / "bin")) as run:
        out, err = run.communicate(timeout=60)
    assert run.returncode == 7
    assert "no Docker engine answers" in out
    assert err.startswith("tests on Docker will be skipped: no Docker engine answers")
