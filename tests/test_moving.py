"""What a move comes to: the service runs there with its data, or where it was; never twice, never without its data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlox.errors import MloxError, RequirementError, RolledBackError, UnknownNameError, UsageError
from mlox.protocols import Passage
from mlox.stack.moved import Moved
from tests.moving_stage import House, both_servers, furnish


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, isolated: Path) -> House:
    return furnish(isolated, *both_servers(monkeypatch))


def test_a_service_moves_with_its_data_and_its_consumer_is_wired_anew(house: House) -> None:
    port = house.stack.service("base").address()
    done = house.stack.move("base", "docker")
    assert house.running("docker")
    assert isinstance(done, Moved)
    assert done.content.entries == 1
    assert house.stack.service("base").address() == port
    assert "moved: local → docker" in str(done)
    assert "verified by its data and by its own content" in str(done)
    told = json.loads(json.dumps(done.to_json()))
    assert (told["from"], told["to"], told["verified"]) == ("local", "docker", "content")
    assert told["stops"] == ["base", "app"]
    assert {row["name"]: row["status"] for row in told["services"]} == {"base": "running", "app": "running"}


def test_the_history_tells_of_it(house: House) -> None:
    house.stack.move("base", "docker")
    house.native.dying["base.server"] = "exit status 3"
    with pytest.raises(RolledBackError):
        house.stack.move("base", "local")
    entries = [e for e in house.stack.history().entries if any(s.kind == "replace" for s in e.steps)]
    assert [(e.outcome, e.steps[0].service, e.steps[0].reasons) for e in entries] == [
        ("failed", "base", ("server: docker → local",)),
        ("done", "base", ("server: local → docker",)),
    ]
    assert entries[0].failures[0][0] == "base"


def test_there_and_back_mlox_yaml_is_as_it_was(house: House) -> None:
    before = house.stack.workspace.path.read_text()
    house.stack.move("base", "docker")
    assert house.stack.workspace.path.read_text() != before
    house.stack.move("base", "local")
    assert house.running("local")
    assert house.stack.workspace.path.read_text() == before


def test_a_container_and_its_neighbour_find_each_other_by_name(house: House) -> None:
    house.stack.move("app", "docker")
    planned = house.stack.plan_move("base", "docker")
    assert planned is not None
    assert [(w.service, w.need, w.after) for w in planned.wired] == [("app", "below", "base at base:7000")]
    done = house.stack.move("base", "docker")
    assert "app is wired anew: below" in str(done)
    assert house.running("docker")
    unit = next(o.unit for o in house.engine.observe() if o.service == "app")
    assert dict(unit.environment)["BELOW"].endswith("@base:7000")


def test_what_is_planned_touches_nothing(house: House) -> None:
    effects = [*house.native.effects]
    planned = house.stack.plan_move("base", "docker")
    assert planned is not None
    assert (planned.stops, planned.folders, planned.size_bytes) == (("app",), ("data",), 8)
    assert house.native.effects == effects
    assert house.engine.effects == []
    assert house.running("local")


def test_a_service_that_is_there_already_stays(house: House) -> None:
    assert house.stack.plan_move("base", "local") is None
    done = house.stack.move("base", "local")
    assert str(done).startswith("base is on local already")
    assert house.running("local")


def test_jobs_that_were_done_are_not_done_again(house: House) -> None:
    house.stack.move("base", "docker")
    assert "job base.server first" not in house.engine.effects
    assert house.native.effects.count("job base.server first") == 1


def test_a_stopped_service_is_started_first_so_that_it_can_tell_what_it_holds(house: House) -> None:
    house.stack.down("app", "base")
    house.stack.move("base", "docker")
    assert house.where() == {"base": ["docker running"], "app": ["local stopped"]}
    assert house.engine.data[house.key] == "precious"


@pytest.mark.parametrize("how", ["dies", "is sick", "cannot tell", "tells something else"])
def test_what_fails_there_runs_again_where_it_was(house: House, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlox.apply.health.UNPROBED_S", 0.2)
    if how == "dies":
        house.engine.dying["base.server"] = "exit status 3"
    elif how == "is sick":
        house.engine.sick.add("base.server")
    elif how == "cannot tell":
        house.engine.execs.programs["tell"] = lambda *_: (3, b"who are you?")
    else:
        house.engine.execs.programs["tell"] = lambda *_: (0, b"nothing")
    with pytest.raises(RolledBackError, match="base runs on local again, with its data") as caught:
        house.stack.move("base", "docker")
    assert caught.value.hint
    assert house.running("local")
    assert house.where()["base"] == ["local running"]
    assert house.engine.observe() == ()


def test_data_that_is_not_the_same_there_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiling(units: object, chunks: object, *, done: object) -> None:
        type(house.engine).data_in(house.engine, units, chunks, done=done)  # type: ignore[arg-type]
        house.engine.data[house.key] = "precioux"

    monkeypatch.setattr(house.engine, "data_in", spoiling)
    with pytest.raises(RolledBackError, match="the data of base is not the same on docker"):
        house.stack.move("base", "docker")
    assert house.running("local")


def test_where_nothing_could_begin_nothing_is_said_to_be_back(house: House) -> None:
    house.engine.prepare = lambda *_: (_ for _ in ()).throw(RequirementError("no image"))  # type: ignore[method-assign]
    with pytest.raises(RequirementError, match="no image"):
        house.stack.move("base", "docker")
    assert house.running("local")


def test_an_interrupt_takes_it_back(house: House) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    house.engine.data_in = interrupted  # type: ignore[method-assign]
    with pytest.raises(MloxError, match="interrupted; base is on local") as caught:
        house.stack.move("base", "docker")
    assert caught.value.exit_code == 130
    assert house.running("local")


@pytest.mark.parametrize(
    ("name", "to", "error", "match"),
    [
        ("bass", "docker", UnknownNameError, "unknown service"),
        ("base", "dokcer", UnknownNameError, "unknown server"),
        ("base", "box", UsageError, "are one place"),
        ("base", "far", RequirementError, "reached by ssh, which this version cannot do"),
    ],
)
def test_what_cannot_move_is_told(house: House, name: str, to: str, error: type[MloxError], match: str) -> None:
    text = house.stack.workspace.path.read_text()
    servers = "servers: {box: {local: true}, far: {ssh: me@far}}\n"
    house.stack.workspace.path.write_text(text.replace("services:", f"{servers}services:", 1))
    with pytest.raises(error, match=match):
        house.stack.move(name, to)
    assert house.where() == {"base": ["local running"], "app": ["local running"]}


def test_another_major_version_is_refused(house: House) -> None:
    house.native.programs["sh"] = "2.1"
    house.stack.move("base", "docker")
    with pytest.raises(RequirementError, match="base has data of version 1, and local has 2.1"):
        house.stack.move("base", "local")
    assert house.running("docker")


def test_where_there_is_no_room_it_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.native, "data_size", lambda _: 60 << 30)
    with pytest.raises(RequirementError, match="base takes about 64.4 GB on docker, which has 53.7 GB"):
        house.stack.move("base", "docker")
    assert house.running("local")


def test_another_server_by_hand_is_refused_and_the_verb_does_it(house: House) -> None:
    house.stack.workspace.put_service("base", {"server": "docker"})
    for call in (house.stack.plan, house.stack.up):
        with pytest.raises(UsageError, match="base is on local with its data") as caught:
            call()
        assert "mlox move base --to docker" in (caught.value.hint or "")
    assert house.engine.observe() == ()
    house.stack.move("base", "docker")
    assert house.running("docker")
    house.stack.workspace.put_service("base", {"server": None})
    with pytest.raises(UsageError, match="base is on docker with its data"):
        house.stack.up()
    house.stack.move("base", "local")
    assert house.running("local")


def test_a_service_without_data_is_put_elsewhere_by_hand_and_ends_where_it_was(house: House) -> None:
    house.stack.workspace.put_service("app", {"server": "docker"})
    assert [str(action.reasons[0]) for action in house.stack.plan().actions] == ["server: local → docker"]
    house.stack.up()
    assert house.where() == {"base": ["local running"], "app": ["docker running"]}
    assert house.stack.plan().actions == ()
    house.stack.workspace.put_service("app", {"server": None})
    house.stack.up()
    assert house.where() == {"base": ["local running"], "app": ["local running"]}


def test_a_service_without_data_that_fails_elsewhere_is_back(house: House) -> None:
    house.engine.dying["app.server"] = "exit status 3"
    house.stack.workspace.put_service("app", {"server": "docker"})
    with pytest.raises(MloxError, match="app is on local again, as before"):
        house.stack.up()
    assert house.where() == {"base": ["local running"], "app": ["local running"]}


def test_up_on_another_server_says_how_to_move(house: House) -> None:
    from mlox.stack import Asked

    with pytest.raises(UsageError) as caught:
        house.stack.plan(asked=[Asked("base", server="docker")])
    assert "server is local, not docker" in caught.value.problem
    assert "mlox move base --to docker" in (caught.value.hint or "")


def test_what_a_server_has_noted_and_nobody_can_reach_is_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.native.note_passage(house.key[0], Passage("base", "leaving", "docker"))
    monkeypatch.setattr(house.engine, "passages", lambda _: (_ for _ in ()).throw(RequirementError("no engine")))
    house.stack.up()
    assert house.native.passages(house.key[0]) == (Passage("base", "leaving", "docker"),)
