"""Every change of components, ended at every call that changes the disk: the next verb finds all old or all new.

``make test`` takes those of adding and removing one component, and a slice of the others; ``make test-exhaustive``
takes all. The seed is printed; MLOX_TEST_SEED sets it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.kills_stage import CASES, WHENS, after, contents, counted, found_old_or_new, killed, laid_out, on_disk
from tests.matrix_stage import seeded


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


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.slow if case in ("add", "remove") else pytest.mark.exhaustive)
        for case in CASES
    ],
)
def test_ended_at_any_point_the_next_verb_finds_all_old_or_all_new(tmp_path: Path, case: str) -> None:
    """Points that leave the same bytes on the disk are looked at once."""
    template = laid_out(tmp_path / "template" / "churn", case)
    old, new = contents(template), after(template, case, tmp_path / "after")
    assert old != new
    known = set()
    seen = {"old": 0, "new": 0}
    points = 0
    for when in WHENS:
        *roots, last = killed(template, case, when, tmp_path / f"ended {when}")
        points += len(roots)
        assert contents(last) == new
        for root in roots:
            if (left := on_disk(root)) not in known:
                known.add(left)
                shutil.copytree(root, tmp_path / "again" / when / root.parent.name / "churn")
                seen[found_old_or_new(root, case, old, new, again=False)] += 1
        for root in sorted((tmp_path / "again" / when).glob("*/churn")):
            found_old_or_new(root, case, old, new, again=True)
    print(f"\n{case}: {points} points, {len(known)} states, {seen['old']} all old, {seen['new']} all new")
    assert seen["old"] > 5
    assert seen["new"] > 5
