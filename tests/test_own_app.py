"""Catalog files of somebody's own app: what a Dockerfile says, what is written, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.backends.docker.inputs import digest
from mlox.catalog import Catalog
from mlox.catalog.own_app import own_app, read_dockerfile
from mlox.specs import CatalogService
from tests.shell_stage import Say, files

DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM python:3.12 AS build
EXPOSE 1
HEALTHCHECK CMD true
FROM python:3.12-slim
ARG PORT
# EXPOSE 2
EXPOSE 8000 \\
       9090/tcp $PORT 53/udp
VOLUME ["/srv/data/", "/srv/cache"]
CMD ["python", "app.py"]
"""


def made(isolated: Path, name: str) -> CatalogService:
    return Catalog([isolated / "services"]).get(name).service


def test_of_several_stages_the_last_counts() -> None:
    recipe = read_dockerfile(DOCKERFILE)
    assert recipe.ports == ((8000, "tcp"), (9090, "tcp"), (53, "udp"))
    assert recipe.volumes == ("/srv/data", "/srv/cache")
    assert not recipe.checked


@pytest.mark.parametrize(
    ("line", "ports", "checked"),
    [
        ("", (), False),
        ("expose 80", ((80, "tcp"),), False),
        ("EXPOSE 80 80/tcp", ((80, "tcp"),), False),
        ("EXPOSE 80-90", (), False),
        ("HEALTHCHECK NONE", (), False),
        ("HEALTHCHECK --interval=5s CMD curl -f localhost", (), True),
        ('VOLUME ["/a', (), False),
    ],
)
def test_single_instructions(line: str, ports: tuple[tuple[int, str], ...], checked: bool) -> None:
    recipe = read_dockerfile(f"FROM a\n{line}\n")
    assert (recipe.ports, recipe.checked, recipe.volumes) == (ports, checked, ())


def test_the_file_is_a_service_of_the_workspace(say: Say, isolated: Path) -> None:
    (isolated / "web").mkdir()
    (isolated / "web" / "Dockerfile.prod").write_text(DOCKERFILE)
    words = ("catalog", "new", "shop", "--from", "web/Dockerfile.prod", "--need", "redis", "--need", "postgresql")
    said = say(*words)
    assert said.code == 0, said
    assert "start it: mlox up shop --on docker" in said.out
    service = made(isolated, "shop")
    unit = service.units["app"]
    assert service.backends == ("docker",)
    assert unit.build is not None
    assert (unit.build.context, unit.build.dockerfile, unit.stateful) == ("web", "Dockerfile.prod", True)
    assert {key: (port.port, port.protocol) for key, port in service.ports.items()} == {
        "http": (8000, "tcp"),
        "port_2": (9090, "tcp"),
        "port_3": (53, "udp"),
    }
    assert {key: each.path for key, each in service.data.items()} == {"data": "/srv/data", "data_2": "/srv/cache"}
    assert service.needs["redis"].environment == {"REDIS_URL": "${need.redis.url}"}
    assert service.needs["postgresql"].environment == {"DATABASE_URL": "${need.postgresql.url}"}
    assert service.client.environment == {"SHOP_URL": "${url.http}"}


def test_a_folder_stands_for_its_dockerfile_and_nothing_more_is_needed(say: Say, isolated: Path) -> None:
    (isolated / "Dockerfile").write_text("FROM scratch\n")
    assert say("catalog", "new", "shop", "--from", ".").code == 0
    service = made(isolated, "shop")
    assert service.units["app"].build is not None
    assert service.units["app"].build.context == "."
    assert service.units["app"].probe is not None
    assert service.units["app"].probe.container


def test_what_is_refused_writes_nothing(say: Say, isolated: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (isolated / "Dockerfile").write_text("FROM scratch\n")
    (isolated / "compose.yaml").write_text("services: {}\n")
    outside = tmp_path_factory.mktemp("outside") / "Dockerfile"
    outside.write_text("FROM scratch\n")
    before = files(isolated)
    for words, told in {
        ("--from", "web/Dockerfile"): "is no file",
        ("--from", "compose.yaml"): "A Compose file comes by: mlox import compose.yaml.",
        ("--from", str(outside)): "is outside of the workspace",
        ("--from", "Dockerfile", "--need", "Postgres SQL"): "is no capability",
        ("--from", "redis", "--need", "redis"): "--need is for a Dockerfile",
        ("--from", "rediss"): "unknown service 'rediss'",
    }.items():
        said = say("catalog", "new", "shop", *words)
        assert said.code == 2, said
        assert told in said.err
    assert files(isolated) == before


def test_any_name_of_a_folder_is_kept_as_it_is() -> None:
    assert 'context: "a $$b: {c}"' in own_app("shop", "a $b: {c}/Dockerfile", "FROM a\n")


def test_a_digest_is_of_what_the_engine_would_get(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "app.py").write_text("1")
    (tmp_path / "link").symlink_to("app.py")
    (tmp_path / ".dockerignore").write_text("*.md\n!keep.md\n")
    first = digest(str(tmp_path), "")
    (tmp_path / "notes.md").write_text("1")
    (tmp_path / "app.py").write_text("1")
    (tmp_path / ".mlox").mkdir()
    for name in ("mlox.yaml", "mlox.lock.yaml", ".mlox/recipients"):
        (tmp_path / name).write_text("written by up")
    assert digest(str(tmp_path), "") == first
    seen = {first}
    (tmp_path / "keep.md").write_text("1")
    seen.add(digest(str(tmp_path), ""))
    (tmp_path / "app.py").write_text("2")
    seen.add(digest(str(tmp_path), ""))
    (tmp_path / "app.py").chmod(0o755)
    seen.add(digest(str(tmp_path), ""))
    (tmp_path / "link").unlink()
    seen.add(digest(str(tmp_path), ""))
    (tmp_path / ".dockerignore").unlink()
    seen.add(digest(str(tmp_path), ""))
    assert len(seen) == 6
