"""A stack whose commands are killed at any call that they make, and a look at what is left afterwards."""

from __future__ import annotations

import json
import signal
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.live.support import Project, Said, until

PORTS = {"redis": 18379, "site": 18480}

ALIKE = 4
"""Calls of one name that only wait or look are alike: the first of them are killed at, and the last."""

WAITING = (
    *("NativeBackend.probe", "NativeBackend.observe", "NativeLease.renew"),
    *("DockerBackend.probe", "DockerBackend.observe", "EngineLease.renew", "engine.PUT.containers.archive"),
    *("supervisor", "http", "connect", "os.pwrite", "fcntl.flock"),
)

SITE = """\
name: site
version: "1"
summary: a page that keeps what it is told
secrets: {token: {generate: 24}, key: {generate: 24}}
options:
  text: {default: ours, help: what it says}
ports: {http: {port: %(port)d, scheme: http}}
data: {data: {}}
needs: {cache: {capability: redis}}
jobs:
  init: {unit: server, argv: [python3, -c, "import sys; open(sys.argv[1], 'a').write('made ')", "${dir.data}/made"]}
  look: {unit: server, when: start, argv: [python3, -c, "import sys; open(sys.argv[1])", "${dir.data}/made"]}
units:
  server:
    stateful: true
    restart: "no"
    native:
      binary: {name: python3, version_argv: [python3, --version], version_pattern: 'Python (.*)'}
      command: [python3, "${dir.config}/site.py", "${port.http}", "${option.text}", "${dir.data}", "${secretfile.key}"]
    environment: {TOKEN: "${secret.token}", CACHE: "${need.cache.url}"}
    files:
      site.py:
        content: |
          import http.server, pathlib, sys
          words = pathlib.Path(sys.argv[3]) / "words"
          words.write_text(f"{words.read_text() if words.exists() else ''}{sys.argv[2]} ")
          if sys.argv[2] == "broken":
              sys.exit("it does not work like that")
          class Page(http.server.BaseHTTPRequestHandler):
              def do_GET(self):
                  self.send_response(200)
                  self.end_headers()
                  self.wfile.write(sys.argv[2].encode())
              def log_message(self, *args):
                  pass
          http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
    probe: {http: {port: http}, start_timeout_s: 20}
    stop_grace_period_s: 2
"""

PROCESSES = ("redis-server", "site.py", "supervisor.supervisord")
SECRETS = {"redis.password", "site.key", "site.token"}
HALF = ("*.tmp", ".mlox-*", "*.new", "*.job", "*.back", "*.gone", ".identity.*", ".deleted*")


@dataclass
class Killed:
    """A project whose commands are killed.

    ``ends_services`` where what runs ends too: dockerd 20.10 then comes back with a docker-proxy that holds the port
    of a container which it has stopped. A rollback can fail for that, and says so; the next ``up`` has to converge.
    """

    shop: Project
    on: ClassVar[Sequence[str]] = ()
    ends_services: ClassVar[bool] = False
    site: ClassVar[str] = SITE % {"port": PORTS["site"]}

    def __post_init__(self) -> None:
        folder = self.shop.folder / "services"
        folder.mkdir()
        (folder / "site.yaml").write_text(self.site)
        self.log = self.shop.folder.with_name("points")

    def command(self, point: str, when: str, words: Sequence[str]) -> Said:
        """``mlox`` with these words, killed at a point."""
        argv = (sys.executable, "-m", "tests.live.killing", point, when, str(self.log), *words)
        process = self.shop.process(*argv)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        return Said(process.returncode, out, err)

    def points(self, words: Sequence[str]) -> list[str]:
        """Every point of a command, in order."""
        self.log.write_text("")
        said = self.command("-", "before", words)
        assert said.code >= 0, said
        return chosen(self.log.read_text().split())

    def kill(self, point: str, when: str, words: Sequence[str]) -> bool:
        """Whether the command came to the point and was killed there; else it was done without coming to it."""
        return self.command(point, when, words).code == -signal.SIGKILL

    def texts(self) -> dict[str, str]:
        """What the page has in its data: the texts that it was started with, and the jobs that were done."""
        data = self.shop.data / "services" / "site" / "data"
        return {path.name: path.read_text() for path in data.iterdir()} if data.exists() else {}

    def write(self, text: str) -> None:
        """Write into the data of the page, as something inside it does."""
        self.shop.done("exec", "site", "--", "sh", "-c", f"printf {text} >{self.inside}/written")

    @property
    def inside(self) -> str:
        """Where the page itself has its data."""
        return str(self.shop.data / "services" / "site" / "data")

    def converge(self, text: str) -> None:
        """``up`` by a fresh process comes to what is written: everything runs, once, and nothing is left over."""
        path = self.shop.folder / "mlox.yaml"
        there = path.exists() and "site:" in path.read_text()
        words = ("site", "--set", f"text={text}") if there else ("redis", "site", *self.on)
        said = self.shop.mlox("up", *words, "--json")
        assert said.code == 0, said
        again = self.shop.json("up")
        assert again["actions"] == []
        assert {row["name"]: row["status"] for row in again["services"]} == dict.fromkeys(PORTS, "running")
        with urllib.request.urlopen(again["services"][1]["url"], timeout=10) as answer:
            assert answer.read().decode() == text
        self.check_running()
        assert set(self.texts()["made"].split()) == {"made"}, "a job that was done, but not noted, is done again"
        assert {name.replace("+", "") for name in folder(self.shop.data / "secrets")} == SECRETS
        self.check_leftovers()

    def alive(self) -> Sequence[object]:
        """What runs of the stack."""
        return self.shop.processes()

    def check_running(self) -> None:
        """Everything runs once."""
        until(lambda: len(self.alive()) == len(PROCESSES), 10)
        assert [len(self.shop.runs(word)) for word in PROCESSES] == [1] * len(PROCESSES)

    def check_leftovers(self) -> None:
        """Nothing half written, nothing kept, no second stack."""
        shop = self.shop
        tops = (shop.folder, shop.home)
        assert [path for pattern in HALF for top in tops for path in top.rglob(pattern)] == []
        assert folder(shop.folder / ".mlox" / "local" / "journal") == []
        assert set(folder(shop.data / "kept")) <= {"site.failed"}, "that is kept for a person to look at"
        assert [name for name in folder(shop.home) if name.startswith("shop-")] == [shop.id]

    def purge(self) -> None:
        """``down --purge`` leaves nothing of it."""
        if (self.shop.folder / "mlox.yaml").exists():
            self.shop.done("down", "--purge", "-y")
            assert self.alive() == []
            self.check_gone()

    def check_gone(self) -> None:
        """There is no data any more."""
        assert not self.shop.data.exists(), list(self.shop.data.rglob("*"))


def folder(path: Path) -> list[str]:
    """The names in a folder, sorted; none where there is no such folder."""
    return sorted(each.name for each in path.iterdir()) if path.is_dir() else []


def chosen(points: Sequence[str]) -> list[str]:
    """All points, but of those that only wait or look the first few and the last."""
    last = {point.partition("#")[0]: point for point in points}
    return [
        point
        for point in points
        for label, _, number in [point.partition("#")]
        if not (label in WAITING or label.startswith("engine.GET")) or int(number) <= ALIKE or point == last[label]
    ]


def told(points: Sequence[str]) -> str:
    """How many points of which kind."""
    kinds = [point.partition("#")[0] for point in points]
    return json.dumps({kind: kinds.count(kind) for kind in dict.fromkeys(kinds)})
