"""What an upgrade and a rollback come to: the other version with the data, or all as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mlox.errors import BackupError, MloxError, RequirementError, RolledBackError, UsageError
from mlox.testing import FakeBackupStore
from tests.moving_stage import BASE, House
from tests.saving_stage import housed

Stage = tuple[House, FakeBackupStore]
MIGRATE = "jobs: {first: {unit: server, argv: [first]}, migrate: {unit: server, when: upgrade, argv: [migrate]}}"
DUMP = "backup: {unit: server, argv: [dump]}\nrestore: {unit: server, argv: [load]}\n"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Stage:
    return housed(monkeypatch, isolated)


def published(house: House, version: str, *changes: tuple[str, str], more: str = "") -> None:
    """The catalog has another version of base, and the machine its program."""
    text = BASE.replace('version: "1"', f'version: "{version}"').replace("echo v1", f"echo v{version}")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (house.stack.workspace.root / "services" / "base.yaml").write_text(text + more)
    house.native.programs["sh"] = version


def migrating(house: House, version: str) -> None:
    published(house, version, ("jobs: {first: {unit: server, argv: [first]}}", MIGRATE))


def dumping(house: House, version: str) -> None:
    """Its commands write and read its words with a mark, and only while it runs."""
    published(house, version, more=DUMP)

    def dump(argv: Sequence[str], environment: Mapping[str, str], given: bytes) -> tuple[int, bytes]:
        del argv, environment, given
        return 0, f"dumped:{house.native.data[house.key]}".encode()

    def load(argv: Sequence[str], environment: Mapping[str, str], given: bytes) -> tuple[int, bytes]:
        del argv, environment
        assert house.key not in house.native.data
        house.native.data[house.key] = given.decode().removeprefix("dumped:")
        return 0, b""

    house.native.execs.programs |= {"dump": dump, "load": load}


def runs(house: House, version: str, words: str) -> bool:
    """Whether base runs in that version with these words, and nothing is half done."""
    seen = {o.service: o for o in house.native.observe(house.stack.id)}
    assert (seen["base"].unit.version, seen["base"].state, seen["base"].previous) == (version, "running", None)
    assert house.stack.workspace.read().services["base"].version == version
    assert house.native.data[house.key] == words
    assert house.native.passages(house.key[0]) == ()
    assert seen["app"].state == "running"
    return True


def test_the_next_version_starts_on_the_data_after_its_migration_which_runs_once(stage: Stage) -> None:
    house, _ = stage
    migrating(house, "1.1")
    done = house.stack.upgrade("base")
    assert runs(house, "1.1", "precious")
    assert house.native.effects.count("job base.server migrate-1-1") == 1
    house.stack.restart("base")
    assert house.native.effects.count("job base.server migrate-1-1") == 1
    assert (done.before, done.after) == ("1", "1.1")
    assert [each.version for each in house.stack.backups("base").backups] == ["1"]
    assert "base: 1 → 1.1" in str(done)
    told = json.loads(json.dumps(done.to_json()))
    assert told["backup"]["id"] == house.stack.backups("base").backups[0].id


def test_another_major_version_gets_the_data_by_dump_into_an_empty_service(stage: Stage) -> None:
    house, _ = stage
    published(house, "1")
    dumping(house, "2")
    assert house.stack.plan_upgrade("base").dumps
    house.stack.upgrade("base")
    assert runs(house, "2", "precious")
    assert "remove the data of base" in house.native.effects
    assert [each.how for each in house.stack.backups("base").backups] == ["dump"]


def test_without_a_dump_or_a_migration_another_major_version_is_refused(stage: Stage) -> None:
    house, _ = stage
    published(house, "2")
    with pytest.raises(RequirementError, match="nothing brings that to 2") as caught:
        house.stack.upgrade("base")
    assert caught.value.hint == "Run a second one beside it: mlox up base@2 --as NAME."
    migrating(house, "2")
    house.stack.upgrade("base")
    assert runs(house, "2", "precious")


def test_of_a_dump_beside_which_somebody_writes_the_data_alone_is_compared(stage: Stage) -> None:
    house, _ = stage
    dumping(house, "1")
    house.stack.up()
    words = iter(("one", "two", "three"))
    tell = house.native.execs.programs["tell"]
    house.native.execs.programs["tell"] = lambda *_: (0, next(words).encode())
    (backup,) = house.stack.backup("base").backups
    assert (backup.how, backup.held) == ("dump", "")
    house.native.execs.programs["tell"] = tell
    house.native.data[house.key] = "newer"
    assert house.stack.restore("base").to_json()["verified"] == "data"
    assert runs(house, "1", "precious")


@pytest.mark.parametrize("how", ["migration", "dies", "load", "holds something else"])
def test_an_upgrade_that_fails_comes_back_by_itself(stage: Stage, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    house, _ = stage
    if how in ("migration", "dies"):
        migrating(house, "1.1")
    else:
        published(house, "1")
        dumping(house, "2")
    if how == "migration":
        house.native.failing_jobs["migrate-1-1"] = "no such column"
    elif how == "dies":
        start = house.native.start

        def new_one_dies(unit: object, secrets: object, emit: object) -> None:
            version = unit.version  # type: ignore[attr-defined]
            house.native.dying = {"base.server": "exit status 3"} if version == "1.1" else {}
            start(unit, secrets, emit)  # type: ignore[arg-type]

        monkeypatch.setattr(house.native, "start", new_one_dies)
    elif how == "load":
        house.native.execs.programs["load"] = lambda *_: (3, b"syntax error")
    else:
        load = house.native.execs.programs["load"]

        def losing(argv: Sequence[str], environment: Mapping[str, str], given: bytes) -> tuple[int, bytes]:
            return load(argv, environment, given.replace(b"precious", b"less"))

        house.native.execs.programs["load"] = losing
    with pytest.raises(RolledBackError) as caught:
        house.stack.upgrade("base")
    assert caught.value.hint
    assert runs(house, "1", "precious")


def test_back_to_the_version_before_with_the_data_of_then(stage: Stage) -> None:
    house, _ = stage
    migrating(house, "1.1")
    house.stack.upgrade("base")
    house.native.data[house.key] = "written since"
    done = house.stack.rollback("base")
    assert runs(house, "1", "precious")
    assert (done.before, done.after) == ("1.1", "1")
    assert [each.version for each in house.stack.backups("base").backups] == ["1.1", "1"]
    house.stack.upgrade("base")
    assert runs(house, "1.1", "precious")


def test_what_is_there_already_or_older_or_not_there(stage: Stage) -> None:
    house, place = stage
    assert str(house.stack.upgrade("base")).startswith("base is 1 already")
    assert place.files == {}
    with pytest.raises(BackupError, match="there is no backup of another version of base"):
        house.stack.rollback("base")
    migrating(house, "1.1")
    house.stack.upgrade("base")
    with pytest.raises(UsageError, match=r"base is 1.1, and 1 is older") as caught:
        house.stack.upgrade("base", "1")
    assert caught.value.hint == "Back to what it was: mlox rollback base."
    house.stack.down("app", "base", purge=True)
    with pytest.raises(UsageError, match="nothing is there of base"):
        house.stack.upgrade("base")


def test_what_is_planned_touches_nothing(stage: Stage) -> None:
    house, place = stage
    migrating(house, "1.1")
    effects, text = [*house.native.effects], house.stack.workspace.path.read_text()
    planned = house.stack.plan_upgrade("base")
    assert (planned.before, planned.after, planned.dumps, planned.stops) == ("1", "1.1", False, ("base", "app"))
    assert (house.native.effects, house.stack.workspace.path.read_text(), place.files) == (effects, text, {})


def test_a_place_that_fails_stops_an_upgrade_before_it_begins(stage: Stage) -> None:
    house, place = stage
    migrating(house, "1.1")
    place.failure = "No space left on device"
    with pytest.raises(MloxError, match="No space left"):
        house.stack.upgrade("base")
    assert runs(house, "1", "precious")
    house.stack.upgrade("base", backup=False)
    assert runs(house, "1.1", "precious")
