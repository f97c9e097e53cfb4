"""Whether Feast uses what the stack has: latest values are in its Redis, definitions in its PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.catalog.cases.feast import CASE
from tests.live.catalog.clients import python_with
from tests.live.placing import SLICE, placed
from tests.live.support import Project

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.long(whole=True), pytest.mark.timeout(1800)]

KEYS = "import mlox; print(mlox.get('redis').client().dbsize())"
TABLES = """
import mlox, psycopg
told = mlox.get("postgres").client()
with psycopg.connect(told.info.dsn, password=told.info.password, dbname="feast_registry") as base:
    print(*(name for (name,) in base.execute("SELECT feature_view_name FROM feature_views")))
"""


@pytest.fixture(scope="module", params=SLICE)
def shop(
    request: pytest.FixtureRequest, data_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    with placed(str(request.param), tmp_path_factory.mktemp("shop"), data_home) as made:
        made.done("init", "demo")
        for name in ("redis", "postgres", "feast"):
            made.done("up", name)
        yield made


def said(shop: Project, script: str) -> str:
    done = shop.run(str(python_with(CASE.packages)), "-c", script)
    assert done.code == 0, done
    return done.out.strip()


def test_values_are_in_redis_and_definitions_in_postgres(shop: Project) -> None:
    assert "online: redis" in (shop.folder / "mlox.yaml").read_text()
    assert "registry: postgres" in (shop.folder / "mlox.yaml").read_text()
    assert said(shop, KEYS) == "0"
    said(shop, CASE.write)
    before = said(shop, CASE.read)
    assert said(shop, KEYS) == "2"
    assert said(shop, TABLES) == "users"
    assert shop.json("up")["actions"] == []

    for name, secret in (("redis", "password"), ("postgres", "password")):
        password = shop.password(name, secret).encode()
        written = [path for path in (shop.data / "clients").rglob("*") if path.is_file()]
        assert written
        assert not [path for path in written if name not in path.parts and password in path.read_bytes()]
    shop.done("down", "feast")
    shop.done("up")
    assert said(shop, CASE.read) == before


def test_a_rotated_password_reaches_it(shop: Project) -> None:
    before = said(shop, CASE.read)
    assert "feast" in shop.done("secrets", "rotate", "redis.password")
    assert said(shop, CASE.read) == before
