"""Redis and PostgreSQL as containers, by the real program: written to, killed, stopped, started, updated, purged."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.live.support import until
from tests.live.yard_stage import Yard, yard

PAGE = """\
name: page
version: "1"
summary: a page of our own, with all that it was ever started with
options:
  text: {default: ours, help: what it adds}
  image: {default: "python:3.11-slim", help: what it runs in}
secrets: {token: {generate: 24}}
ports: {http: {port: 18500, scheme: http}}
data: {data: {path: /data}}
units:
  server:
    stateful: true
    image: ${option.image}
    init: true
    user: "1234"
    command: [python3, "${dir.config}/page.py", "${option.text}"]
    environment: {TOKEN: "${secret.token}"}
    files:
      page.py:
        content: |
          import http.server, os, sys
          assert os.environ["TOKEN"]
          with open("/data/lines", "a") as lines:
              print(sys.argv[1], file=lines)
          if sys.argv[1] == "broken":
              sys.exit(3)
          class Page(http.server.BaseHTTPRequestHandler):
              def do_GET(self):
                  self.send_response(200)
                  self.end_headers()
                  self.wfile.write(open("/data/lines", "rb").read())
          http.server.ThreadingHTTPServer(("${bind}", ${port.http}), Page).serve_forever()
    probe: {http: {port: http}, start_timeout_s: 30}
    stop_grace_period_s: 2
