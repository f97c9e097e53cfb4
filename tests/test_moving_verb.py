"""What the shell says of a move: the question, the dry run, the result, for people and for scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.verbs import find_verb
from tests.moving_stage import House, both_servers, furnish
from tests.shell_stage import Say, files


@pytest.fixture
def house(say: Say, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> House:
    del say
    return furnish(isolated, *both_servers(monkeypatch))


def test_a_dry_run_tells_and_changes_nothing(house: House, say: Say, isolated: Path) -> None:
    before, effects = files(isolated), [*house.native.effects]
    said = say("move", "base", "--to", "docker", "--dry-run")
    assert said.code == 0
    assert said.out.splitlines() == [
        "move base: local → docker",
        "  stops meanwhile: base, app",
        "  copies: data, 0.0 MB",
        "  verified by its data and by its own content",
        "nothing was changed",
    ]
    told = say("--json", "move", "base", "--to", "docker", "--dry-run").json
    assert told == {
        "service": "base",
        "from": "local",
        "to": "docker",
        "version": {"from": "1", "to": "1"},
        "data": {"folders": ["data"], "bytes": 8},
        "stops": ["base", "app"],
        "wired": [],
        "verified": "content",
    }
    assert (files(isolated), house.native.effects) == (before, effects)
    assert house.running("local")


def test_it_asks_since_it_stops_services(house: House, say: Say) -> None:
    said = say("move", "base", "--to", "docker")
    assert said.code == 2
    assert "This stops base and app while 0.0 MB of data are moved to docker." in said.err
    assert house.running("local")


def test_the_result_is_told(house: House, say: Say) -> None:
    said = say("--json", "move", "base", "--to", "docker", "-y").json
    assert said["data"]["entries"] == 1
    assert len(said["data"]["digest"]) == 64
    assert [row["name"] for row in said["services"]] == ["base", "app"]
    assert house.running("docker")
    assert say("status").out.splitlines()[0].split()[:3] == ["base", "running", "docker"]
    again = say("move", "base", "--to", "docker")
    assert again.code == 0
    assert again.out.splitlines()[0] == "base is on docker already"


def test_a_service_that_cannot_tell_what_it_holds_is_said_to_be_verified_by_its_data_alone(
    house: House, say: Say
) -> None:
    path = house.stack.workspace.root / "services" / "base.yaml"
    path.write_text(path.read_text().partition("verify:")[0])
    assert say("up").code == 0
    said = say("move", "base", "--to", "docker", "-y")
    assert said.code == 0
    assert "verified by its data; it brings no command that tells what it holds" in said.out
    assert house.running("docker")


def test_up_elsewhere_names_the_verb(house: House, say: Say) -> None:
    said = say("up", "base", "--on", "docker")
    assert said.code == 2
    assert "hint: Move it: mlox move base --to docker; or add a second one with --as." in said.err
    assert house.running("local")


def test_what_fails_is_told_with_its_way_back(house: House, say: Say) -> None:
    house.engine.dying["base.server"] = "exit status 3"
    said = say("--json", "move", "base", "--to", "docker", "-y")
    assert said.code == 1
    error = said.error
    assert error["type"] == "RolledBackError"
    assert "base runs on local again, with its data" in error["problem"]
    assert house.running("local")


def test_help_names_the_verb() -> None:
    verb, _ = find_verb(["move", "base"])
    assert verb.summary == "Move a service with its data to another server, and wire its consumers anew."
