"""How a service joins a stack: decided once, then the same words change nothing and others are told."""

from __future__ import annotations

from typing import Any

import pytest

import mlox
from mlox.catalog import Catalog
from mlox.errors import MloxError, SpecError, UnknownNameError, UsageError, WiringError
from mlox.specs import CatalogService, StackSpec
from mlox.stack.joining import Asked, check_version, join, read_assignments
from tests.test_plans import CATALOG

EMBEDDED = {"database": "embedded", "artifacts": "embedded"}


def stack(**services: dict[str, Any]) -> StackSpec:
    return StackSpec.model_validate({"name": "demo", "services": services})


def nothing(_: CatalogService) -> None:
    """No program on the server."""


def joined(
    there: StackSpec, service: str, *, found: str | None = None, change_options: bool = False, **asked: Any
) -> tuple[StackSpec, str]:
    return join(there, Asked(service, **asked), CATALOG, lambda _: found, change_options=change_options)


def test_the_first_time_everything_is_decided() -> None:
    spec, name = joined(stack(), "mlflow", options={"workers": 2})
    service = spec.services[name]
    assert name == "mlflow"
    assert (service.service, service.version, service.server) == ("mlflow", "3.17.2", "local")
    assert service.needs == EMBEDDED
    assert service.options == {"workers": 2}


def test_a_version_that_is_asked_for_is_pinned() -> None:
    spec, _ = joined(stack(), "mlflow", version="3.10.1")
    assert spec.services["mlflow"].version == "3.10.1"


def test_a_program_is_pinned_at_the_version_that_is_there() -> None:
    assert joined(stack(), "redis", found="7.0.15")[0].services["redis"].version == "7.0.15"
    assert joined(stack(), "redis", found="7.0.15", version="7.0.15")[0].services["redis"].version == "7.0.15"
    assert joined(stack(), "redis")[0].services["redis"].version == Catalog().get("redis").service.version


def test_a_second_instance_has_a_name_of_its_own() -> None:
    spec, _ = joined(stack(), "redis")
    spec, name = joined(spec, "redis", name="cache")
    assert name == "cache"
    assert list(spec.services) == ["redis", "cache"]
    assert spec.services["cache"].service == "redis"


def test_a_provider_that_is_there_is_wired() -> None:
    spec, _ = joined(stack(db={"service": "elephant"}), "mlflow")
    assert spec.services["mlflow"].needs == {"database": "db", "artifacts": "embedded"}


def test_a_provider_that_comes_later_rewires_nobody() -> None:
    spec, _ = joined(stack(), "mlflow")
    later, _ = joined(spec, "postgres")
    assert later.services["mlflow"] == spec.services["mlflow"]


def test_between_two_providers_it_is_an_error_until_somebody_says() -> None:
    there = stack(a={"service": "elephant"}, b={"service": "postgres"})
    with pytest.raises(WiringError, match="a and b both provide postgresql"):
        joined(there, "mlflow")
    assert joined(there, "mlflow", needs={"database": "b"})[0].services["mlflow"].needs["database"] == "b"


WRITTEN: dict[str, Any] = {"service": "mlflow", "version": "3.10.0", "needs": EMBEDDED, "options": {"workers": 2}}
SAME: list[dict[str, Any]] = [
    {},
    {"version": "3.10.0"},
    {"server": "local"},
    {"options": {"workers": 2}},
    {"options": {"default_permission": "READ"}},
    {"needs": {"database": "embedded"}},
    {"name": "mlflow"},
]


@pytest.mark.parametrize("asked", SAME, ids=str)
@pytest.mark.parametrize("change_options", [False, True])
def test_the_same_words_again_change_nothing(asked: dict[str, Any], change_options: bool) -> None:
    there = stack(mlflow=WRITTEN)
    spec, name = joined(there, "mlflow", change_options=change_options, **asked)
    assert name == "mlflow"
    before, after = there.services["mlflow"], spec.services["mlflow"]
    assert after.model_copy(update={"options": {}}) == before.model_copy(update={"options": {}})
    assert {"default_permission": "READ", **after.options} == {"default_permission": "READ", **before.options}


OTHER: list[tuple[dict[str, Any], str]] = [
    ({"version": "3.11.0"}, "version is 3.10.0, not 3.11.0"),
    ({"server": "box"}, "server is local, not box"),
    ({"options": {"workers": 3}}, "workers is 2, not 3"),
    ({"options": {"default_permission": "EDIT"}}, "default_permission is READ, not EDIT"),
    ({"needs": {"database": "db"}}, "database is embedded, not db"),
    ({"version": "3.11.0", "options": {"workers": 3}}, "version is 3.10.0, not 3.11.0; workers is 2, not 3"),
]


@pytest.mark.parametrize(("asked", "difference"), OTHER, ids=[difference for _, difference in OTHER])
def test_other_words_are_told_apart(asked: dict[str, Any], difference: str) -> None:
    with pytest.raises(UsageError) as caught:
        joined(stack(mlflow=WRITTEN, db={"service": "elephant"}), "mlflow", **asked)
    assert difference in caught.value.problem
    assert "--as" in (caught.value.hint or "")


