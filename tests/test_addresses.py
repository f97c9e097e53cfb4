"""Addresses that mlox hands out are read by others as they were meant, whatever a password or a name holds."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.catalog import Catalog
from mlox.protocols import Endpoint
from mlox.resolve import client_texts, port_url
from mlox.resolve.addresses import offer_url
from mlox.secret import Secret
from mlox.specs import CatalogService, UrlSpec
from mlox.units import PortBinding, Unit
from mlox.variables import Variable, finish, literal

HERE = Endpoint("127.0.0.1", 6379)
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


def offer(**parts: str) -> UrlSpec:
    return UrlSpec(scheme="redis", port="redis", **parts)


@given(TEXT)
def test_any_password_survives_its_address(password: str) -> None:
    template = offer_url(offer(password="${secret.password}", path="/0"), HERE)
    url = urlsplit(finish(template, {"password": Secret(password)}))
    assert (url.scheme, url.hostname, url.port, url.path) == ("redis", "127.0.0.1", 6379, "/0")
    assert url.username == ""
    assert unquote(url.password or "") == password
    assert (url.query, url.fragment) == ("", "")


@given(TEXT, TEXT, TEXT)
def test_any_user_password_and_database_survive_their_address(user: str, password: str, database: str) -> None:
    values = {"user": user, "database": database}

    def value(variable: Variable) -> str:
        return literal(values[variable.name])

    spec = offer(user="${option.user}", password="${secret.password}", path="/${option.database}")
    url = urlsplit(finish(offer_url(spec, HERE, value), {"password": Secret(password)}))
    assert (url.hostname, url.port) == ("127.0.0.1", 6379)
    assert unquote(url.username or "") == user
    assert unquote(url.password or "") == password
    assert unquote(url.path) == f"/{database}"
    assert (url.query, url.fragment) == ("", "")


@given(TEXT)
def test_a_secret_user_survives_too(user: str) -> None:
    url = urlsplit(finish(offer_url(offer(user="${secret.user}"), HERE), {"user": Secret(user)}))
    assert unquote(url.username or "") == user
    assert url.hostname == "127.0.0.1"


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        ({}, "redis://127.0.0.1:6379"),
        ({"user": "admin"}, "redis://admin@127.0.0.1:6379"),
        ({"password": "${secret.p}"}, "redis://:${quoted.p}@127.0.0.1:6379"),
        ({"user": "admin", "password": "${secret.p}"}, "redis://admin:${quoted.p}@127.0.0.1:6379"),
        ({"path": "/0?ssl=false"}, "redis://127.0.0.1:6379/0?ssl=false"),
    ],
)
def test_parts_that_are_not_there_leave_no_trace(parts: dict[str, str], url: str) -> None:
    assert offer_url(offer(**parts), HERE) == url


def test_a_template_never_holds_a_secret_as_it_is() -> None:
    assert "${secret." not in offer_url(offer(user="${secret.u}", password="${secret.p}", path="/${secret.d}"), HERE)


def running(service: CatalogService) -> Unit:
    ports = tuple(PortBinding(name, spec.port) for name, spec in service.ports.items())
    directories = tuple((name, f"/data/{name}") for name in (*service.data, "config"))
    return Unit(
        "s-0001", "x", "server", service.name, "9.9", "local", "native", (), ports=ports, directories=directories
    )


def test_a_client_of_redis_gets_an_address_with_a_login() -> None:
    service = Catalog().get("redis").service
    texts = client_texts(service, (running(service),), {}, {"redis": Endpoint("127.0.0.1", 7000)})
    assert finish(texts.arguments["url"], {"password": Secret("a/b")}) == "redis://default:a%2Fb@127.0.0.1:7000/0"


def test_a_client_of_mlflow_gets_its_environment() -> None:
    service = Catalog().get("mlflow").service
    texts = client_texts(service, (running(service),), {}, {"http": Endpoint("127.0.0.1", 5001)})
    assert texts.environment["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5001"
    assert finish(texts.environment["MLFLOW_TRACKING_PASSWORD"], {"admin_password": Secret("x")}) == "x"
    direct = {"MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"}
    assert set(texts.preferences) == {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", *direct}


def test_every_variable_of_a_client_is_filled_in() -> None:
    plain = Catalog().get("redis").service.model_dump(exclude_unset=True)
    plain["client"] = {
        "environment": {
            "ALL": "${host.redis} ${port.redis} ${option.maxmemory_mb} ${version} ${dir.data} ${dir.config} $$HOME",
            "URL": "${url.redis}",
        }
    }
    plain["provides"]["redis"]["url"]["path"] = "/${option.maxmemory_mb}"
    service = CatalogService.model_validate(plain)
    unit = running(service)
    texts = client_texts(service, (unit,), {"maxmemory_mb": 5}, {"redis": HERE})
    assert finish(texts.environment["ALL"]) == "127.0.0.1 6379 5 9.9 /data/data /data/config $HOME"
    assert finish(texts.environment["URL"], {"password": Secret("x")}) == "redis://default:x@127.0.0.1:6379/5"


def test_a_port_without_an_offer_is_addressed_by_its_scheme_or_protocol() -> None:
    plain = Catalog().get("redis").service.model_dump(exclude_unset=True)
    plain["ports"] |= {"web": {"port": 1, "scheme": "https"}, "raw": {"port": 2, "protocol": "udp"}}
    service = CatalogService.model_validate(plain)
    assert port_url(service, "web", HERE) == "https://127.0.0.1:6379"
    assert port_url(service, "raw", HERE) == "udp://127.0.0.1:6379"
    assert port_url(service, "redis", HERE) == "redis://default:${quoted.password}@127.0.0.1:6379/0"
