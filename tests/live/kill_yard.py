"""The same stack in containers: a page that needs redis by its name in the stack's network."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from docker.errors import NotFound

from mlox.backends.docker import naming
from tests.live.docker_stage import Engine, of
from tests.live.kill_stage import PORTS, Killed

SITE = """\
name: site
version: "1"
summary: a page that keeps what it is told
secrets: {token: {generate: 24}, key: {generate: 24}}
options:
  text: {default: ours, help: what it says}
ports: {http: {port: %(port)d, scheme: http}}
data: {data: {path: /data}}
needs: {cache: {capability: redis}}
jobs:
  init: {unit: server, argv: [sh, -c, "printf 'made ' >> /data/made"]}
  look: {unit: server, when: start, argv: [cat, /data/made]}
units:
  server:
    stateful: true
    restart: "no"
    image: busybox:1
    init: true
    command: [sh, "${dir.config}/site.sh", "${option.text}"]
    environment: {TOKEN: "${secret.token}", CACHE: "${need.cache.url}"}
    files:
      site.sh:
        content: |
          set -e
          [ -n "$TOKEN" ] && [ -s "${secretfile.key}" ]
          place=$(echo "$CACHE" | sed 's|.*@||; s|/.*||')
          echo QUIT | nc -w 5 $(echo "$place" | tr : ' ')
          printf '%%s ' "$1" >> /data/words
          [ "$1" != broken ]
          mkdir -p /tmp/www
          printf %%s "$1" > /tmp/www/index.html
          exec httpd -f -p ${bind}:${port.http} -h /tmp/www
    probe: {http: {port: http}, start_timeout_s: 20}
    stop_grace_period_s: 2
"""


@dataclass
class Contained(Killed):
    """A project whose services are on an engine, and whose commands are killed."""

    engine: Engine
    on: ClassVar[Sequence[str]] = ("--on", "docker")
    site: ClassVar[str] = SITE % {"port": PORTS["site"]}

    def mine(self, kind: str) -> list[str]:
        """What the engine has of one kind with the stack's label."""
        collection = getattr(self.engine.client, kind)
        every = {"all": True, "ignore_removed": True} if kind == "containers" else {}
        found = collection.list(filters=of(self.shop.id), **every)
        return sorted(each.name.removeprefix(f"{naming.network(self.shop.id)}") for each in found)

    def alive(self) -> Sequence[object]:
        return self.engine.client.containers.list(filters=of(self.shop.id), ignore_removed=True)

    @property
    def inside(self) -> str:
        return "/data"

    def texts(self) -> dict[str, str]:
        try:
            container = self.engine.client.containers.get(naming.container(self.shop.id, "site", "server"))
        except NotFound:
            return {}
        parts, _ = container.get_archive("/data")
        with tarfile.open(fileobj=io.BytesIO(b"".join(parts))) as archive:
            files = {each.name.rpartition("/")[2]: archive.extractfile(each) for each in archive}
            return {name: file.read().decode() for name, file in files.items() if file is not None}

    def check_running(self) -> None:
        assert len(self.alive()) == len(PORTS)
        containers = self.mine("containers")
        assert containers == ["-redis-server", "-site-server", ".history"], containers
        assert self.mine("networks") == [""]

    def check_leftovers(self) -> None:
        super().check_leftovers()
        volumes = {name for name in self.mine("volumes") if not name.endswith(".failed")}
        assert volumes == {"-redis-data", "-redis-server.files", "-site-data", "-site-server.files"}

    def check_gone(self) -> None:
        super().check_gone()
        assert [self.mine(kind) for kind in ("containers", "networks", "volumes")] == [[], [], []]
