"""A real PostgreSQL, through its own client: what is written survives, nobody else gets in, a purge leaves nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from mlox.catalog import Catalog
from tests.live.support import MLOX, Project, project, until

SOFTWARE = next(unit.native for unit in Catalog().get("postgres").service.units.values())
FOLDERS = SOFTWARE.binary.folders if SOFTWARE and SOFTWARE.binary else []
INSTALLED = shutil.which("postgres") or [each for f in FOLDERS for each in Path("/").glob(f"{f}/postgres".lstrip("/"))]

pytestmark = pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install")

ODD = "a:b\\c'd\"e@f/g%h ü?#[]{}$x${port.y}"
CONSUMER = """\
name: notes
version: "1"
summary: a consumer of postgresql that tells its address
needs: {store: {capability: postgresql}}
ports: {http: {port: 18400, scheme: http}}
units:
  server:
    native:
      binary: {name: python3, version_argv: [python3, --version], version_pattern: 'Python (.*)'}
      command: [python3, -m, http.server, --bind, 127.0.0.1, "${port.http}", --directory, "${dir.config}"]
    files: {url.txt: {content: "${need.store.url}"}}
    probe: {http: {port: http}}
    stop_grace_period_s: 2
"""
WRITE = """
import mlox, sys
with mlox.get("postgres").client() as db:
    db.execute("CREATE TABLE IF NOT EXISTS runs (name text)")
    db.execute("INSERT INTO runs VALUES (%s)", (sys.argv[-1],))
with mlox.get("postgres").client() as db:
    print([name for name, in db.execute("SELECT name FROM runs ORDER BY name")])
"""


@pytest.fixture(scope="module")
def shop(data_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack with a postgres; the tests of this file use it one after the other."""
    with project(tmp_path_factory.mktemp("shop"), data_home) as made:
        made.done("init", "demo")
        made.done("up", "postgres")
        yield made


def conninfo(shop: Project, **changes: Any) -> dict[str, Any]:
    host, _, port = shop.row("postgres")["ports"]["postgres"].partition(":")
    known = {"host": host, "port": port, "user": "postgres", "dbname": "postgres", "connect_timeout": 10}
    return {**known, "password": shop.password("postgres"), **changes}


