"""What is left when the process is killed at any step of a backup or of a restore: what the next verb finishes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlox.testing import FakeBackupStore
from tests.moving_stage import House
from tests.saving_stage import housed, stands
from tests.test_apply_kills import KilledError
from tests.test_moving_kills import Dying

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("isolated")]

SEAMS = (
    *("pin", "prepare", "start", "stop", "probe", "exec", "recover", "keep", "take_back", "settle"),
    *("note_passage", "passages", "forget_passage", "data_size", "data_out", "data_in", "data_gone"),
)
PLACE = ("put", "get", "paths", "remove")


def killed(
    tmp_path: Path, after: bool, prepare: Callable[[House], None], work: Callable[[House], object]
) -> Iterator[tuple[House, FakeBackupStore, str]]:
    """A house for each step at which the work can be killed, and that step."""
    for step in range(300):
        with pytest.MonkeyPatch.context() as monkeypatch:
            folder = tmp_path / str(step)
            folder.mkdir()
            house, place = housed(monkeypatch, folder)
            prepare(house)
            with monkeypatch.context() as killing:
                dying = Dying(house, killing, step, after, SEAMS)
                for name in PLACE:
                    killing.setattr(place, name, dying.dying(f"place.{name}", getattr(place, name)))
                with contextlib.suppress(KilledError):
                    work(house)
            if step >= len(dying.calls):
                return
            yield house, place, dying.calls[step]


def furnished(house: House) -> None:
    """As it is, with words to save."""
    assert stands(house, "precious")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_at_any_step_of_a_backup_up_converges_and_the_next_one_is_whole(
    tmp_path: Path, after: bool
) -> None:
    steps = []
    for house, place, step in killed(tmp_path, after, furnished, lambda house: house.stack.backup("base")):
        steps.append(step)
        house.stack.up()
        assert stands(house, "precious"), step
        found = house.stack.backups().backups
        for backup in found:  # whatever counts is whole
            house.stack.restore("base", backup=backup.id)
            assert stands(house, "precious"), step
        (made,) = house.stack.backup("base", keep=1).backups
        assert {path.split("/")[2] for path in place.files} == {made.id}, step
    print(f"{len(steps)} steps")
    assert len(set(steps)) > 10


@pytest.mark.parametrize("there", [True, False], ids=["in its place", "after a purge"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_at_any_step_of_a_restore_it_is_the_old_or_the_new(
    tmp_path: Path, after: bool, there: bool
) -> None:
    def prepare(house: House) -> None:
        house.stack.backup("base")
        house.native.data[house.key] = "newer"
        if not there:
            house.stack.down("app", "base", purge=True)

    ends = []
    for house, _, step in killed(tmp_path, after, prepare, lambda house: house.stack.restore("base")):
        house.stack.up()
        words = house.native.data.get(house.key)
        assert words in (("newer", "precious") if there else (None, "precious")), step
        if there:
            assert stands(house, words or ""), step
        house.stack.restore("base")
        house.stack.up()
        assert stands(house, "precious"), step
        ends.append(words)
    print(f"{len(ends)} steps, {ends.count('precious')} new")
    assert len(set(ends)) == 2
