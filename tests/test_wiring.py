"""Which service meets which need: decided once, never by guessing between two."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.catalog import Catalog
from mlox.errors import UnknownNameError, WiringError
from mlox.resolve import decide_needs, order, with_providers
from mlox.specs import CatalogService, StackSpec

MLFLOW = Catalog().get("mlflow").service
DEMANDING = CatalogService.model_validate(
    {
        "name": "demanding",
        "version": "1",
        "summary": "cannot be alone",
        "needs": {"database": {"capability": "postgresql"}},
        "units": {"server": {"image": "x:1"}},
    }
)
PROVIDES = {"pg": ("postgresql",), "other": ("postgresql", "s3"), "redis": ("redis",)}


def stack(*names: str) -> StackSpec:
    return StackSpec(name="demo", services={name: {"service": "postgres"} for name in names})  # type: ignore[misc]


def decided(
    service: CatalogService, *there: str, asked: dict[str, str] | None = None, name: str = "new"
) -> dict[str, str]:
    return decide_needs(name, service, stack(*there), {n: PROVIDES[n] for n in there}, asked or {})


def test_alone_a_service_meets_its_needs_by_itself() -> None:
    assert decided(MLFLOW) == {"database": "embedded", "artifacts": "embedded"}


def test_the_one_provider_is_taken() -> None:
    assert decided(MLFLOW, "pg", "redis") == {"database": "pg", "artifacts": "embedded"}


def test_between_two_providers_a_person_decides() -> None:
    with pytest.raises(WiringError, match="new.database: other and pg both provide postgresql") as caught:
        decided(MLFLOW, "pg", "other")
    assert "needs: {database: other}" in (caught.value.hint or "")
    assert decided(MLFLOW, "pg", "other", asked={"database": "pg"}) == {"database": "pg", "artifacts": "other"}


def test_embedded_can_be_asked_for_beside_a_provider() -> None:
    assert decided(MLFLOW, "pg", asked={"database": "embedded"})["database"] == "embedded"


def test_a_service_is_not_its_own_provider() -> None:
    assert decided(MLFLOW, "pg", name="pg")["database"] == "embedded"


def test_a_need_that_nobody_meets() -> None:
    with pytest.raises(WiringError, match="new.database: nothing in the stack provides postgresql") as caught:
        decided(DEMANDING, "redis")
    assert caught.value.hint == "Add one first: mlox catalog postgresql."


WRONG = {
    "an unknown need": (MLFLOW, {"databse": "pg"}, UnknownNameError, "unknown need 'databse'", "'database'"),
    "an unknown service": (MLFLOW, {"database": "pgg"}, UnknownNameError, "unknown service 'pgg'", "'pg'"),
    "a service that offers something else": (
        MLFLOW,
        {"database": "redis"},
        WiringError,
        "'redis' does not provide postgresql",
        "Name a service that provides postgresql.",
    ),
    "embedded, which it cannot": (
        DEMANDING,
        {"database": "embedded"},
        WiringError,
        "cannot meet its need 'database' by itself",
        "Add a service that provides postgresql.",
    ),
}


@pytest.mark.parametrize(("service", "asked", "kind", "problem", "hint"), WRONG.values(), ids=WRONG)
def test_what_is_asked_for_has_to_fit(
    service: CatalogService, asked: dict[str, str], kind: type[Exception], problem: str, hint: str
) -> None:
    with pytest.raises(kind, match=problem) as caught:
        decided(service, "pg", "redis", asked=asked)
    assert hint in (getattr(caught.value, "hint", None) or "")


def test_providers_come_before_consumers_and_else_the_order_stays() -> None:
    services = {"a": {"x": "d"}, "b": {}, "c": {"x": "embedded", "y": "b"}, "d": {"z": "b"}}
    assert order(services) == ("b", "d", "a", "c")


def test_a_provider_that_the_stack_has_not_is_left_to_others() -> None:
    assert order({"a": {"x": "elsewhere"}}) == ("a",)


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_a_circle_is_told_as_it_goes(length: int) -> None:
    names = [f"s{number}" for number in range(length)]
    circle = {name: {"need": names[(i + 1) % length]} for i, name in enumerate(names)}
    with pytest.raises(WiringError) as caught:
        order(circle)
    assert caught.value.problem == f"services need each other: {' → '.join([*names, 's0'])}"
    assert caught.value.hint


GRAPHS = st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=1, max_size=8).map(
    lambda rows: {f"s{i}": {f"n{k}": f"s{j}" for k, j in enumerate(row) if j < i} for i, row in enumerate(rows)}
)


@given(GRAPHS, st.randoms())
def test_every_order_has_providers_first(graph: dict[str, dict[str, str]], random: object) -> None:
    names = list(graph)
    random.shuffle(names)  # type: ignore[attr-defined]
    ordered = order({name: graph[name] for name in names})
    assert sorted(ordered) == sorted(graph)
    for name, needs in graph.items():
        assert all(ordered.index(provider) < ordered.index(name) for provider in needs.values())


@given(GRAPHS, st.integers(0, 7))
def test_a_service_comes_with_all_that_it_needs_and_nothing_else(graph: dict[str, dict[str, str]], start: int) -> None:
    name = f"s{start % len(graph)}"
    found = with_providers([name], graph)
    assert len(set(found)) == len(found)
    assert name in found
    assert all(provider in found for member in found for provider in graph[member].values())
    reached = {name}
    for _ in graph:
        reached |= set(itertools.chain.from_iterable(graph[member].values() for member in reached))
    assert set(found) == reached
