"""What a user is told of data before and after a plan: what stays where it is, and what goes with something else."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

import mlox
from mlox import plugins
from tests import fake_machine
from tests.granting_stage import DatabaseBackend
from tests.shell_stage import Say

pytestmark = pytest.mark.usefixtures("no_reports")


@pytest.fixture
def backend(machine: object, monkeypatch: pytest.MonkeyPatch) -> DatabaseBackend:
    del machine
    made = DatabaseBackend()
    monkeypatch.setattr(fake_machine.OneMachine, "machine", made, raising=False)
    assert plugins.TABLE["backends", "native"].where.endswith("OneMachine")
    return made


@pytest.fixture
def shop(say: Say, backend: DatabaseBackend) -> Say:
    """A workspace with nothing in it."""
    del backend
    assert say("init", "demo").code == 0
    return say


def test_a_provider_that_comes_later_leaves_everything_and_says_how_things_are(shop: Say) -> None:
    assert shop("up", "mlflow").code == 0
    said = shop("up", "postgres")
    assert said.code == 0
    assert "mlflow stays on its own database, and its data cannot be moved to postgres yet" in said.out
    assert "up mlflow --as NAME --needs database=postgres" in said.out
    assert shop("--json", "up").json["actions"] == []
    assert "stays on its own" not in shop("up").out


def test_where_no_data_is_at_stake_it_says_how_to_wire_what_comes_later(shop: Say, backend: DatabaseBackend) -> None:
    backend.programs |= {"otelcol": "0.158.0", "prometheus": "2.42.0", "curl": "7.88.1"}
    assert shop("up", "otel-collector").code == 0
    said = shop("up", "prometheus")
    assert (
        "otel-collector stays without prometheus; for its metrics, write metrics: prometheus into mlox.yaml" in said.out
    )
    assert "its data" not in said.out
    stack = Path("mlox.yaml")
    stack.write_text(stack.read_text().replace("metrics: embedded", "metrics: prometheus"))
    again = shop("up", "otel-collector")
    assert (again.code, "begins empty" in again.out) == (0, False)
    assert shop("--json", "up").json["actions"] == []


def test_what_comes_together_is_wired_and_nothing_is_said(shop: Say) -> None:
    assert shop("add", "postgres").code == 0
    assert shop("add", "mlflow").code == 0
    assert "grants.database: none → mlflow_database in postgres" in shop("plan").out
    assert "stays on its own" not in shop("up").out


def test_the_shell_says_what_meets_a_need(shop: Say) -> None:
    for words in (("add", "postgres"), ("add", "postgres", "--as", "second")):
        assert shop(*words).code == 0
    said = shop("add", "mlflow")
    assert (said.code, "postgres and second both provide postgresql" in said.err) == (2, True)
    assert "needs: {database: postgres}" in said.err
    assert shop("up", "mlflow", "--needs", "database=second").code == 0
    assert "--needs database=embedded" not in shop("up", "mlflow", "--as", "alone", "--needs", "database=embedded").err
    written = shop("--json", "info", "mlflow")
    assert written.code == 0
    services = {row["name"] for row in shop("--json", "status").json["services"]}
    assert services == {"postgres", "second", "mlflow", "alone"}


def test_who_is_rewired_by_hand_is_told_what_stays_behind(shop: Say) -> None:
    for words in (("up", "mlflow"), ("up", "postgres")):
        assert shop(*words).code == 0
    path = mlox.Stack().workspace.path
    path.write_text(path.read_text().replace("database: embedded", "database: postgres"))
    told = "mlflow begins empty in postgres: what it has stays in its own database"
    assert told in shop("plan").out
    assert told in shop("--dry-run", "up").out
    said = shop("up")
    assert (said.code, told in said.out) == (0, True)
    assert told not in shop("up").out


def test_a_purge_names_what_goes_with_it(shop: Say, backend: DatabaseBackend) -> None:
    shop("add", "postgres")
    assert shop("up", "mlflow").code == 0
    said = shop("down", "mlflow", "--purge")
    assert "mlflow_database in postgres of mlflow" in said.err
    said = shop("down", "postgres", "--purge")
    assert "with it mlflow_database in postgres of mlflow" in said.err
    assert backend.databases["postgres"].roles
    assert shop("down", "--purge", "-y").code == 0
    assert backend.databases == {}
    assert shop("--json", "secrets", "list").json == {"secrets": []}


def test_a_rotation_in_the_shell(shop: Say, backend: DatabaseBackend) -> None:
    shop("add", "postgres")
    shop("up", "mlflow")
    before = backend.databases["postgres"].password
    dry = shop("--dry-run", "secrets", "rotate", "postgres.password")
    assert "postgres.password would be rotated; would start again: postgres" in dry.out
    assert backend.databases["postgres"].password == before
    said = shop("--json", "secrets", "rotate", "postgres.password").json
    assert (said["name"], said["services"]) == ("postgres.password", ["postgres"])
    assert said["version"] == shop("--json", "secrets", "get", "postgres.password").json["version"]
    assert backend.databases["postgres"].password != before


def test_what_this_process_uses_gets_the_new_value(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop("up", "mlflow").code == 0
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD", raising=False)
    mlox.get("mlflow").use()
    try:
        said = shop("secrets", "rotate", "mlflow.admin_password")
        assert (said.code, "mlflow is in use here, with its new value" in said.out) == (0, True)
        assert os.environ["MLFLOW_TRACKING_PASSWORD"] == mlox.secrets.get("mlflow.admin_password").reveal()
    finally:
        mlox.get("mlflow").use_off()
    assert "MLFLOW_TRACKING_PASSWORD" not in os.environ


@pytest.mark.parametrize(
    "words",
    [
        "up postgres --dry-run",
        "up mlflow --as second --set workers=2 --needs database=embedded --dry-run",
        "up --prune --dry-run",
    ],
)
def test_what_carries_a_plan_out_does_so_as_it_is_typed(shop: Say, words: str) -> None:
    shop("add", "mlflow")
    (told,) = [line for line in shop(*words.split()).out.splitlines() if line.startswith("carry it out: mlox up ")]
    said = shop(*shlex.split(told.removeprefix("carry it out: mlox ")))
    assert said.code == 0, said
    assert "running" in said.out


def test_plan_names_what_it_was_asked_for_and_what_up_does_not_do_has_no_such_line(shop: Say) -> None:
    for name in ("mlflow", "postgres"):
        shop("add", name)
    assert "carry it out: mlox up postgres --plan " in shop("plan", "postgres").out
    shop("up")
    for words in (("down", "--dry-run"), ("restart", "postgres", "--dry-run"), ("down", "--purge", "--dry-run")):
        said = shop(*words)
        assert (said.code, "carry it out" in said.out) == (0, False)


def test_a_service_that_is_nearly_named_is_one_of_the_stack_too(shop: Say) -> None:
    shop("add", "postgres", "--as", "cache")
    assert "Did you mean 'cache'?" in shop("up", "cahce").err
    assert "Did you mean 'cache'?" in shop("add", "cahce").err
