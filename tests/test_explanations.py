"""What is the matter with a service: cases from ``tests/explanations/``, data in, an explanation out.

A case has what is seen of its one unit (``seen``: state, note, restarts, since, health; null: there is none),
``findings``, ``log``, and the parts of a :class:`~mlox.explaining.Case`. ``expect`` has parts of the diagnosis, the
lines of ``detail`` as patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlox.documents import load
from mlox.errors import MloxError
from mlox.explaining import Case, Diagnosis, Sight, Wire, diagnose, reasons, status, telling_lines
from mlox.explaining.told import CAUSES, told_by
from mlox.protocols import Ending, Findings, Health, Observed
from mlox.units import PortBinding, Probe, SecretRef, Unit
from tests.test_plans import laid_over

FOLDER = Path(__file__).parent / "explanations"
NOW = 1000.0
UNIT = Unit(
    stack="demo-0001",
    service="redis",
    name="server",
    catalog="redis",
    version="7",
    server="local",
    backend="native",
    command=("redis-server",),
    ports=(PortBinding("redis", 6379),),
    secrets=(SecretRef("password", "redis.password", "v1", 32), SecretRef("license", "redis.license", "v1")),
    probe=Probe("tcp", port="redis", start_timeout_s=60),
)


def cases() -> Iterator[Any]:
    """Every case of every file."""
    for path in sorted(FOLDER.glob("*.yaml")):
        content = load(path.read_text("utf-8"), source=str(path))
        assert isinstance(content, dict)
        found = content.pop("cases")
        for name, case in found.items():
            yield pytest.param(laid_over(content, case), id=f"{path.stem}: {name}")


def case_from(data: dict[str, Any]) -> Case:
    """The case that is described."""
    data = dict(data)
    data.pop("expect")
    seen, found, log = data.pop("seen", None), data.pop("findings", {}), tuple(data.pop("log", ()))
    refusal = data.pop("refusal", None)
    sights = (sight_from(dict(seen), dict(found), log),) if seen else ()
    return Case(
        "redis",
        sights,
        refusal=MloxError(refusal["problem"], hint=refusal["hint"]) if refusal else None,
        wires=tuple(Wire(**wire) for wire in data.pop("wires", ())),
        lost=tuple(data.pop("lost", ())),
        differs=tuple(data.pop("differs", ())),
        now=NOW,
        **data,
    )


def sight_from(seen: dict[str, Any], found: dict[str, Any], log: tuple[str, ...]) -> Sight:
    health = Health(**seen.pop("health", {"healthy": False}))
    findings = Findings(
        endings=tuple(Ending(**ending) for ending in found.pop("endings", ())),
        missing=tuple((kind, what) for kind, what in found.pop("missing", ())),
        **found,
    )
    unit = replace(UNIT, backend=seen.pop("backend", "native"))
    return Sight(Observed("demo-0001", "redis", "server", "", unit, **seen), health, findings, log)


@pytest.mark.parametrize("data", list(cases()))
def test_explanation(data: dict[str, Any]) -> None:
    found, expected = diagnose(case_from(data)), data["expect"]
    for key in ("cause", "problem", "step"):
        assert getattr(found, key) == expected.get(key, getattr(found, key))
    assert found.well is expected.get("well", False)
    assert status(case_from(data), found) == expected.get("status", status(case_from(data), found))
    assert list(found.evidence) == expected.get("evidence", list(found.evidence))
    for line, pattern in zip(found.detail, expected.get("detail", found.detail), strict=True):
        assert line == pattern or re.fullmatch(pattern, line)


def test_every_explanation_says_the_same_on_every_run_and_ends_in_one_step() -> None:
    """Ports, processes and times stand in the detail alone."""
    for data in (param.values[0] for param in cases()):
        found = diagnose(case_from(data))
        assert not re.search(r"\b(6379|812|1970|\d\d:\d\d)\b", found.problem + found.step)
        assert found.problem.endswith(".")
        assert found.well or found.step


def test_the_worst_unit_is_explained() -> None:
    well = Sight(Observed("s", "redis", "server", "", UNIT, "running"), Health(True))
    bad = Sight(Observed("s", "redis", "worker", "", UNIT, "failed", note="exit status 1"), Health(False))
    for sights in ((well, bad), (bad, well)):
        assert diagnose(Case("redis", sights, now=NOW)).cause == "died"


@pytest.mark.parametrize("told", CAUSES, ids=lambda told: told.cause)
def test_every_cause_of_a_log_is_one_sentence_and_one_step(told: Any) -> None:
    assert told.meaning[0].islower()
    assert not told.meaning.endswith(".")
    assert told.step[0].isupper() or told.step.startswith("mlox ")
    assert set(re.findall(r"\{(\w+)\}", told.step)) <= {"name"}


def test_of_two_causes_in_a_log_the_last_one_counts() -> None:
    told = told_by(["Address already in use", "starting again", "Permission denied"])
    assert told is not None
    assert told.cause == "permission"
    assert told_by(["Address already in use", *(["ready"] * 40)]) is None
    assert told_by([]) is None


def test_lines_that_matter() -> None:
    log = [f"{second}:M # Error: no disk {second}" for second in range(50)]
    assert telling_lines(["begin", *log, "", "bye"], ended=False) == ("49:M # Error: no disk 49",)
    assert telling_lines(["one", "two"], ended=False) == ("one", "two")
    assert telling_lines([], ended=True) == ()
    many = [f"error {chr(97 + index % 26) * 3}{'x' * index}" for index in range(30)]
    assert telling_lines(many, ended=True, most=10) == tuple(many[-10:])


def test_why_it_runs_as_it_does() -> None:
    wires = (
        Wire("database", "embedded", line=9, others=("postgres",)),
        Wire("artifacts", "minio", "running"),
    )
    spare = "postgres offers it too, and nothing is rewired unasked"
    assert reasons(Case("mlflow", wires=wires, users=("feast (tracking)",))) == (
        f"needs database: met by itself (embedded): written in mlox.yaml, line 9; {spare}",
        "needs artifacts: met by minio, which is running: decided when it was added; kept",
        "needed by: feast (tracking)",
    )
    assert reasons(Case("redis")) == ("needed by: no other service of this stack",)
    assert reasons(Case("redis", listed=False)) == ()


def test_an_explanation_is_a_value() -> None:
    assert Diagnosis("well", "It runs.").noting("Really.").problem == "It runs. Really."
