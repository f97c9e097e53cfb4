"""Every address that mlox emits, read by the client that it is for: 3,000 random credentials each, always the same."""

from __future__ import annotations

import configparser
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy
from mlflow.utils.uri import extract_db_type_from_uri
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import PGconn

from mlox.catalog import Catalog
from mlox.errors import SpecError
from mlox.protocols import Endpoint
from mlox.resolve import ClientTexts, client_texts, resolve
from mlox.resolve.addresses import offer_url
from mlox.resolve.granting import account_name
from mlox.secret import Secret
from mlox.units import Unit, launch
from mlox.variables import finish, literal
from tests.test_plans import CATALOG, setting

ROUNDS = 3000
RESERVED = "%:/?#[]@!$&'()*+,;= \"<>\\^`{|}~.-_$${secret.password}\t\n\r"
HERE = Endpoint("127.0.0.1", 5432)


def text(randomness: random.Random) -> str:
    """Up to 40 characters of all of Unicode, every other one reserved somewhere; no NUL, which no C client takes."""
    characters = []
    for _ in range(randomness.randint(1, 40)):
        code = randomness.choice((randomness.randrange(1, 0x80), randomness.randrange(1, 0x110000)))
        character = chr(code) if not 0xD800 <= code < 0xE000 else "%"
        characters.append(randomness.choice((character, randomness.choice(RESERVED))))
    return "".join(characters)


def credentials() -> Iterator[tuple[str, str, str]]:
    """Users, passwords and names of databases."""
    randomness = random.Random(20261121)  # noqa: S311 - no secret is made of it
    for _ in range(ROUNDS):
        yield text(randomness), text(randomness), text(randomness)


def test_libpq_reads_what_an_offer_of_any_user_and_database_emits() -> None:
    offer = CATALOG.get("elephant").service.provides["postgresql"]
    assert offer.url is not None
    for user, password, database in credentials():
        known = {"user": user, "database": database}
        url = finish(
            offer_url(offer.url, HERE, lambda variable, known=known: literal(known[variable.name])),  # type: ignore[misc]
            {"password": Secret(password)},
        )
        assert conninfo_to_dict(url) == {
            "user": user,
            "password": password,
            "host": "127.0.0.1",
            "port": "5432",
            "dbname": database,
        }


def client_url(service: str, port: str, argument: str, password: str, here: Endpoint) -> str:
    entry = Catalog().get(service).service
    options = {key: option.default for key, option in entry.options.items()}
    units = (Unit("s-0001", service, "server", service, "1", "local", "native", ()),)
    texts = client_texts(entry, (replace(units[0], directories=(("config", "/c"),)),), options, {port: here})  # type: ignore[arg-type]
    return finish(texts.arguments[argument], {"password": Secret(password)})


def test_psycopg_reads_the_address_of_its_client() -> None:
    for _, password, _ in credentials():
        known = conninfo_to_dict(client_url("postgres", "postgres", "conninfo", password, HERE))
        assert (known["user"], known["password"], known["dbname"]) == ("postgres", password, "postgres")


def test_redis_reads_the_address_of_its_client() -> None:
    for _, password, _ in credentials():
        url = client_url("redis", "redis", "url", password, Endpoint("127.0.0.1", 6379))
        known = redis.ConnectionPool.from_url(url).connection_kwargs
        assert (known["password"], known["host"], known["port"], known["db"]) == (password, "127.0.0.1", 6379, 0)


@pytest.fixture(scope="module")
def mlflow() -> Unit:
    """MLflow's unit on postgres, as ``resolve`` makes it."""
    needs = {"database": "db", "artifacts": "embedded"}
    services: dict[str, Any] = {"my-flow": {"service": "mlflow", "needs": needs}, "db": {"service": "postgres"}}
    now = setting({"stack": {"services": services}})
    return next(unit for unit in resolve(now.spec, ("my-flow",), now.world) if unit.service == "my-flow")


def test_sqlalchemy_and_mlflow_read_the_address_that_a_consumer_gets(mlflow: Unit) -> None:
    name = account_name("my-flow", "database")
    for _, password, _ in credentials():
        secrets = {ref.key: Secret(password) for ref in mlflow.secrets}
        url = launch(mlflow, secrets).environment["MLFLOW_BACKEND_STORE_URI"]
        assert extract_db_type_from_uri(url) == "postgresql"
        known = sqlalchemy.make_url(url)
        assert (known.username, known.password, known.database) == (name, password, name)
        assert (known.host, known.port) == ("127.0.0.1", 5432)
        assert conninfo_to_dict(url)["password"] == password


def test_the_address_in_an_ini_file_is_read_there(mlflow: Unit) -> None:
    for _, password, _ in credentials():
        made = launch(mlflow, {ref.key: Secret(password) for ref in mlflow.secrets})
        parser = configparser.ConfigParser()
        parser.read_string(next(file.content for file in made.files if file.path.endswith("auth.ini")))
        known = sqlalchemy.make_url(parser["mlflow"]["database_uri"])
        assert (known.username, known.password) == (account_name("my-flow", "database"), None)
        assert made.environment["PGPASSWORD"] == password


def test_a_granted_address_survives_any_password_in_the_driver(mlflow: Unit) -> None:
    engine_of = sqlalchemy.create_engine
    for _, password, _ in list(credentials())[:300]:
        url = launch(mlflow, {ref.key: Secret(password) for ref in mlflow.secrets}).environment[
            "MLFLOW_BACKEND_STORE_URI"
        ]
        engine = engine_of(url)
        _, arguments = engine.dialect.create_connect_args(engine.url)
        assert arguments["password"] == password


def test_libpq_reads_the_passfile_of_its_client(tmp_path: Path) -> None:
    """Nothing listens there: libpq looks the password up before it connects."""
    path = tmp_path / "pgpass"
    content = client_of_postgres(path).files[str(path)]
    refused = 0
    for _, password, _ in credentials():
        try:
            text = finish(content, {"password": Secret(password)})
        except SpecError:
            assert set(password) & set("\r\n")
            refused += 1
            continue
        path.write_bytes(text.encode())
        path.chmod(0o600)
        login = f"host=127.0.0.1 port=1 user=postgres dbname=postgres passfile='{path}'"
        assert PGconn.connect_start(login.encode()).password == password.encode()
    assert 0 < refused < ROUNDS / 2


def client_of_postgres(path: Path) -> ClientTexts:
    """Its texts for a server of which everything is known but the password."""
    entry = Catalog().get("postgres").service
    options = {key: option.default for key, option in entry.options.items()}
    unit = Unit("s-0001", "postgres", "server", "postgres", "1", "local", "native", ())
    here = {"postgres": Endpoint("127.0.0.1", 1)}
    made = client_texts(entry, (unit,), options, here, str(path.parent))  # type: ignore[arg-type]
    assert made.environment["PGPASSFILE"] == str(path)
    return made
