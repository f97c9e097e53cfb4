"""What a restore comes to: the service runs with the data of the backup, or as it was; in its place or beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.errors import (
    BackupError,
    MloxError,
    RequirementError,
    RolledBackError,
    UsageError,
)
from mlox.protocols import Kept
from mlox.stack import Stack
from mlox.testing import FakeBackupStore
from tests.moving_stage import House
from tests.saving_stage import housed, stands

Stage = tuple[House, FakeBackupStore]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Stage:
    return housed(monkeypatch, isolated)


def test_after_a_purge_it_comes_back_with_the_same_password(stage: Stage) -> None:
    house, _ = stage
    before = house.stack.surroundings().store.get("base.password").reveal()
    house.stack.backup("base")
    house.stack.down("app", "base", purge=True)
    assert "base.password" not in house.stack.surroundings().store.names()
    house.stack.restore("base")
    assert house.stack.surroundings().store.get("base.password").reveal() == before
    assert house.native.data[house.key] == "precious"
    house.stack.up()
    assert stands(house, "precious")
    assert house.native.effects.count("job base.server first") == 1


def test_a_service_that_mlox_yaml_does_not_name_any_more_is_written_again(stage: Stage) -> None:
    house, _ = stage
    house.stack.backup("base")
    house.stack.down("app", "base", purge=True)
    for name in ("app", "base"):
        house.stack.drop(name)
    house.stack.restore("base")
    written = house.stack.workspace.read().services["base"]
    assert (written.service, written.version) == ("base", "1")
    assert house.native.data[house.key] == "precious"
    assert house.stack.plan().actions == ()


def test_beside_it_under_another_name(stage: Stage) -> None:
    house, _ = stage
    house.stack.backup("base")
    house.native.data[house.key] = "newer"
    house.native.execs.programs["tell"] = lambda *_: (0, house.native.data[house.key[0], "copy"].encode())
    house.stack.restore("base", as_="copy")
    assert house.native.data[house.key] == "newer"
    assert house.native.data[house.key[0], "copy"] == "precious"
    store = house.stack.surroundings().store
    assert store.get("copy.password") == store.get("base.password")
    assert house.stack.names() == ("base", "app", "copy")
    assert house.stack.plan().actions == ()


@pytest.mark.parametrize("how", ["cut off", "spoiled", "dies", "tells something else", "cannot tell", "for others"])
def test_a_restore_that_fails_leaves_it_as_it_was(
    stage: Stage, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house, place = stage
    (backup,) = house.stack.backup("base").backups
    house.native.data[house.key] = "newer"
    data = f"{backup.folder}/data.age"
    if how == "cut off":
        place.files[data] = place.files[data][:-30]
    elif how == "spoiled":
        place.files[data] = place.files[data][:-30] + bytes(30)
    elif how == "dies":
        house.native.dying["base.server"] = "exit status 3"
        start = house.native.start

        def once(unit: object, secrets: object, emit: object) -> None:
            start(unit, secrets, emit)  # type: ignore[arg-type]
            house.native.dying.clear()

        monkeypatch.setattr(house.native, "start", once)
    elif how == "tells something else":
        house.native.execs.programs["tell"] = lambda *_: (0, b"nothing")
    elif how == "cannot tell":
        house.native.execs.programs["tell"] = lambda *_: (3, b"who are you?")
    else:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("MLOX_DATA_HOME", str(tmp_path))
            sealing = Stack("other", path=tmp_path).surroundings().vault.sealing
            place.files[data] = b"".join(sealing.sealed([b"x"]))
    with pytest.raises(MloxError) as caught:
        house.stack.restore("base")
    assert isinstance(caught.value, RolledBackError), caught.value
    assert "is as it was, with its data" in caught.value.problem
    assert caught.value.hint
    assert stands(house, "newer")


def test_what_was_written_while_it_was_saved_can_be_taken_as_it_is(stage: Stage) -> None:
    house, _ = stage
    told = house.native.execs.programs["tell"]
    house.native.execs.programs["tell"] = lambda *_: (0, b"before somebody wrote")
    house.stack.backup("base")
    house.native.execs.programs["tell"] = told
    house.native.data[house.key] = "newer"
    with pytest.raises(RolledBackError, match="does not hold what it held") as caught:
        house.stack.restore("base")
    assert "--unverified" in (caught.value.hint or "")
    done = house.stack.restore("base", verify=False)
    assert done.to_json()["verified"] == "data"
    assert stands(house, "precious")


def test_where_there_is_no_room_to_keep_what_is_there_nothing_is_replaced(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, _ = stage
    house.stack.backup("base")
    house.native.data[house.key] = "newer"
    keep = house.native.keep

    def keeping_no_data(stack: str, service: str, *, data: bool) -> Kept:
        assert data
        return Kept(keep(stack, service, data=False).units, False, "it takes 2 GB of 1")

    monkeypatch.setattr(house.native, "keep", keeping_no_data)
    with pytest.raises(RolledBackError, match="there is no room to keep what base holds now"):
        house.stack.restore("base")
    assert stands(house, "newer")


def test_another_kind_of_service_and_another_major_version_are_refused(stage: Stage) -> None:
    house, _ = stage
    house.stack.backup("base")
    with pytest.raises(UsageError, match="app is a app, and the backup is of a base"):
        house.stack.restore("base", as_="app")
    path = house.stack.workspace.path
    path.write_text(path.read_text().replace('version: "1"', 'version: "2"', 1))
    with pytest.raises(RequirementError, match="the backup has the data of version 1, and base is 2"):
        house.stack.restore("base")


def test_a_record_that_somebody_moved_or_spoiled_is_refused(stage: Stage) -> None:
    house, place = stage
    (backup,) = house.stack.backup("base").backups
    record = f"{backup.folder}/backup.json"
    good = place.files[record]
    for bad in (b"", b"[]", b"{}", good.replace(b'"schema": 1', b'"schema": 2'), good.replace(b"base", b"best")):
        place.files[record] = bad
        with pytest.raises(BackupError) as caught:
            house.stack.restore("base")
        assert caught.value.hint
