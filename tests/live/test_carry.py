"""Real services between two data homes of one machine: whole, with the same content, or back where they were."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from mlox.apply import Seams, apply
from mlox.apply.moving import carry
from mlox.archives import Content
from mlox.catalog import Catalog
from mlox.errors import MloxError, ServiceError
from mlox.moves import Move
from mlox.plan import make_plan
from mlox.protocols import Event, Question, silent
from mlox.resolve import World, candidate_ports, programs, resolve
from mlox.specs import StackSpec
from mlox.testing import FakeSecretStore
from mlox.units import Unit
from tests.apply_stage import Pins
from tests.live.native_stage import STACK, Stage, as_root, free_port, stage
from tests.live.test_postgres import INSTALLED

WORDS = 3000


@dataclass
class Between:
    """Two servers, each a native one with a data home of its own, and one service."""

    here: Stage
    there: Stage
    kind: str

    def __post_init__(self) -> None:
        self.store = FakeSecretStore()
        self.ports = {name: free_port() for name in Catalog().get(self.kind).service.ports}
        self.events: list[Event] = []
        self.backends = {"local": self.here.backend, "box": self.there.backend}

    @property
    def seams(self) -> Seams:
        return Seams(self.backends, self.store, Pins())

    def units(self, server: str) -> tuple[Unit, ...]:
        spec = StackSpec.model_validate(
            {
                "name": "churn",
                "id": STACK,
                "servers": {"box": {"local": True}},
                "services": {"db": {"service": self.kind, "server": server, "ports": self.ports}},
            }
        )
        entry = Catalog().get(self.kind).service
        question = Question(candidate_ports(entry, {}), programs(entry))
        world = World(
            services={"db": entry},
            sources={},
            facts={name: backend.facts(question) for name, backend in self.backends.items()},
            observed={o.key: o for backend in self.backends.values() for o in backend.observe(STACK)},
            versions={secret.name: secret.version for secret in self.store.describe()},
            backends=dict.fromkeys(self.backends, "native"),
        )
        return resolve(spec, ["db"], world)

    def up(self) -> Unit:
        plan = make_plan(STACK, self.units("local"), self.here.backend.observe(STACK), listed=["db"])
        applied = apply(plan, replace(self.seams, backends={"local": self.here.backend}), emit=silent, cancel=NEVER)
        assert applied.failed == {}
        return self.unit("local")

    def unit(self, server: str) -> Unit:
        return next(o.unit for o in self.backends[server].observe(STACK))

    def password(self) -> str:
        return self.store.get("db.password").reveal()

    def carry(self, source: str = "local", target: str = "box") -> Content:
        fresh = {unit.name: unit.verify for unit in self.units(source)}
        before = tuple(replace(o.unit, verify=fresh[o.name]) for o in self.backends[source].observe(STACK))
        move = Move("db", source, target, before, self.units(target), size_bytes=1 << 20, folders=("data",))
        return carry(move, self.seams, emit=self.events.append, commit=lambda: None)

    def leave(self) -> None:
        for backend in self.backends.values():
            backend.stop(STACK, "db", "server", purge=True, emit=silent)
            backend.forget(STACK)


NEVER = threading.Event()


@pytest.fixture
def between(request: pytest.FixtureRequest) -> Iterator[Between]:
    with stage() as here, stage() as there:
        made = Between(here, there, request.param)
        yield made
        made.leave()


def redis_cli(between: Between, server: str, *words: str) -> str:
    unit = between.unit(server)
    argv = ("redis-cli", "-p", str(unit.ports[0].number), *words)
    environment = {**os.environ, "REDISCLI_AUTH": between.password()}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("between", ["redis"], indirect=True)
def test_a_redis_holds_the_same_there(between: Between) -> None:
    before = between.up()
    redis_cli(between, "local", "EVAL", f"for i = 1, {WORDS} do redis.call('SET', 'w' .. i, i) end", "0")
    redis_cli(between, "local", "HSET", "h", "one", "1", "two", "2")
    redis_cli(between, "local", "SETEX", "gone", "1", "soon")
    found = between.carry()
    assert found.entries > 1
    assert between.unit("box").ports == before.ports
    assert redis_cli(between, "box", "DBSIZE") in (str(WORDS + 1), str(WORDS + 2))
    assert redis_cli(between, "box", "GET", f"w{WORDS}") == str(WORDS)
    assert between.here.seen(before).state == "stopped"
    assert [p.role for p in between.here.backend.passages(STACK)] == ["leaving"]
    assert [p.role for p in between.there.backend.passages(STACK)] == ["arrived"]
    between.here.backend.stop(STACK, "db", "server", purge=True, emit=silent)
    assert between.here.backend.passages(STACK) == ()
    assert redis_cli(between, "box", "GET", "w1") == "1"


@pytest.mark.parametrize("between", ["redis"], indirect=True)
def test_a_redis_that_was_changed_on_the_way_is_noticed(between: Between) -> None:
    between.up()
    redis_cli(between, "local", "MSET", "one", "1", "two", "2")
    backend = between.there.backend
    take_in = backend.data_in

    def spoiling(units: object, chunks: object, *, done: object) -> None:
        take_in(units, chunks, done=done)  # type: ignore[arg-type]
        for path in Path(between.there.home).rglob("*.incr.aof"):
            path.write_bytes(path.read_bytes().replace(b"one", b"ONE"))

    backend.data_in = spoiling  # type: ignore[method-assign]
    with pytest.raises(ServiceError, match="the data of db is not the same on box"):
        between.carry()
    assert between.here.seen(between.unit("local")).state == "stopped"
    backend.stop(STACK, "db", "server", purge=True, emit=silent)
    between.up()
    assert redis_cli(between, "local", "GET", "two") == "2"


@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install")
@pytest.mark.parametrize("between", ["postgres"], indirect=True)
def test_a_postgres_holds_the_same_there(between: Between) -> None:
    unit = between.up()

    def ask(server: str, text: str) -> list[tuple[object, ...]]:
        address = f"host=127.0.0.1 port={between.unit(server).ports[0].number} user=postgres dbname=postgres"
        with psycopg.connect(address, password=between.password(), autocommit=True) as db:
            answer = db.execute(text)
            return answer.fetchall() if answer.description else []

    ask("local", 'CREATE TABLE "odd name" (t int, "select" text)')
    ask("local", "INSERT INTO \"odd name\" SELECT i, repeat('x', i % 500) FROM generate_series(1, 3000) i")
    held = ask("local", 'SELECT count(*), sum(t), sum(length("select")) FROM "odd name"')
    ask("local", 'CREATE DATABASE "a \'b"')
    ask("local", "CREATE ROLE anna")
    ask("local", "CREATE SEQUENCE count")
    owner = Path(dict(unit.directories)["data"], "cluster", "PG_VERSION").stat().st_uid
    between.carry()
    assert ask("box", 'SELECT count(*), sum(t), sum(length("select")) FROM "odd name"') == held
    assert ask("box", "SELECT rolname FROM pg_roles WHERE rolname = 'anna'") == [("anna",)]
    assert Path(dict(between.unit("box").directories)["data"], "cluster", "PG_VERSION").stat().st_uid == owner
    between.here.backend.stop(STACK, "db", "server", purge=True, emit=silent)
    between.carry("box", "local")
    assert ask("local", 'SELECT count(*) FROM "odd name"') == [(3000,)]


@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install")
@pytest.mark.parametrize("between", ["postgres"], indirect=True)
def test_what_a_postgres_tells_differs_with_what_it_holds(between: Between) -> None:
    """A change between what is asked before and what there is afterwards stops the move."""
    between.up()
    backend = between.there.backend
    execute = backend.exec

    def meanwhile(unit: Unit, argv: object, **options: object) -> int:
        address = f"host=127.0.0.1 port={unit.ports[0].number} user=postgres dbname=postgres"
        with psycopg.connect(address, password=between.password(), autocommit=True) as db:
            db.execute("CREATE TABLE late (t int)")
        return execute(unit, argv, **options)  # type: ignore[arg-type]

    backend.exec = meanwhile  # type: ignore[method-assign]
    with pytest.raises(MloxError, match="db does not hold the same on box: .* became 'public.late"):
        between.carry()


def files(top: Path) -> dict[str, tuple[int, int, int]]:
    return {
        str(path.relative_to(top)): (path.lstat().st_mode, path.lstat().st_mtime_ns, path.lstat().st_uid)
        for path in sorted(top.rglob("*"))
    }


@as_root
def test_files_come_as_they_were_and_belong_to_the_account() -> None:
    with stage() as here, stage() as there:
        unit = here.server()
        here.up(unit)
        top = Path(dict(unit.directories)["data"])
        (top / "deep" / "er").mkdir(parents=True)
        (top / "deep" / "er" / "file").write_bytes(os.urandom(3 << 20))
        (top / "deep" / "er" / "file").chmod(0o640)
        (top / "deep" / "again").hardlink_to(top / "deep" / "er" / "file")
        (top / "link").symlink_to("deep/er/file")
        (top / "outside").symlink_to("/etc/shadow")
        with (top / "holes").open("wb") as file:
            file.truncate(64 << 20)
            file.seek(32 << 20)
            file.write(b"in the middle")
        here.stop(unit)
        owner = top.stat().st_uid
        other = replace(unit, directories=(("data", f"{there.data('web')}/data"),))
        there.known.append(other)
        there.backend.data_in((other,), here.backend.data_out((unit,)), done=())
        copy = Path(dict(other.directories)["data"])
        assert {name: seen[:2] for name, seen in files(copy).items()} == {
            name: seen[:2] for name, seen in files(top).items()
        }
        assert {seen[2] for seen in files(copy).values()} == {owner}
        assert (copy / "deep" / "again").stat().st_ino == (copy / "deep" / "er" / "file").stat().st_ino
        assert (copy / "outside").readlink() == Path("/etc/shadow")
        assert (copy / "holes").stat().st_blocks * 512 < 4 << 20
        assert (copy / "holes").read_bytes() == (top / "holes").read_bytes()
