"""Real Redis and PostgreSQL, native and as containers: what they use, under load and after a kill, and their logs."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.support import MLOX, Said, interrupt, until
from tests.live.yard_stage import Yard, yard

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("engine")]

SERVERS = ("local", "docker")
LOAD = "SET statement_timeout = '90s'; DO $$ BEGIN FOR i IN 1..2000000000 LOOP PERFORM 1; END LOOP; END $$"
WRITE = "CREATE TABLE t AS SELECT repeat(md5(i::text), 30) AS x FROM generate_series(1, 5000) i; CHECKPOINT"
WRITTEN = 3_000_000
"""Fewer bytes than that table takes."""

BUSY = 5.0
"""Percent of a core: far from what both take when idle, little of what a busy one gets on a machine with others."""


@pytest.fixture(params=SERVERS)
def here(request: pytest.FixtureRequest, tmp_path: Path, data_home: Path) -> Iterator[Yard]:
    with yard(tmp_path / "shop", data_home) as made:
        for name in ("redis", "postgres"):
            made.project.done("up", name, "--on", request.param)
        yield made


def client(here: Yard, name: str, *words: str) -> Said:
    """A client of a service, with what the service gives to clients."""
    return here.project.run(*MLOX, "run", name, "--", *words)


def redis(here: Yard, *words: str) -> str:
    port = here.project.row("redis")["ports"]["redis"].rpartition(":")[2]
    password = here.project.password("redis")
    said = here.project.run("env", f"REDISCLI_AUTH={password}", "redis-cli", "-p", port, *words)
    assert said.code == 0, said
    return said.out.strip()


def stats(here: Yard) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in here.project.json("stats")["services"]}


def kill(here: Yard, name: str, program: str) -> None:
    """``kill -9`` of the service's first process."""
    if here.project.row(name)["server"] == "docker":
        os.kill(int(here.inspect(name)["State"]["Pid"]), signal.SIGKILL)
    else:
        min(here.project.runs(program), key=lambda process: process.create_time()).kill()


def test_what_two_services_use(here: Yard) -> None:
    project = here.project
    idle = until(lambda: quiet(stats(here))) or {}
    assert set(idle) == {"redis", "postgres"}
    for row in idle.values():
        assert (row["state"], row["healthy"], row["restarts"]) == ("running", True, 0)
        assert row["probe_ms"] > 0
        assert row["memory_bytes"] > 1_000_000
    # CPU
    watching = project.process(*MLOX, "stats", "--watch", "--interval", "500ms", "--json")
    looks = watched(watching)
    load = project.process(*MLOX, "run", "postgres", "--", "psql", "-d", "postgres", "-Atc", LOAD)
    until(lambda: (looks()["postgres"]["cpu_percent"] or 0) > BUSY, 80)
    interrupt(load)
    load.communicate(timeout=60)
    assert ended(watching) == 0
    # disk
    before = idle["postgres"]["disk_bytes"]
    written = client(here, "postgres", "psql", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", WRITE)
    assert written.code == 0, written
    until(lambda: stats(here)["postgres"]["disk_bytes"] >= before + WRITTEN, 60)
    # restarts
    kill(here, "redis", "redis-server")
    until(lambda: (found := stats(here)["redis"])["restarts"] == 1 and found["healthy"], 60)
    assert stats(here)["postgres"]["restarts"] == 0
    project.done("down", "redis")
    stopped = stats(here)["redis"]
    assert (stopped["state"], stopped["cpu_percent"], stopped["memory_bytes"]) == ("stopped", None, None)


def ended(process: subprocess.Popen[Any]) -> int:
    """The exit code after Ctrl-C."""
    interrupt(process)
    process.communicate(timeout=30)
    return process.returncode


def quiet(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return found if all((row["cpu_percent"] or 0) < BUSY and row["healthy"] for row in found.values()) else {}


def watched(process: subprocess.Popen[str]) -> Any:
    """Answers the next look of a process that prints each as an object on a line."""
    stream = process.stdout
    assert stream is not None

    def look() -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in json.loads(stream.readline())["services"]}

    return look


def test_two_services_are_followed_with_a_restart_between(here: Yard) -> None:
    process = here.project.process(*MLOX, "logs", "--follow", "--json", "--grep", "ready to accept|Ready to accept")
    seen: list[dict[str, Any]] = []
    stream = process.stdout
    assert stream is not None
    reader = threading.Thread(target=lambda: seen.extend(map(json.loads, stream)), daemon=True)
    reader.start()
    until(lambda: {line["service"] for line in seen} == {"redis", "postgres"}, 60)
    before = len(seen)
    here.project.done("restart", "postgres")
    until(lambda: [line["service"] for line in seen[before:]] == ["postgres"], 60)
    kill(here, "redis", "redis-server")
    until(lambda: [line["service"] for line in seen[before:]] == ["postgres", "redis"], 60)
    interrupt(process)
    reader.join(30)
    process.communicate(timeout=30)
    assert process.returncode == 130
    since = here.project.done("logs", "postgres", "--since", "10m", "--grep", "ready to accept")
    assert "ready to accept connections" in since
    soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 3600))
    assert here.project.done("logs", "postgres", "--since", soon) == ""


def test_a_terminal_is_drawn_again_in_place_and_left_as_it_was(here: Yard) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = here.project.process(
        *MLOX, "status", "--watch", "--interval", "300ms", stdin=theirs, stdout=theirs, stderr=theirs
    )
    written = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):  # nobody has the other end any more
            while part := os.read(ours, 4096):
                written.extend(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    until(lambda: written.count(b"\033[J") >= 3, 60)
    assert b"postgres" in written
    assert ended(process) == 0
    assert termios.tcgetattr(theirs) == before
    assert b"Traceback" not in written
    assert b"\033[?" not in written
    os.close(theirs)
    reader.join(10)
    os.close(ours)
