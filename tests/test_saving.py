"""What a backup and a restore come to: the service runs with the data of one moment, and nothing half is left."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from mlox.errors import (
    BackupError,
    ServiceError,
    UnknownNameError,
    UsageError,
)
from mlox.protocols import Event
from mlox.testing import FakeBackupStore
from mlox.verbs.consequences import what_goes
from tests.moving_stage import House
from tests.saving_stage import housed, stands

Stage = tuple[House, FakeBackupStore]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Stage:
    return housed(monkeypatch, isolated)


def test_what_was_saved_comes_back_in_its_place(stage: Stage) -> None:
    house, place = stage
    made = house.stack.backup("base")
    assert stands(house, "precious")
    (backup,) = made.backups
    assert (backup.service, backup.catalog, backup.version, backup.how) == ("base", "base", "1", "copy")
    assert len(place.files) == 3
    house.native.data[house.key] = "spoiled"
    done = house.stack.restore("base")
    assert stands(house, "precious")
    assert done.backup == backup
    assert "its data and what the service holds compared" in str(done)
    assert json.loads(json.dumps(done.to_json()))["stops"] == ["base", "app"]


def test_the_place_holds_nothing_that_anybody_could_read(stage: Stage) -> None:
    house, place = stage
    password = house.stack.surroundings().store.get("base.password").reveal()
    house.stack.backup("base")
    for path, content in place.files.items():
        assert password.encode() not in content, path
        assert b"precious" not in content, path
        assert path.endswith("backup.json") or content.startswith(b"age-encryption.org/v1")


def test_an_older_one_by_the_beginning_of_its_id(stage: Stage) -> None:
    house, _ = stage
    (first,) = house.stack.backup("base").backups
    house.native.data[house.key] = "newer"
    (second,) = house.stack.backup("base").backups
    assert [each.id for each in house.stack.backups("base").backups] == [second.id, first.id]
    house.stack.restore("base", backup=first.id)
    assert stands(house, "precious")
    with pytest.raises(UnknownNameError):
        house.stack.restore("base", backup="19990101")


def test_only_so_many_stay(stage: Stage) -> None:
    house, place = stage
    ids = [house.stack.backup("base", keep=2).backups[0].id for _ in range(4)]
    assert [each.id for each in house.stack.backups().backups] == ids[:1:-1]
    assert len(place.files) == 6


def test_what_needs_it_stops_only_meanwhile_and_what_does_not_never(stage: Stage) -> None:
    house, _ = stage
    planned = house.stack.plan_backup("base")
    assert (dict(planned.services), planned.stops, planned.running) == ({"base": 8}, ("base", "app"), ())
    before = len(house.native.effects)
    house.stack.backup("base")
    assert house.native.effects[before:] == [
        "stop app.server",
        "stop base.server",
        "start base.server",
        "start app.server",
    ]
    house.stack.down("app")
    house.stack.backup("base")
    assert house.where()["app"] == ["local stopped"]


def test_a_service_that_is_stopped_stays_so(stage: Stage) -> None:
    house, _ = stage
    house.stack.down("app", "base")
    house.stack.backup("base")
    assert house.where() == {"base": ["local stopped"], "app": ["local stopped"]}
    house.stack.restore("base")
    assert house.native.data[house.key] == "precious"


def test_without_names_all_that_keep_data_are_saved(stage: Stage) -> None:
    house, _ = stage
    assert [each.service for each in house.stack.backup().backups] == ["base"]
    with pytest.raises(UsageError, match="app keeps no data"):
        house.stack.backup("app")
    with pytest.raises(UnknownNameError):
        house.stack.backup("bse")
    house.stack.down("app", "base", purge=True)
    with pytest.raises(UsageError, match="nothing that is there keeps data"):
        house.stack.backup()


@pytest.mark.parametrize("when", ["at once", "when it is read back", "at the record"])
def test_a_place_that_fails_leaves_nothing_half_and_the_service_running(
    stage: Stage, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, place = stage
    if when == "at once":
        place.failure = "No space left on device"
    elif when == "at the record":
        put = place.put
        monkeypatch.setattr(
            place, "put", lambda path, chunks: put(path, chunks) if path.endswith(".age") else _failing(path)
        )
    else:
        get = place.get
        monkeypatch.setattr(place, "get", lambda path: iter([b"".join(get(path))[:-20]]))
    with pytest.raises(BackupError) as caught:
        house.stack.backup("base")
    assert caught.value.hint
    assert place.files == {}
    assert stands(house, "precious")


def _failing(path: str) -> int:
    raise BackupError(f"cannot write {path}: no", hint="Mend it.")


def test_a_service_that_does_not_start_again_is_saved_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, _ = stage
    with monkeypatch.context() as broken:
        broken.setitem(house.native.dying, "app.server", "exit status 3")
        with pytest.raises(ServiceError, match=r"all was saved, but not all (.|\n)*app died at start") as caught:
            house.stack.backup("base")
    assert caught.value.hint
    assert len(house.stack.backups("base").backups) == 1
    house.stack.up()
    house.native.data[house.key] = "newer"
    house.stack.restore("base")
    assert stands(house, "precious")


def test_nothing_there_and_a_service_nobody_knows(stage: Stage) -> None:
    house, _ = stage
    with pytest.raises(BackupError, match="there is no backup of base in memory") as caught:
        house.stack.restore("base")
    assert caught.value.hint == "Make one: mlox backup base."
    assert str(house.stack.backups()) == "no backups yet: mlox backup"


def test_it_is_told_what_goes_on_and_the_history_remembers(stage: Stage) -> None:
    house, _ = stage
    told: list[Event] = []
    house.stack.backup("base", emit=told.append)
    texts = [event.message for event in told if event.service == "base"]
    for text in ("asking what it holds on local", "stopping", "saving its data", "starting", "reading it back"):
        assert text in texts
    house.stack.restore("base")
    (entry, *_) = house.stack.history("base").entries
    assert (entry.outcome, entry.steps[0].reasons[0][:8]) == ("done", "+ data: ") or "data" in entry.steps[0].reasons[0]


def test_a_purge_names_the_last_backup(stage: Stage) -> None:
    house, place = stage

    def question() -> str:
        return what_goes(house.stack, house.stack.plan_down("app", "base", purge=True))

    assert question().endswith("; no backup).")
    (backup,) = house.stack.backup("base").backups
    day = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(backup.taken))
    assert f"; last backup of base: {day}; no backup of app)." in question()
    place.files[f"{backup.folder}/backup.json"] = b"{}"
    assert "backups cannot be looked at: " in question()
