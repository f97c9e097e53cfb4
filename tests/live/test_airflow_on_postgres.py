"""Airflow on the stack's PostgreSQL: with a database of its own, in which are what clients and tasks write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.catalog.cases.airflow import CASE
from tests.live.catalog.clients import python_with
from tests.live.support import Project, data_home, project

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("service-airflow")]

TABLES = "SELECT count(*) FROM dag_run WHERE run_id = 'first'"


@pytest.fixture
def shop() -> Iterator[Project]:
    """A stack with both, at a place that the account of services may go through."""
    with data_home() as place, data_home() as home, project(place / "demo", home) as made:
        made.done("init", "demo")
        CASE.prepare(made.folder)
        made.done("add", "postgres")
        made.done("add", "airflow")
        yield made


def said(shop: Project, script: str) -> str:
    """What a user's script prints."""
    done = shop.run(str(python_with(CASE.packages)), "-c", script)
    assert done.code == 0, done
    return done.out


def test_what_is_written_is_in_postgres_and_there_after_a_restart(shop: Project) -> None:
    assert "postgres" in (shop.folder / "mlox.yaml").read_text().partition("airflow:")[2]
    shop.done("up")
    said(shop, CASE.write)
    before = said(shop, CASE.read)
    assert "success" in before
    found = shop.done("exec", "postgres", "--", "psql", "-XAtq", "-d", "airflow_database", "-c", TABLES)
    assert found.strip() == "1"
    assert not list(Path(shop.home).glob("*/services/airflow/data/airflow.db"))
    shop.done("down")
    shop.done("up")
    assert said(shop, CASE.read) == before
    assert shop.json("up")["actions"] == []
