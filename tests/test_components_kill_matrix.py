"""Every change of components, ended at every call that changes the disk: the next verb finds all old or all new.

``make test`` takes those of adding and removing one component, and a slice of the others; ``make test-exhaustive``
takes all. The seed is printed; MLOX_TEST_SEED sets it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.kills_cases import CASES
from tests.kills_stage import WHENS, When, after, contents, counted, found_old_or_new, killed, laid_out, on_disk
from tests.slices import seeded


def test_ended_at_some_points_the_next_verb_finds_all_old_or_all_new(tmp_path: Path) -> None:
    chance, seed = seeded()
    told = []
    for number, case in enumerate(chance.sample(sorted(CASES), 2)):
        here = tmp_path / str(number)
        template = laid_out(here / "template" / "churn", case)
        old, new = contents(template), after(template, case, here / "after")
        points = counted(template, case, here / "counting")
        when = chance.choice(WHENS)
        chosen = sorted(chance.sample(range(points), 3))
        for at, root in zip(chosen, killed(template, case, when, here / "roots", chosen), strict=True):
            word = found_old_or_new(root, case, old, new, again=chance.random() < 0.5)
            told.append(f"{case}, {when}, {at} of {points}: {word}")
    print(f"\nMLOX_TEST_SEED={seed}", *told, sep="\n")
    assert len(told) == 6


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("when", ["before", "interrupt"])
@pytest.mark.parametrize("case", ["add", "remove"])
def test_ended_at_any_point_the_next_verb_finds_all_old_or_all_new(tmp_path: Path, case: str, when: When) -> None:
    look_at_all(tmp_path, case, when)


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES)
def test_as_the_disk_is_at_any_point_the_next_verb_finds_all_old_or_all_new(tmp_path: Path, case: str) -> None:
    """What a kill leaves is what is on the disk: each point needs no process of its own."""
    look_at_all(tmp_path, case, "copied")


def look_at_all(tmp_path: Path, case: str, when: When) -> None:
    """Points that leave the same bytes on the disk are looked at once, by a verb that looks and by the same one."""
    template = laid_out(tmp_path / "template" / "churn", case)
    old, new = contents(template), after(template, case, tmp_path / "after")
    assert old != new
    *roots, last = killed(template, case, when, tmp_path / "roots")
    assert contents(last) == new
    known = set()
    seen = {"old": 0, "new": 0}
    for root in roots:
        if (left := on_disk(root)) not in known:
            known.add(left)
            again = shutil.copytree(root, tmp_path / "again" / root.parent.name / "churn")
            seen[found_old_or_new(root, case, old, new, again=False)] += 1
            found_old_or_new(again, case, old, new, again=True)
    told = f"{seen['old']} all old, {seen['new']} all new"
    print(f"\n{case}, {when}: {len(roots)} points, {len(known)} states of the disk, {told}")
    assert seen["old"] > 3
    assert seen["new"] > 3
