"""Whether a run of tests takes a slice of what is long: some of each file, other ones for another change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slices import leave_out, seeded


class Item:
    """What a slice asks of a test."""

    def __init__(self, file: str, *marks: str) -> None:
        self.path = Path(file)
        self.marks = set(marks)
        self.whole = "whole" in self.marks

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return pytest.Mark(name, (), {"whole": self.whole}, _ispytest=True) if name in self.marks else None

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.marks.add(mark.name)


def taken(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, ...]:
    monkeypatch.setenv("MLOX_TEST_SEED", str(seed))
    many, one = [Item("many.py", "long") for _ in range(10)], Item("one.py", "long")
    quick, full = Item("many.py"), Item("many.py", "long", "exhaustive")
    leave_out([*many, one, quick, full])  # type: ignore[list-item]
    assert "exhaustive" not in one.marks | quick.marks
    return tuple(number for number, item in enumerate(many) if "exhaustive" not in item.marks)


def test_one_in_four_of_a_file_is_taken_and_each_in_some_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [taken(seed, monkeypatch) for seed in range(30)]
    assert {len(run) for run in runs} == {3}
    assert {number for run in runs for number in run} == set(range(10))
    assert runs == [taken(seed, monkeypatch) for seed in range(30)]


def test_files_whose_tests_go_on_with_each_other_are_taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for seed in range(30):
        monkeypatch.setenv("MLOX_TEST_SEED", str(seed))
        items = {file: [Item(file, "long", "whole") for _ in range(4)] for file in ("a.py", "b.py", "c.py", "d.py")}
        leave_out([item for some in items.values() for item in some])  # type: ignore[misc]
        run = [file for file, some in items.items() if "exhaustive" not in some[0].marks]
        assert all(len({"exhaustive" in item.marks for item in some}) == 1 for some in items.values())
        assert len(run) == 1
        found |= set(run)
    assert found == items.keys()


def test_without_a_seed_the_commit_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLOX_TEST_SEED", raising=False)
    assert seeded()[1] == seeded()[1] >= 0
