"""A unit survives its annotation, also one that another mlox wrote, and its digests mean what they say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.errors import UnknownNameError
from mlox.plan import make_plan
from mlox.secret import Secret
from mlox.units import File, Job, Pending, PortBinding, Probe, SecretRef, Software, Unit, digest, launch

TEXT = st.text(max_size=12)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
PAIRS = st.dictionaries(TEXT, TEXT, max_size=3).map(lambda found: tuple(sorted(found.items())))
NUMBERS = st.floats(0, 1000, allow_nan=False)
UNITS = st.builds(
    Unit,
    **dict.fromkeys(("stack", "service", "name", "catalog", "version", "server", "backend"), TEXT),
    command=TEXTS,
    software=st.builds(Software, packages=TEXTS, pins=TEXTS, binary=TEXT),
    environment=PAIRS,
    files=st.lists(st.builds(File, path=TEXT, content=TEXT, mode=st.integers(0, 0o777)), max_size=2).map(tuple),
    ports=st.lists(st.builds(PortBinding, name=TEXT, number=st.integers(1, 65535)), max_size=2).map(tuple),
    directories=PAIRS,
    secrets=st.lists(st.builds(SecretRef, TEXT, TEXT, TEXT, st.integers(0, 256)), max_size=2).map(tuple),
    probe=st.none()
    | st.builds(
        Probe,
        kind=TEXT,
        argv=TEXTS,
        status=st.lists(st.integers(100, 599), max_size=2).map(tuple),
        timeout_s=NUMBERS,
    ),
    jobs=st.lists(st.builds(Job, name=TEXT, argv=TEXTS, timeout_s=NUMBERS), max_size=2).map(tuple),
    after=TEXTS,
    stateful=st.booleans(),
    stop_grace_s=NUMBERS,
    intent=PAIRS,
)
PLAIN = Unit("demo-0001", "db", "server", "redis", "7", "local", "native", ("redis-server",))


@given(UNITS)
def test_a_unit_comes_back_from_its_annotation(unit: Unit) -> None:
    read = Unit.from_json(json.loads(json.dumps(unit.to_json())))
    assert read == unit
    assert read.digest == unit.digest


@given(UNITS)
def test_an_annotation_of_a_newer_mlox_is_read(unit: Unit) -> None:
    value: dict[str, Any] = json.loads(json.dumps(unit.to_json()))
    value["invented"] = {"deep": [1]}
    value["software"]["invented"] = True
    for port in value["ports"]:
        port["invented"] = 1
    assert Unit.from_json(value) == unit


OPTIONAL = sorted(
    key
    for key in PLAIN.to_json()
    if key not in ("stack", "service", "name", "catalog", "version", "server", "backend", "command")
)


@pytest.mark.parametrize("key", OPTIONAL)
def test_an_annotation_of_an_older_mlox_lacks_a_key(key: str) -> None:
    value = PLAIN.to_json()
    del value[key]
    assert Unit.from_json(value) == PLAIN


@pytest.mark.parametrize("value", [{}, {"stack": "a"}, {**PLAIN.to_json(), "ports": [{"name": 1}]}])
def test_an_annotation_that_is_broken_is_an_error(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Unit.from_json(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


@given(JSON)
def test_a_digest_does_not_depend_on_the_order_of_keys(value: Any) -> None:
    assert digest(value) == digest(reordered(value))


@given(JSON, JSON)
def test_a_digest_tells_values_apart(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def test_a_digest_fits_into_a_label() -> None:
    assert len(digest("x")) == 12
    assert int(digest("x"), 16)


def planned(unit: Unit) -> str:
    return make_plan("demo-0001", [unit], [], listed=["db"]).digest


def test_the_digest_of_a_plan_is_of_what_people_decided() -> None:
    intent = (("options.a", "1"), ("secrets.password", "<generate db.password>"))
    secret = SecretRef("password", "db.password", generate=20)
    unit = replace(PLAIN, intent=intent, secrets=(secret,), ports=(PortBinding("redis", 1),))
    assert planned(replace(unit, command=("other",), environment=(("A", "b"),))) == planned(unit)
    assert planned(unit.with_secrets((replace(secret, version="v1"),))) == planned(unit)
    assert planned(unit.pinned(Software(packages=("a",), pins=("a==1",)))) == planned(unit)
    assert planned(replace(unit, intent=(("options.a", "2"), intent[1]))) != planned(unit)
    assert planned(replace(unit, ports=(PortBinding("redis", 2),))) != planned(unit)
    assert planned(replace(unit, service="other")) != planned(unit)


def test_what_does_not_exist_yet_shows_as_that() -> None:
    assert str(Pending("generate", "db.password")) == "<generate db.password>"
    assert SecretRef("password", "db.password", generate=20).state == Pending("generate", "db.password")
    assert SecretRef("password", "db.password", "v1").state == "v1"
    assert Software(packages=("a",)).pending
    assert not Software(packages=("a",), pins=("a==1",)).pending
    assert not Software(binary="redis-server").pending


def test_a_secret_that_was_made_enters_the_intent() -> None:
    ref = SecretRef("password", "db.password", generate=20)
    unit = replace(PLAIN, secrets=(ref,), intent=(("a", "1"), ("secrets.password", str(ref.state))))
    made = unit.with_secrets((replace(ref, version="v1"),))
    assert dict(made.intent) == {"a": "1", "secrets.password": "v1"}
    assert made.digest != unit.digest


SECRETS = {"password": Secret("p$ä/${secret.x}")}


def test_what_starts_has_its_secrets_in_environment_and_files_alone() -> None:
    unit = replace(
        PLAIN,
        command=("run", "$$HOME"),
        environment=(("PASSWORD", "${secret.password}"), ("URL", "redis://:${quoted.password}@h")),
        files=(File("/etc/x", "p=${secret.password} $$1", 0o640),),
    )
    found = launch(unit, SECRETS)
    assert found.command == ("run", "$HOME")
    assert found.environment == {"PASSWORD": "p$ä/${secret.x}", "URL": "redis://:p%24%C3%A4%2F%24%7Bsecret.x%7D@h"}
    assert found.files == (File("/etc/x", "p=p$ä/${secret.x} $1", 0o640),)
    assert "p$ä" not in repr(found)


@pytest.mark.parametrize("text", ["${secret.password}", "--url=${quoted.password}"])
def test_a_command_never_gets_a_secret(text: str) -> None:
    with pytest.raises(UnknownNameError):
        launch(replace(PLAIN, command=(text,)), SECRETS)


def test_a_unit_is_found_by_service_and_name_and_has_its_ports_by_name() -> None:
    unit = replace(PLAIN, ports=(PortBinding("a", 1), PortBinding("b", 2)))
    assert unit.key == "db.server"
    assert unit.port("b") == PortBinding("b", 2)
    assert unit.port("c") is None