def rows(shop: Project, statement: str, **changes: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(**conninfo(shop, **changes)) as db:
        return db.execute(statement).fetchall()


def write(shop: Project, name: str) -> str:
    said = shop.run(sys.executable, "-c", WRITE, name)
    assert said.code == 0, said
    return said.out.strip()


def postmaster(shop: Project) -> psutil.Process:
    (found,) = (p for p in shop.runs("config_file=") if "postgres" in p.name())
    return found


def test_its_client_writes_and_reads(shop: Project) -> None:
    assert write(shop, "first") == "['first']"
    assert shop.json("up")["actions"] == []


def test_a_kill_heals_and_loses_nothing(shop: Project) -> None:
    write(shop, "before-the-kill")
    killed = postmaster(shop)
    killed.kill()
    until(lambda: [p for p in shop.runs("config_file=") if p.pid != killed.pid and "postgres" in p.name()])
    until(lambda: shop.row("postgres")["status"] == "running")
    assert ("before-the-kill",) in rows(shop, "SELECT name FROM runs")


def test_a_stop_and_a_start_keep_the_data_and_the_port(shop: Project) -> None:
    write(shop, "before-the-stop")
    url = shop.row("postgres")["url"]
    shop.done("down")
    assert not shop.runs("config_file=")
    shop.done("up")
    assert shop.row("postgres")["url"] == url
    assert ("before-the-stop",) in rows(shop, "SELECT name FROM runs")
    assert "database system was shut down" in shop.done("logs", "postgres")


def test_nobody_gets_in_without_the_password(shop: Project) -> None:
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**conninfo(shop, password=password))
    addresses = {each.laddr.ip for each in postmaster(shop).net_connections() if each.status == psutil.CONN_LISTEN}
    assert addresses == {"127.0.0.1"}
    kinds = rows(shop, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert kinds == [("scram-sha-256",)]
    assert rows(shop, "SHOW unix_socket_directories") == [("",)]
    assert rows(shop, "SHOW server_encoding") == [("UTF8",)]


def test_its_files_are_its_own_and_no_password_lies_around(shop: Project) -> None:
    password = shop.password("postgres").encode()
    folder = Path(shop.row("postgres")["data_path"])
    owner = postmaster(shop).uids().real
    assert owner != 0
    for path in (folder, *folder.rglob("*")):
        seen = path.lstat()
        assert (seen.st_uid, seen.st_mode & 0o077) == (owner, 0), path
    for pid in psutil.pids():
        line = Path(f"/proc/{pid}/cmdline")
        assert password not in (line.read_bytes() if line.exists() else b"")
    readable = [p for p in shop.home.rglob("*") if p.is_file() and stat.S_IMODE(p.lstat().st_mode) & 0o044]
    assert not [path for path in readable if password in path.read_bytes()]
    assert password.decode() not in shop.done("logs", "postgres") + shop.done("env", "postgres")


def test_the_environment_of_its_client_is_enough_for_libpq(shop: Project) -> None:
    said = shop.run(*MLOX, "run", "postgres", "--", "psql", "-XAtc", "SELECT current_user")
    assert (said.code, said.out.strip()) == (0, "postgres"), said


@pytest.fixture
def two_consumers(shop: Project) -> Iterator[tuple[str, str]]:
    """The addresses of two services that have a need for postgresql, as they were given to them."""
    folder = shop.folder / "services"
    folder.mkdir(exist_ok=True)
    (folder / "notes.yaml").write_text(CONSUMER)
    shop.done("up", "notes")
    shop.done("up", "notes", "--as", "more-notes")
    paths = [Path(shop.row(name)["data_path"]) / "config/url.txt" for name in ("notes", "more-notes")]
    yield paths[0].read_text(), paths[1].read_text()
    shop.done("down", "notes", "more-notes", "--purge", "-y")


def test_consumers_have_databases_of_their_own(shop: Project, two_consumers: tuple[str, str]) -> None:
    mine, theirs = two_consumers
    assert shop.json("up")["actions"] == []
    for url in two_consumers:
        with psycopg.connect(url) as db:
            db.execute("CREATE TABLE secret (text text)")
            db.execute("INSERT INTO secret VALUES (%s)", (url,))
    other = psycopg.conninfo.conninfo_to_dict(theirs)["dbname"]
    for database in (other, "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(mine, dbname=database)
    with psycopg.connect(mine) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("CREATE ROLE another")
    user = psycopg.conninfo.conninfo_to_dict(mine)["user"]
    assert user == "notes_store"
    assert rows(shop, "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'notes_store'") == [
        (False, False, False)
    ]
    password = psycopg.conninfo.conninfo_to_dict(mine)["password"]
    assert str(password) not in shop.done("logs", "postgres")


def test_a_purge_of_a_consumer_takes_its_database_and_no_other(shop: Project, two_consumers: tuple[str, str]) -> None:
    with psycopg.connect(two_consumers[0]):  # a client that is still there does not hold it up
        said = shop.mlox("down", "notes", "--purge")
        assert "notes_store in postgres of notes" in said.err
        shop.done("down", "notes", "--purge", "-y")
    names = {name for (name,) in rows(shop, "SELECT datname FROM pg_database")}
    assert "notes_store" not in names
    assert len(names) == 4
    assert "notes.store_password" not in [each["name"] for each in shop.json("secrets", "list")["secrets"]]
    psycopg.connect(two_consumers[1]).close()


def test_a_first_start_that_was_killed_goes_on(data_home: Path, tmp_path: Path) -> None:
    """Initdb is killed with mlox: the next up begins it anew."""
    with project(tmp_path / "killed", data_home) as made:
        made.done("init", "demo")
        process = made.process(*MLOX, "up", "postgres", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: list(made.home.glob(f"{made.id}/services/postgres/data/cluster.new/*")))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for each in made.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        made.done("up", "postgres")
        assert write(made, "after") == "['after']"


def test_another_stack_shares_nothing(shop: Project, data_home: Path, tmp_path: Path) -> None:
    with project(tmp_path / "other", data_home) as other:
        other.done("init", "demo")
        other.done("secrets", "set", "postgres.password", stdin=ODD)
        other.done("up", "postgres")
        assert other.row("postgres")["url"] != shop.row("postgres")["url"]
        assert rows(other, "SELECT count(*) FROM pg_tables WHERE tablename = 'runs'") == [(0,)]
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**conninfo(other, password=shop.password("postgres")))
        # A password that a person has chosen, with all that a URL, a passfile and a shell would have to quote.
        assert other.password("postgres") == ODD
        assert write(other, "odd") == "['odd']"
        said = other.run(*MLOX, "run", "postgres", "--", "psql", "-XAtc", "SELECT 1")
        assert said.out.strip() == "1", said
        folder = Path(other.row("postgres")["data_path"])
        other.done("down", "--purge", "-y")
        assert not folder.exists()
        assert other.processes() == []
    assert rows(shop, "SELECT 1") == [(1,)]


def test_libpq_finds_the_password_in_the_file_that_clients_get_also_after_a_rotation(shop: Project) -> None:
    code = "import os, psycopg; psycopg.connect().close(); print(os.environ['PGPASSFILE'])"
    path = Path(shop.done("run", "postgres", "--", sys.executable, "-c", code).strip())
    assert path.is_relative_to(shop.data / "clients")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shop.done("secrets", "rotate", "postgres.password")
    password = shop.password("postgres")
    assert path.read_text().endswith(f":*:postgres:{password}\n")
    host, _, port = shop.row("postgres")["ports"]["postgres"].partition(":")
    psycopg.connect(host=host, port=port, user="postgres", dbname="postgres", passfile=str(path)).close()
