"""Which plan comes of what is written, what runs, and what a server is: one test, its cases in ``tests/plans/*.yaml``.

A file has ``cases`` by name, and beside it what its cases share; a case is laid over that, key by key (null takes a
key out). The keys:

* ``stack``: the content of ``mlox.yaml``. ``catalog``: changes to services of mlox or of ``plans/services/``.
* ``facts``: of every server. ``reserved``: ports of other stacks. ``secrets``: versions in the store, by name.
  ``pins``: the lock file, by package. ``foreign``: digest of the catalog file, for services of the workspace.
* ``ran``: what there is, made by carrying out a first plan; its keys are laid over the case's own for that first plan.
  ``states``: of units, where they do not run. ``annotation``: changes to the annotation of a unit.
* ``names``, ``prune``, ``profile``: as in ``mlox plan``; ``down``: names and purge, as in ``mlox down``.
* ``expect``: ``actions`` (``kind service[.unit]: reason, reason``), ``unlisted``, ``units`` (parts of them), ``order``
  (services of the units), ``digest_like`` and ``digest_unlike`` (what else gives the same, or another, digest), or
  ``error``: its type and parts of its problem and its hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mlox.catalog import Catalog
from mlox.documents import load
from mlox.errors import MloxError
from mlox.plan import Plan, make_down_plan, make_plan
from mlox.protocols import Facts, Observed
from mlox.resolve import World, lock_key, resolve
from mlox.specs import CatalogService, StackSpec
from mlox.stack.profiles import with_profile
from mlox.stack.server import known_servers
from mlox.units import SecretRef, Unit

FOLDER = Path(__file__).parent / "plans"
CATALOG = Catalog([FOLDER / "services"])
PROGRAMS = {"redis-server": "7.0.15", **dict.fromkeys(("postgres", "letter", "typed", "ping", "pong"), "")}
FACTS = {
    "home": "/data",
    "memory_bytes": 16_000_000_000,
    "memory_free_bytes": 8_000_000_000,
    "disk_free_bytes": 100_000_000_000,
    "ports_taken": [],
    "programs": PROGRAMS,
}
KEYS = {
    *("stack", "catalog", "facts", "reserved", "secrets", "pins", "foreign", "ran", "states", "annotation"),
    *("names", "prune", "profile", "down", "expect"),
}

Data = dict[str, Any]


def laid_over(below: Any, above: Any) -> Any:
    """``above`` over ``below``, key by key; null takes a key out."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = {key: laid_over(below[key], above[key]) if key in above else below[key] for key in below}
    merged |= {key: value for key, value in above.items() if key not in below}
    return {key: value for key, value in merged.items() if value is not None}


def cases() -> Iterator[Any]:
    """Every case of every file."""
    for path in sorted(FOLDER.glob("*.yaml")):
        content = load(path.read_text("utf-8"), source=str(path))
        assert isinstance(content, dict)
        found = content.pop("cases")
        for name, case in found.items():
            yield pytest.param(laid_over(content, case), id=f"{path.stem}: {name}")


@dataclass
class Setting:
    """The arguments of the planner that a case describes."""

    spec: StackSpec
    world: World


def setting(case: Data) -> Setting:
    """What the planner is given, without what there is."""
    spec = with_profile(
        StackSpec.model_validate({"name": "demo", "id": "demo-0001", **case["stack"]}), case.get("profile")
    )
    changes = case.get("catalog", {})
    services = {}
    for name, service in spec.services.items():
        plain = CATALOG.get(service.service).service.model_dump(exclude_unset=True)
        services[name] = CatalogService.model_validate(laid_over(plain, changes.get(service.service, {})))
    servers = known_servers(spec.servers)
    facts = laid_over(FACTS, case.get("facts", {}))
    world = World(
        services=services,
        sources=case.get("foreign", {}),
        facts={name: Facts(**{**facts, "ports_taken": frozenset(facts["ports_taken"])}) for name in servers},
        reserved={name: frozenset(case.get("reserved", ())) for name in servers},
        pins={lock_key(key.split(", ")): tuple(pins) for key, pins in case.get("pins", {}).items()},
        versions=case.get("secrets", {}),
        backends={name: server.backend for name, server in servers.items()},
        root="/home/ada/demo",
        here=frozenset(name for name, server in servers.items() if server.local),
    )
    return Setting(spec, world)


def carried_out(unit: Unit, state: str, annotation: Data) -> Observed:
    """What a back end shows of a unit that was started: secrets made, packages pinned."""
    unit = unit.with_secrets(tuple(made(ref) for ref in unit.secrets))
    if unit.software.pending:
        pins = (unit.software.image, *unit.software.packages)
        unit = unit.pinned(replace(unit.software, pins=tuple(f"{p.split('[')[0]}-pin" for p in pins if p)))
    if annotation:
        unit = Unit.from_json({**asdict(unit), **annotation})
    return Observed(unit.stack, unit.service, unit.name, unit.digest, unit, state)  # type: ignore[arg-type]