def test_up_may_change_options_and_nothing_else() -> None:
    there = stack(mlflow=WRITTEN)
    spec, _ = joined(there, "mlflow", options={"workers": 5}, change_options=True)
    assert spec.services["mlflow"].options == {"workers": 5}
    assert spec.services["mlflow"].version == "3.10.0"
    with pytest.raises(UsageError, match="version is 3.10.0"):
        joined(there, "mlflow", version="3.11.0", change_options=True)


def test_a_service_is_meant_by_its_name_in_the_stack_too() -> None:
    there = stack(tracking=WRITTEN)
    assert joined(there, "mlflow", name="tracking")[1] == "tracking"
    assert set(joined(there, "mlflow")[0].services) == {"tracking", "mlflow"}


WRONG: list[tuple[dict[str, Any], type[MloxError], str, str]] = [
    ({"service": "mlfow"}, UnknownNameError, "unknown service 'mlfow'", "'mlflow'"),
    ({"service": "redis", "name": "mlflow"}, UsageError, "'mlflow' is a mlflow already", "--as"),
    ({"service": "redis", "name": "Not-A-Name"}, SpecError, "not a valid name", ""),
    (
        {"service": "redis", "version": "5.0"},
        SpecError,
        "redis 5.0 is not supported: the catalog entry fits >=6.2",
        "redis@",
    ),
    ({"service": "redis", "version": "x y"}, SpecError, "redis x y is not supported", "redis@"),
    ({"service": "redis", "options": {"maxmemory": 1}}, UnknownNameError, "unknown option", "'maxmemory_mb'"),
    ({"service": "redis", "options": {"maxmemory_mb": -1}}, SpecError, "the least is 0", "limit"),
    ({"service": "typed"}, SpecError, "the option 'region' is missing", "--set region=VALUE"),
    ({"service": "elephant", "needs": {"x": "y"}}, UnknownNameError, "unknown need 'x'", ""),
    ({"service": "flow"}, WiringError, "nothing in the stack provides postgresql", "mlox catalog postgresql"),
]


@pytest.mark.parametrize(("asked", "kind", "problem", "hint"), WRONG, ids=[row[2] for row in WRONG])
def test_what_cannot_be_is_told_and_changes_nothing(
    asked: dict[str, Any], kind: type[MloxError], problem: str, hint: str
) -> None:
    there = stack(mlflow=WRITTEN)
    with pytest.raises(kind) as caught:
        joined(there, **asked)
    assert problem in caught.value.problem
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("version", ["3.10.0", "3.17.2", "3.18.0rc1", "3.10"])
def test_versions_that_the_entry_supports(version: str) -> None:
    check_version(Catalog().get("mlflow").service, version)
    assert joined(stack(), "mlflow", version=version)[0].services["mlflow"].version == version


@pytest.mark.parametrize("version", ["2.21.0", "4.0.0", "", "newest", "latest", "3.x"])
def test_versions_that_it_does_not(version: str) -> None:
    with pytest.raises(SpecError, match="is not supported"):
        check_version(Catalog().get("mlflow").service, version)


def test_a_server_that_there_is_not_is_refused_before_it_is_written() -> None:
    with pytest.raises(UnknownNameError, match="unknown server 'lokal'") as caught:
        mlox.Stack("demo").add("mlflow", server="lokal")
    assert caught.value.hint == "Did you mean 'local'?"
    assert mlox.Stack("demo").names() == ()


# --set


def test_assignments_have_the_types_of_their_options() -> None:
    redis = CATALOG.get("redis").service
    assert read_assignments((), redis) == {}
    assert read_assignments(("maxmemory_mb=5", "appendfsync=no"), redis) == {"maxmemory_mb": 5, "appendfsync": "no"}
    typed = CATALOG.get("typed").service
    given = ("region=eu", "debug=yes", "ratio=0.5", "label=")
    with pytest.raises(SpecError, match="label"):
        read_assignments(given, typed)
    assert read_assignments(given[:3], typed) == {"region": "eu", "debug": True, "ratio": 0.5}


def test_the_value_is_all_behind_the_first_equals_sign() -> None:
    assert read_assignments(("motto=a=b = c",), CATALOG.get("letter").service) == {"motto": "a=b = c"}


def test_the_last_of_two_assignments_counts() -> None:
    assert read_assignments(("maxmemory_mb=1", "maxmemory_mb=2"), CATALOG.get("redis").service) == {"maxmemory_mb": 2}


@pytest.mark.parametrize("text", ["workers", "=2", "", "="])
def test_what_is_no_assignment(text: str) -> None:
    with pytest.raises(UsageError, match="--set takes NAME=VALUE") as caught:
        read_assignments((text,), Catalog().get("mlflow").service)
    assert caught.value.hint == "For example: --set workers=2."


def test_an_unknown_option_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="mlflow: unknown option 'worker'") as caught:
        read_assignments(("worker=2",), Catalog().get("mlflow").service)
    assert caught.value.hint == "Did you mean 'workers'?"
