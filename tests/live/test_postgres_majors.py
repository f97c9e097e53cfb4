"""PostgreSQL's majors as containers: one after the other with the data of clients, and one beside the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.catalog.case import Case
from tests.live.docker_stage import Engine
from tests.live.support import project
from tests.live.test_upgrades import printed

pytestmark = [
    *(pytest.mark.live, pytest.mark.slow, pytest.mark.exhaustive),
    *(pytest.mark.timeout(3600), pytest.mark.xdist_group("engine")),
]

DATABASES = Case(
    write="""
import mlox, psycopg
service = mlox.get("postgres")
with service.client() as db:
    db.autocommit = True
    db.execute("CREATE ROLE readers NOLOGIN")
    db.execute("CREATE ROLE analyst LOGIN PASSWORD 'a:b''c ü' IN ROLE readers")
    db.execute("CREATE DATABASE sales OWNER analyst")
    db.execute("CREATE TABLE words (id serial PRIMARY KEY, word text, at timestamptz)")
    db.execute("INSERT INTO words (word, at) SELECT md5(i::text), to_timestamp(i) FROM generate_series(1, 500000) i")
    db.execute("GRANT SELECT ON words TO readers")
    address = db.info
    sales = dict(host=address.host, port=address.port, dbname="sales", user="analyst", password="a:b'c ü")
    with psycopg.connect(**sales) as own:
        own.execute("CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12, 2), note jsonb)")
        rows = "SELECT i, i / 7.0, jsonb_build_object('of', 'ü' || i) FROM generate_series(1, 200000) i"
        own.execute(f"INSERT INTO orders {rows}")
""",
    read="""
import mlox, psycopg
with mlox.get("postgres").client() as db:
    print(db.execute("SELECT count(*), md5(string_agg(word || at, ',' ORDER BY id)) FROM words").fetchone())
    print(db.execute("SELECT last_value FROM words_id_seq").fetchone())
    roles = "SELECT rolname, rolcanlogin, rolsuper FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"
    print(db.execute(roles).fetchall())
    address = db.info
    sales = dict(host=address.host, port=address.port, dbname="sales", user="analyst", password="a:b'c ü")
with psycopg.connect(**sales) as own:
    notes = "md5(string_agg(note::text, ',' ORDER BY id))"
    print(own.execute(f"SELECT count(*), sum(total), {notes} FROM orders").fetchone())
try:
    psycopg.connect(**{**sales, "password": "wrong"})
except psycopg.OperationalError as error:
    print("password authentication failed" in str(error))
""",
    images={"postgres": "postgres:15"},
)
MAJOR = """
import mlox
with mlox.get("postgres").client() as db:
    print(db.info.server_version // 10000)
"""
LATER = """
import mlox
with mlox.get("postgres").client() as db:
    db.execute("DELETE FROM words WHERE id > 10")
"""


def test_a_postgres_15_with_databases_and_roles_to_17_and_back(engine: Engine, data_home: Path, tmp_path: Path) -> None:
    # Both majors as images on Debian: bookworm has 15, trixie 17. Where Docker Hub can be reached, they are upstream's.
    engine.image("postgres:15")
    engine.image("postgres:17")
    with project(tmp_path / "shop", data_home, DOCKER_HOST=engine.host) as made:
        made.done("init", "demo")
        engine.owns(made.id)
        made.done("up", "postgres@15", "--on", "docker")
        printed(made, DATABASES.write)
        before, password = printed(made, DATABASES.read), made.password("postgres")
        assert (printed(made, MAJOR).strip(), "500000" in before) == ("15", True)
        done = made.json("upgrade", "postgres@17", "-y")
        assert done["version"] == {"from": "15", "to": "17"}
        assert printed(made, MAJOR).strip() == "17"
        assert printed(made, DATABASES.read) == before
        assert made.password("postgres") == password
        assert made.json("up")["actions"] == []
        printed(made, LATER)
        assert printed(made, DATABASES.read) != before
        made.done("rollback", "postgres", "-y")
        assert printed(made, MAJOR).strip() == "15"
        assert printed(made, DATABASES.read) == before
        assert made.json("up")["actions"] == []


def test_a_postgres_15_beside_a_17(engine: Engine, data_home: Path, tmp_path: Path) -> None:
    with project(tmp_path / "shop", data_home, DOCKER_HOST=engine.host) as made:
        made.done("init", "demo")
        engine.owns(made.id)
        for major in ("15", "17"):
            engine.image(f"postgres:{major}")
            made.done("up", f"postgres@{major}", "--as", f"pg{major}", "--on", "docker")
            made.done("exec", f"pg{major}", "--", "psql", "-c", f"create table words as select 'of {major}' as word")
        made.done("restart")
        for major in ("15", "17"):
            found = made.done("exec", f"pg{major}", "--", "psql", "-Atc", "select word, version() from words")
            assert found.startswith(f"of {major}|PostgreSQL {major}.")
        assert made.json("up")["actions"] == []
