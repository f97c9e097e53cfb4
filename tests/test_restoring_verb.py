"""What the shell says of restores, of several above all: the question, the order, and what became of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.errors import ServiceError
from mlox.testing import FakeBackupStore
from tests.moving_stage import House
from tests.saving_stage import housed
from tests.shell_stage import Say

KEEPER = """\
name: keeper
version: "1"
summary: keeps data of its own, and uses what base keeps
ports: {main: {port: 7200, scheme: app}}
data: {data: {path: /data}}
needs: {below: {capability: base}}
units:
  server:
    stateful: true
    image: keeper:1
    command: [keeper]
    native:
      binary: {name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}
    environment: {BELOW: "${need.below.url}"}
"""


@pytest.fixture
def stage(say: Say, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> tuple[House, FakeBackupStore]:
    """A base, a keeper that needs it, and a backup of both."""
    del say
    house, place = housed(monkeypatch, isolated)
    (isolated / "services" / "keeper.yaml").write_text(KEEPER)
    house.stack.add("keeper", needs={"below": "base"})
    house.stack.up()
    house.native.data[house.key[0], "keeper"] = "dear"
    house.stack.backup("keeper", "base")
    return house, place


def spoil(house: House) -> None:
    for name in ("base", "keeper"):
        house.native.data[house.key[0], name] = "spoiled"


def test_what_others_need_comes_first_whatever_is_named_first(stage: tuple[House, FakeBackupStore], say: Say) -> None:
    house, _ = stage
    spoil(house)
    told = say("--json", "restore", "keeper", "base", "-y", "--unverified").json
    assert [one["service"] for one in told["restored"]] == ["base", "keeper"]
    assert house.native.data[house.key] == "precious"
    assert house.native.data[house.key[0], "keeper"] == "dear"
    assert say("plan").out.splitlines() == ["nothing to do"]


def test_after_a_purge_both_come_back(stage: tuple[House, FakeBackupStore], say: Say) -> None:
    house, _ = stage
    assert say("down", "--purge", "-y").code == 0
    lines = say("restore", "keeper", "base").out.splitlines()
    assert [line.split()[0] for line in lines if "has the data of the backup" in line] == ["base", "keeper"]
    assert house.native.data[house.key[0], "keeper"] == "dear"


def test_it_asks_once_for_all_and_a_dry_run_tells_of_each(stage: tuple[House, FakeBackupStore], say: Say) -> None:
    house, _ = stage
    spoil(house)
    said = say("restore", "base", "keeper")
    assert said.code == 2
    assert "This replaces the data of base (0.0 MB), keeper (0.0 MB) by those of the backups" in said.err
    lines = say("restore", "keeper", "base", "--dry-run").out.splitlines()
    assert [line.split()[0] for line in lines if "gets the data of a backup" in line] == ["base", "keeper"]
    assert house.native.data[house.key] == "spoiled"


def test_where_one_fails_those_before_it_stay_restored(
    stage: tuple[House, FakeBackupStore], say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, _ = stage
    spoil(house)
    data_in = house.native.data_in

    def failing(units, data, *, done):  # type: ignore[no-untyped-def]
        if units[0].service == "keeper":
            raise ServiceError("the disk is full", hint="Free some.")
        data_in(units, data, done=done)

    monkeypatch.setattr(house.native, "data_in", failing)
    said = say("--json", "restore", "keeper", "base", "-y", "--unverified")
    assert said.code == 3
    assert "reached: base; failed: keeper" in said.err
    assert "the disk is full" in said.err
    assert house.native.data[house.key] == "precious"
    assert house.native.data[house.key[0], "keeper"] == "spoiled"
