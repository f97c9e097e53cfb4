"""Every built-in component, changed by its user in every way, and updated: both sides' changes are there afterwards.

``make test`` takes a slice, ``make test-exhaustive`` all points. The seed is printed; it comes from the commit's
content, so each change gets another slice. MLOX_TEST_SEED sets it.
"""

from __future__ import annotations

import pytest

from tests.matrix_edits import EDITS
from tests.matrix_stage import Matrix, Score
from tests.slices import seeded


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return Matrix(tmp_path_factory.mktemp("matrix"))


def test_some_points_keep_what_both_sides_changed(matrix: Matrix) -> None:
    chance, seed = seeded()
    score = Score()
    points = list(matrix.points(*chance.sample(matrix.names(), 2)))
    for kind in EDITS:
        mine = [point for point in points if point.kind == kind]
        for point in chance.sample(mine, min(1, len(mine))):
            matrix.play(point, score)
    print(f"\nMLOX_TEST_SEED={seed}\n{score}")
    assert not score.faults, f"MLOX_TEST_SEED={seed}\n" + "\n".join(score.faults)
    assert sum(score.points.values()) > 6


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", EDITS)
def test_every_point_keeps_what_both_sides_changed(matrix: Matrix, kind: str) -> None:
    score = Score()
    for point in matrix.points(*matrix.names()):
        if point.kind == kind:
            matrix.play(point, score)
    print(f"\n{score}")
    assert sum(score.points.values()) > 20
    assert not score.faults, "\n".join(score.faults)
