"""Whether a component is written only where versions exist for all that the project then depends on."""

from __future__ import annotations

import pytest

from mlox.errors import CommandError, DependencyError
from mlox.protocols import Completed, Event
from mlox.stack import Components
from mlox.stack.resolving import check_together, resolve_by_uv
from tests.component_stage import Shop, offer, template_files

CONFLICT = """\
error: No solution found when resolving dependencies
  cause: Because fastapi==0.100.0 depends on starlette<0.28.0 and you require fastapi==0.100, it is so.
         And because you require starlette==0.30, we can conclude that your requirements are unsatisfiable.
"""
OFFLINE = """\
error: No solution found when resolving dependencies
  cause: Because tabulate was not found in the cache and you require tabulate>=0.9, they are unsatisfiable.

hint: Packages were unavailable because the network was disabled.
"""
UNREACHABLE = (
    "error: Request failed after 3 retries in 7.8s\n  cause: Failed to fetch: https://index/simple/tabulate/\n"
)
PRIVATE = OFFLINE.replace("the cache", "the package registry").partition("\n\n")[0]


def test_the_whole_set_is_asked_for(shop: Shop) -> None:
    shop.put(
        "pyproject.toml", '[project]\nname = "churn"\ndependencies = ["Rich>=13", "x; python_version < \'3.12\'"]\n'
    )
    shop.add()
    assert shop.resolved == ["rich>=13", 'x; python_version < "3.12"', "tabulate>=0.9"]
    offer(shop.root, template_files("parting", dependencies='["tabulate>=0.9"]'), "parting")
    shop.add("parting")
    assert len(shop.resolved) == 3, "nothing new is asked for"


def test_requirements_that_exclude_each_other_are_told_with_the_explanation_and_nothing_is_written(shop: Shop) -> None:
    components = Components(shop.components.stack, resolve=lambda _: Completed(1, "", CONFLICT))
    before = shop.tree()
    with pytest.raises(DependencyError) as caught:
        components.add(components.template("greeting"))
    assert "fastapi==0.100.0 depends on starlette<0.28.0" in caught.value.problem
    assert "unsatisfiable" in caught.value.problem
    assert shop.tree() == before


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (OFFLINE, "not found in the cache"),
        (UNREACHABLE, "Failed to fetch"),
        (PRIVATE, "not found in the package registry"),
        ("", "uv failed"),
    ],
)
def test_where_nobody_can_look_the_component_is_written_and_it_is_told(shop: Shop, said: str, reason: str) -> None:
    events: list[Event] = []
    components = Components(shop.components.stack, resolve=lambda _: Completed(2, "", said))
    components.add(components.template("greeting"), emit=events.append)
    assert "greeting" in components.added()
    (told,) = [event for event in events if event.kind == "warning"]
    assert "not checked" in told.message
    assert reason in told.message


def test_a_resolver_that_takes_too_long_is_no_failure() -> None:
    def slow(_: bytes) -> Completed:
        raise CommandError("uv took longer than 45 s and was ended")

    events: list[Event] = []
    check_together("greeting", ["tabulate"], slow, events.append)
    assert ["took longer" in event.message for event in events] == [True]


def test_without_a_network_uv_says_so_at_once() -> None:
    events: list[Event] = []
    check_together("greeting", ["no-such-distribution-of-anybody"], resolve_by_uv, events.append)
    assert ["not checked" in event.message for event in events] == [True]
