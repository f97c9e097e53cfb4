"""What a service has in an account at another one, such as tables, is in its backup and comes back with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlox.errors import BackupError, MloxError, RolledBackError, ServiceError
from mlox.testing import FakeBackupStore
from mlox.values.saved import SavingPlanned
from tests.accounts_stage import ACCOUNT, NEW, OLD, House, housed
from tests.test_apply_kills import KilledError
from tests.test_moving_kills import Dying
from tests.test_saving_kills import PLACE, SEAMS

Stage = tuple[House, FakeBackupStore]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Stage:
    return housed(monkeypatch, isolated)


def test_after_a_purge_it_comes_back_with_its_tables(stage: Stage) -> None:
    house, place = stage
    (backup,) = house.stack.backup("mlflow").backups
    assert set(backup.accounts) == {"database"}
    assert {path.rpartition("/")[2] for path in place.files} == {
        *("about.age", "backup.json", "data.age", "database.account.age")
    }
    assert b"saved" not in b"".join(place.files.values())
    house.stack.down("mlflow", purge=True)
    assert house.native.tables() is None
    house.stack.restore("mlflow")
    assert house.holds("saved")


def test_in_its_place(stage: Stage) -> None:
    house, _ = stage
    house.stack.backup("mlflow")
    house.write("newer")
    house.stack.restore("mlflow")
    assert house.holds("saved")


def test_beside_it_with_an_account_of_its_own(stage: Stage) -> None:
    house, _ = stage
    house.stack.backup("mlflow")
    house.write("newer")
    house.stack.restore("mlflow", as_="copy", verify=False)
    assert house.native.tables() == ["newer", OLD]
    assert house.native.tables("copy_database") == ["saved", OLD]


def test_a_rollback_takes_tables_back(stage: Stage) -> None:
    """What a newer version made of them, an older one could not read."""
    house, _ = stage
    house.stack.upgrade("mlflow", version=NEW)
    assert house.native.tables() == ["saved", OLD, NEW]
    house.stack.rollback("mlflow")
    assert house.holds("saved")


def test_an_upgrade_forgets_what_it_kept(stage: Stage) -> None:
    house, _ = stage
    house.stack.upgrade("mlflow", version=NEW)
    assert house.native.databases["postgres"].copies == {}


@pytest.mark.parametrize("how", ["dies", "cannot be brought in", "spoiled", "tells something else"])
def test_a_restore_that_fails_leaves_its_tables_as_they_were(stage: Stage, how: str) -> None:
    house, place = stage
    (backup,) = house.stack.backup("mlflow").backups
    house.write("newer")
    told = house.native.execs.programs["python3"]
    if how == "dies":
        house.native.dying_once.add("mlflow.server")
    elif how == "cannot be brought in":
        house.native.cannot_load = True
    elif how == "spoiled":
        file = f"{backup.folder}/database.account.age"
        place.files[file] = place.files[file][:-30] + bytes(30)
    else:
        house.native.execs.programs["python3"] = lambda *_: (0, b"nothing")
    with pytest.raises(RolledBackError):
        house.stack.restore("mlflow")
    house.native.execs.programs["python3"] = told
    assert house.holds("newer")


def test_one_that_fails_after_a_purge_leaves_no_account(stage: Stage) -> None:
    house, _ = stage
    house.stack.backup("mlflow")
    house.stack.down("mlflow", purge=True)
    house.native.dying_once.add("mlflow.server")
    with pytest.raises(MloxError):
        house.stack.restore("mlflow")
    assert house.native.tables() is None
    house.stack.up()
    assert house.native.tables() == []


def test_a_copy_that_a_killed_restore_left_is_not_gone_back_to(stage: Stage) -> None:
    house, _ = stage
    house.stack.backup("mlflow")
    house.native.databases["postgres"].copies[ACCOUNT] = ["long ago"]
    house.native.dying_once.add("mlflow.server")
    with pytest.raises(RolledBackError):
        house.stack.restore("mlflow")
    assert house.holds("saved")


def test_a_provider_that_does_not_run_is_told_before_anything_stops(stage: Stage) -> None:
    house, place = stage
    house.native.stop(house.id, "postgres", "server", purge=False, emit=lambda _: None)
    with pytest.raises(ServiceError, match="mlflow has data in mlflow_database in postgres, which does") as said:
        house.stack.backup("mlflow")
    assert said.value.hint == "Start that: mlox up postgres."
    assert not place.files
    assert [o.state for o in house.native.observe(house.id, "mlflow")] == ["running"]


def test_where_its_provider_is_saved_by_its_files_it_is_in_those(stage: Stage) -> None:
    house, _ = stage
    house.stack.down()
    saved = {backup.service: backup for backup in house.stack.backup().backups}
    assert saved["postgres"].how == "copy"
    assert saved["mlflow"].accounts == {}


def test_what_it_would_save_is_told(stage: Stage) -> None:
    house, _ = stage
    planned = SavingPlanned(house.stack.plan_backup("mlflow"))
    assert "with mlflow: mlflow_database in postgres" in planned.text()
    assert planned.to_json()["accounts"] == {"mlflow": ("mlflow_database in postgres",)}


def test_an_account_that_is_not_as_it_was_sent_is_no_backup(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    house, place = stage
    get = place.get

    def other(path: str) -> Iterator[bytes]:
        return iter([place.files[path][:-1]]) if path.endswith("account.age") else get(path)

    monkeypatch.setattr(place, "get", other)
    with pytest.raises(BackupError):
        house.stack.backup("mlflow")
    assert not place.files


def killed(
    tmp_path: Path, after: bool, prepare: Callable[[House], None], work: Callable[[House], object]
) -> Iterator[tuple[House, str]]:
    """A house for each step at which the work can be killed, and that step."""
    for step in range(400):
        with pytest.MonkeyPatch.context() as monkeypatch:
            folder = tmp_path / str(step)
            folder.mkdir()
            house, place = housed(monkeypatch, folder)
            prepare(house)
            with monkeypatch.context() as killing:
                dying = Dying(house, killing, step, after, (*SEAMS, "run_job"))  # type: ignore[arg-type]
                for name in PLACE:
                    killing.setattr(place, name, dying.dying(f"place.{name}", getattr(place, name)))
                with contextlib.suppress(KilledError):
                    work(house)
            if step >= len(dying.calls):
                return
            yield house, dying.calls[step]


@pytest.mark.slow
@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize("there", [True, False], ids=["in its place", "after a purge"])
@pytest.mark.parametrize(("after", "rebooted"), [(False, True), (True, False)], ids=["before, and a reboot", "after"])
def test_after_a_kill_at_any_step_of_a_restore_files_and_tables_are_of_one_day(
    tmp_path: Path, after: bool, there: bool, rebooted: bool
) -> None:
    def prepare(house: House) -> None:
        house.stack.backup("mlflow")
        house.write("newer")
        if not there:
            house.stack.down("mlflow", purge=True)

    ends = []
    for house, step in killed(tmp_path, after, prepare, lambda house: house.stack.restore("mlflow")):
        if rebooted:
            house.native.reboot()
        house.stack.up()
        words = house.native.files
        if there or words:
            assert house.holds(words, tidy=False), step
        else:
            assert house.native.tables() == [], step
        house.stack.restore("mlflow")
        assert house.holds("saved"), step
        ends.append(words)
    print(f"{len(ends)} steps, {ends.count('saved')} new")
    assert set(ends) == ({"newer", "saved"} if there else {"", "saved"})
