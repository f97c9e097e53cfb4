"""What verbs hand back: a text that is the same on every run, a text with details, and the promised JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.plan import Action, Plan, Reason
from mlox.units import PortBinding, Unit
from mlox.values import (
    Deployed,
    Notice,
    Planned,
    ServiceRow,
    Status,
    Table,
    Value,
    addressed,
    columns,
    plan_rows,
)
from mlox.values.stats import ServiceStats, Stats

UNIT = Unit(
    "demo-00aa", "db", "server", "redis", "7", "local", "native", ("redis",), ports=(PortBinding("redis", 6379),)
)
WEB = replace(UNIT, service="flow", name="web", catalog="flow", version="2.9", ports=())
ROW = ServiceRow(
    "db",
    "redis",
    "local",
    "native",
    "running",
    url="redis://127.0.0.1:6379",
    ports={"redis": "127.0.0.1:6379"},
    version="7",
    memory_bytes=12_345_678,
    disk_bytes=2048,
    since=1_700_000_000.5,
    data_path="/data/demo-00aa/services/db",
)
ABSENT = ServiceRow("flow", "flow", "local", "native", "absent", version="2.9", note="not in mlox.yaml")
CREATE = Action("create", "db", "server", "local", UNIT)
UPDATE = Action(
    "update",
    "flow",
    "web",
    "local",
    WEB,
    (
        Reason("needs.database", "db at port 6379", "other at port 6380"),
        Reason("needs.broker", "db at port 6379", "db at port 6380"),
        Reason("ports.web", "8080", "8081"),
        Reason("secrets.password", "9f2c", "11aa"),
        Reason("workers", None, "4"),
    ),
)
PLAN = Plan("demo-00aa", (CREATE, UPDATE), (UNIT, WEB), unlisted=("old",))
VALUES: dict[str, Value] = {
    "status": Status("demo", (ROW, ABSENT), secrets=2, notes=("a note",)),
    "empty status": Status("demo", ()),
    "plan": Planned(PLAN),
    "empty plan": Planned(Plan("demo-00aa")),
    "deployed": Deployed(PLAN, (ROW, ABSENT), ("wrote: mlox.yaml (db)",)),
    "nothing deployed": Deployed(Plan("demo-00aa"), (ROW,)),
    "table": Table(("name", "updated"), (("TOKEN", "2026-01-01 10:00"),), {"x": 1}, detailed=frozenset({"updated"})),
    "empty table": Table(("name",), (), {"x": []}, empty="no secrets yet: {mlox} secrets set NAME"),
    "stats": Stats((ServiceStats("db", "running", True, 12.5, 50_000_000, 12_345_678, 0, 1.25),)),
    "no stats": Stats(()),
    "notice": Notice(("done",), {"done": True}, details=("at 127.0.0.1:6379",)),
}
CHANGING = re.compile(r"\d{4,}|127\.0\.0\.1|demo-00aa|/data|\d+ MB|9f2c|11aa")


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_the_plain_text_is_the_same_on_every_run(value: Value) -> None:
    assert not CHANGING.search(value.text())
    assert value.text() == value.text(detail=False)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_no_text_is_empty_and_no_line_ends_in_blanks(value: Value) -> None:
    for detail in (False, True):
        assert value.text(detail=detail)
        assert all(line == line.rstrip() for line in value.text(detail=detail).splitlines())


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_every_value_is_one_json_object(value: Value) -> None:
    assert isinstance(json.loads(json.dumps(value.to_json())), dict)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_what_a_script_prints_speaks_to_a_shell(value: Value) -> None:
    assert str(value) == addressed(value.text(), "shell")
    assert "{" not in str(value)


def test_the_plain_text_of_a_plan() -> None:
    assert Planned(PLAN).text().splitlines() == [
        "create  db        local  7",
        "update  flow.web  local  needs.database: db → other, secrets.password: old → new, workers: none → 4",
        "old runs but is not in mlox.yaml (stop it: {mlox} up --prune)",
    ]
    assert Planned(Plan("x", unlisted=("old",))).text().splitlines() == [
        "nothing to do",
        "old runs but is not in mlox.yaml (stop it: {mlox} up --prune)",
    ]


def test_the_detailed_text_of_a_plan_tells_ports_and_how_to_carry_it_out() -> None:
    text = Planned(PLAN).text(detail=True)
    assert "redis on port 6379" in text
    assert "needs.broker: db at port 6379 → db at port 6380" in text
    assert f"carry it out: {{mlox}} up --plan {PLAN.digest}" in text
    assert "up --plan" not in Planned(Plan("x")).text(detail=True)


def test_the_rows_of_a_plan_for_a_table() -> None:
    assert plan_rows(PLAN, detail=False)[1] == (
        "update",
        "flow.web",
        "local",
        "needs.database: db → other, secrets.password: old → new, workers: none → 4",
    )
    assert "ports.web: 8080 → 8081" in plan_rows(PLAN, detail=True)[1][3]


def test_the_json_of_a_plan_is_the_promised_one() -> None:
    found = PLAN.to_json()
    assert set(found) == {"digest", "actions", "services"}
    assert found["actions"][0] == {
        "kind": "create",
        "service": "db",
        "unit": "server",
        "server": "local",
        "reasons": [],
        "undo": "none",
    }
    assert found["actions"][1]["reasons"][-1] == {"field": "workers", "from": None, "to": "4"}
    assert found["services"] == [
        {"name": "db", "service": "redis", "server": "local", "version": "7"},
        {"name": "flow", "service": "flow", "server": "local", "version": "2.9"},
    ]
    assert Plan("x").to_json()["actions"] == []


def test_the_json_of_what_was_deployed_has_the_plan_and_the_services() -> None:
    found = Deployed(PLAN, (ROW,)).to_json()
    assert (found["digest"], found["actions"]) == (PLAN.digest, PLAN.to_json()["actions"])
    assert found["services"][0]["url"] == "redis://127.0.0.1:6379"


ROW_KEYS = {"name", "service", "server", "backend", "status", "url", "ports", "version", "memory_bytes", "disk_bytes"}


def test_the_json_of_the_status_is_the_promised_one() -> None:
    found = Status("demo", (ROW,)).to_json()
    assert found["components"] == []
    assert set(found["services"][0]) >= ROW_KEYS | {"since", "data_path"}
    assert found["services"][0]["ports"] == {"redis": "127.0.0.1:6379"}


def test_the_status_tells_notes_and_the_way_to_a_first_service() -> None:
    assert Status("demo", (ROW, ABSENT), secrets=2, notes=("a note",)).text().splitlines() == [
        "db    running  local  7",
        "flow  absent   local  2.9",
        "  flow: not in mlox.yaml",
        "secrets: 2, hidden in outputs",
        "a note",
    ]
    assert "redis://127.0.0.1:6379  12 MB" in Status("demo", (ROW,)).text(detail=True)
    assert str(Status("demo", ())) == "no services yet: mlox up mlflow"


def test_nothing_to_do_is_said_in_words() -> None:
    assert Deployed(Plan("x"), (ROW,)).text().splitlines()[0] == "nothing to do"
    assert "nothing to do" not in Deployed(PLAN, (ROW,)).text()


CODES: list[tuple[Value, int]] = [
    (Planned(PLAN), 0),
    (Planned(PLAN, differs_is=4), 4),
    (Planned(Plan("x"), differs_is=4), 0),
    (Status("demo", (ABSENT,)), 0),
    (Status("demo", (ABSENT,), differs_is=4), 4),
    (Deployed(PLAN, ()), 0),
    (Notice(("x",), {}), 0),
    (Notice(("x",), {}, code=7), 7),
]


@pytest.mark.parametrize(("value", "code"), CODES)
def test_exit_codes(value: Value, code: int) -> None:
    assert value.exit_code == code


def test_a_table_hides_what_changes_and_says_when_it_is_empty() -> None:
    table = Table(("name", "updated", "by"), (("A", "now", "me"), ("LONG", "then", "you")), {}, frozenset({"updated"}))
    assert table.text().splitlines() == ["A     me", "LONG  you"]
    assert table.text(detail=True).splitlines() == ["A     now   me", "LONG  then  you"]
    assert Table(("name",), (), {}, notes=("and a note",)).text() == "none\nand a note"


FRONTS = [
    ("again: {mlox} up", "again: mlox up", "again: %mlox up", "again: mlox up"),
    (
        "next: {use:tracking:mlflow}",
        "next: mlox run mlflow -- COMMAND    in a notebook: tracking = %mlox use mlflow",
        "next: tracking = %mlox use mlflow",
        None,
    ),
    (
        "nothing {else} and {use:Not:valid}",
        "nothing {else} and {use:Not:valid}",
        "nothing {else} and {use:Not:valid}",
        None,
    ),
]


@pytest.mark.parametrize(("text", "shell", "notebook", "script"), FRONTS)
def test_each_front_end_gets_its_own_words(text: str, shell: str, notebook: str, script: str | None) -> None:
    assert addressed(text, "shell") == shell
    assert addressed(text, "notebook") == notebook
    assert addressed(text, "script") == (script if script is not None else shell)


CELLS = st.lists(st.lists(st.text(st.characters(categories=["L", "N"]), max_size=6), max_size=4), max_size=5)


@given(CELLS)
def test_columns_begin_at_the_same_place(rows: list[list[str]]) -> None:
    lines = columns(rows)
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        place = 0
        for i, cell in enumerate(row):
            assert line[place : place + len(cell)] == cell
            place += max(len(r[i]) for r in rows if i < len(r)) + 2


ANY_ROW: dict[str, Any] = {"name": "x", "service": "y", "server": "local", "backend": "native", "status": "absent"}


def test_sizes_are_only_told_where_they_are_known() -> None:
    assert "MB" not in Status("demo", (ServiceRow(**ANY_ROW),)).text(detail=True)
    assert Status("demo", (ServiceRow(**ANY_ROW),)).to_json()["services"][0]["memory_bytes"] is None