def made(ref: SecretRef) -> SecretRef:
    return ref if ref.version else replace(ref, version=f"made-{ref.name}")


def planned(case: Data) -> tuple[Plan, tuple[Unit, ...]]:
    """The plan of a case, and the units that it was made from."""
    there: dict[str, Observed] = {}
    if "ran" in case:
        first = setting(laid_over({k: v for k, v in case.items() if k != "profile"}, case["ran"]))
        states, annotations = case.get("states", {}), case.get("annotation", {})
        for unit in resolve(first.spec, tuple(first.spec.services), first.world):
            if (state := states.get(unit.key, "running")) != "absent":
                there[unit.key] = carried_out(unit, state, annotations.get(unit.key, {}))
    now = setting(case)
    if "down" in case:
        asked = case["down"]
        names = asked.get("names", [*now.spec.services, *(o.service for o in there.values())])
        return make_down_plan("demo-0001", there.values(), names, purge=asked.get("purge", False)), ()
    units = resolve(now.spec, case.get("names", now.spec.services), replace(now.world, observed=there))
    listed, here = tuple(now.spec.services), now.world.here
    plan = make_plan("demo-0001", units, there.values(), listed=listed, prune=case.get("prune", False), here=here)
    return plan, units


def told(plan: Plan) -> list[str]:
    """The actions, a line each."""
    lines = []
    for action in plan.actions:
        label = action.service if action.unit == "server" else action.key
        lines.append(f"{action.kind} {label}" + (f": {', '.join(map(str, action.reasons))}" if action.reasons else ""))
    return lines


def seen(unit: Unit) -> Data:
    """A unit as the cases speak of it."""
    return {
        "version": unit.version,
        "command": list(unit.command),
        "environment": dict(unit.environment),
        "ports": {port.name: port.number for port in unit.ports},
        "intent": dict(unit.intent),
        "packages": list(unit.software.packages),
        "pins": list(unit.software.pins),
        "binary": unit.software.binary,
        "files": {file.path: file.content for file in unit.files},
        "modes": {file.path: f"{file.mode:04o}" for file in unit.files},
        "secrets": {ref.key: f"{ref.name} {ref.state}" for ref in unit.secrets},
        "directories": dict(unit.directories),
        "jobs": {job.name: list(job.argv) for job in unit.jobs},
        "grants": {grant.need: dict(grant.environment) for grant in unit.grants},
        "after": list(unit.after),
        "server": unit.server,
        "backend": unit.backend,
        "image": unit.software.image,
        "addresses": {port.name: port.address for port in unit.ports},
        "inside": {port.name: port.inside for port in unit.ports},
        "container": asdict(unit.container) if unit.container else {},
    }


def assert_holds(expected: Any, found: Any, where: str) -> None:
    """``found`` has what is expected: maps may have more, everything else is equal; null means absent.

    What ``KEY_ends`` expects is the end of the list of ``KEY``.
    """
    if isinstance(expected, dict):
        for key, value in expected.items():
            if key.endswith("_ends"):
                assert found[key.removesuffix("_ends")][-len(value) :] == value, f"{where}.{key}"
            elif value is None:
                assert key not in found, f"{where}.{key}"
            else:
                assert key in found, f"{where}.{key}: there are {sorted(found)}"
                assert_holds(value, found[key], f"{where}.{key}")
    else:
        assert found == expected, where


@pytest.mark.parametrize("case", list(cases()))
def test_plan(case: Data) -> None:
    assert set(case) <= KEYS
    expect: Mapping[str, Any] = case["expect"]
    if "error" in expect:
        with pytest.raises(MloxError) as caught:
            planned(case)
        error = expect["error"]
        assert type(caught.value).__name__ == error["type"]
        assert error["problem"] in caught.value.problem
        assert error["hint"] in (caught.value.hint or "")
        return
    plan, units = planned(case)
    assert expect.keys() <= {"actions", "unlisted", "units", "order", "digest_like", "digest_unlike"}
    assert told(plan) == expect["actions"]
    assert list(plan.unlisted) == expect.get("unlisted", [])
    rendered = {unit.key: seen(unit) for unit in plan.units}
    assert_holds(expect.get("units", {}), rendered, "units")
    if "order" in expect:
        assert list(dict.fromkeys(unit.service for unit in units)) == expect["order"]
    if "digest_like" in expect:
        assert planned(laid_over(case, expect["digest_like"]))[0].digest == plan.digest
    if "digest_unlike" in expect:
        assert planned(laid_over(case, expect["digest_unlike"]))[0].digest != plan.digest
    assert "${need" not in str(rendered)
    assert "${option" not in str(rendered)