"""


pytestmark = [pytest.mark.long, pytest.mark.xdist_group("engine")]


@pytest.fixture
def here(tmp_path: Path, data_home: Path) -> Iterator[Yard]:
    with yard(tmp_path / "shop", data_home) as made:
        yield made


def redis(here: Yard, *words: str) -> str:
    """An answer of redis to its own client."""
    port = here.project.row("redis")["ports"]["redis"].rpartition(":")[2]
    password = here.project.password("redis")
    said = here.project.run("env", f"REDISCLI_AUTH={password}", "redis-cli", "-p", port, *words)
    assert said.code == 0, said
    return said.out.strip()


def sql(here: Yard, statement: str) -> str:
    """An answer of PostgreSQL to psql."""
    url = here.project.json("env", "postgres")["env"]
    password = here.project.password("postgres")
    place = f"host={url['PGHOST']} port={url['PGPORT']} user=postgres dbname=postgres"
    said = here.project.run("env", f"PGPASSWORD={password}", "psql", "-XAtq", place, "-c", statement)
    assert said.code == 0, said
    return said.out.strip()


def test_redis_keeps_what_is_written_through_kills_stops_and_starts(here: Yard) -> None:
    here.project.done("up", "redis", "--on", "docker")
    assert redis(here, "SET", "word", "hunter") == "OK"
    process = here.inspect("redis")["State"]["Pid"]
    if psutil.pid_exists(process) and os.geteuid() == 0:
        os.kill(process, signal.SIGKILL)
        until(lambda: here.inspect("redis")["State"]["Pid"] not in (0, process))
        until(lambda: here.project.row("redis")["status"] == "running")
    assert here.project.json("up")["actions"] == []
    assert redis(here, "GET", "word") == "hunter"
    here.project.done("down")
    assert here.project.row("redis")["status"] == "stopped"
    assert here.inspect("redis")["State"]["Status"] == "exited"
    here.project.done("up")
    assert redis(here, "GET", "word") == "hunter"
    row = here.project.row("redis")
    assert (row["server"], row["backend"], row["memory_bytes"] > 0) == ("docker", "docker", True)


def test_postgres_makes_its_cluster_once_and_keeps_it(here: Yard) -> None:
    here.project.done("up", "postgres", "--on", "docker")
    sql(here, "CREATE TABLE words (word text); INSERT INTO words VALUES ('hunter')")
    assert here.project.json("up")["actions"] == []
    here.project.done("restart", "postgres")
    assert sql(here, "SELECT word FROM words") == "hunter"
    inside = here.project.done("exec", "postgres", "--", "psql", "-XAtqc", "SELECT word FROM words")
    assert inside.strip() == "hunter"
    here.engine.api.remove_container(here.container("postgres"), force=True)
    assert [action["kind"] for action in here.project.json("up")["actions"]] == ["create"]
    assert sql(here, "SELECT word FROM words") == "hunter"


def test_a_password_is_rotated_inside_the_running_container(here: Yard) -> None:
    here.project.done("up", "redis", "--on", "docker")
    redis(here, "SET", "word", "hunter")
    old = here.project.password("redis")
    here.project.done("secrets", "rotate", "redis.password")
    assert here.project.password("redis") != old
    assert redis(here, "GET", "word") == "hunter"


def test_no_secret_is_where_others_look(here: Yard) -> None:
    here.project.done("up", "redis", "postgres", "--on", "docker")
    here.project.done("secrets", "rotate", "redis.password")
    for service in ("redis", "postgres"):
        password = here.project.password(service)
        assert password not in str(here.ours())
        assert not any(password in " ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]))
        assert password not in here.project.done("logs", service)
        assert password not in str(here.engine.api.diff(here.container(service)))


def test_what_is_there_is_shown_and_explained(here: Yard) -> None:
    here.project.done("up", "redis", "--on", "docker")
    assert "runs as it should" in here.project.done("why", "redis")
    assert "Ready to accept connections" in here.project.done("logs", "redis")
    here.engine.api.stop(here.container("redis"))
    assert here.project.row("redis")["status"] == "stopped"
    here.project.done("up")
    here.engine.api.pause(here.container("redis"))
    assert here.project.row("redis")["status"] == "unhealthy"
    assert "paused" in here.project.row("redis").get("note", "") + here.project.done("status")
    here.project.done("up")
    assert here.project.row("redis")["status"] == "running"


def test_an_update_keeps_the_data_and_one_that_fails_goes_back(here: Yard) -> None:
    folder = here.project.folder / "services"
    folder.mkdir()
    (folder / "page.yaml").write_text(PAGE)

    def lines() -> list[str]:
        with urllib.request.urlopen(here.project.row("page")["url"], timeout=5) as answer:
            return str(answer.read().decode()).split()

    here.project.done("up", "page", "--on", "docker", "--set", "text=one")
    here.project.done("up", "page", "--set", "text=two")
    assert lines() == ["one", "two"]
    failed = here.project.mlox("up", "page", "--set", "text=broken")
    assert failed.code == 1
    assert "page runs again as before (text: two), with its data as it was" in failed.err
    assert "terminated" in failed.err or "exit status 3" in failed.err
    assert lines() == ["one", "two", "two"]
    names = [each["Names"][0] for each in here.engine.api.containers(all=True)]
    ours = [name for name in names if here.project.id in name and not name.endswith(".history")]
    assert ours == [f"/{here.container('page')}"]
    missing = here.project.mlox("up", "page", "--set", "image=no-such-image-of-mlox:1")
    assert missing.code == 1
    assert "the image no-such-image-of-mlox:1 is not to be had" in missing.err
    assert lines() == ["one", "two", "two"]


def test_a_purge_leaves_nothing(here: Yard) -> None:
    def volumes() -> set[str]:
        """All but those of others' stacks: containers without a name for theirs get some by number."""
        names = {str(each["Name"]) for each in here.engine.api.volumes()["Volumes"] or []}
        return {name for name in names if not name.startswith("mlox-") or name.startswith(f"mlox-{stack}")}

    stack = here.project.id
    before = volumes()
    here.project.done("up", "redis", "postgres", "--on", "docker")
    here.project.done("down", "redis", "--purge", "-y")
    assert here.project.row("postgres")["status"] == "running"
    here.project.done("down", "--purge", "-y")
    assert here.ours() == []
    assert volumes() - before == set()
