"""All of mlox's own components in one repository: added in any order the same tree, and out again the same bytes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mlox.registries.folder import FolderRegistry
from tests.component_stage import Shop

OWN = """\
[project]
name = "churn"
version = "0.1.0"  # of the shop
requires-python = ">=3.11"
dependencies = [
    "zstandard>=0.22",  # for exports
]
"""
NORMAL, ALL = 2, 20
SEEDS = [pytest.param(seed, marks=[] if seed < NORMAL else [pytest.mark.exhaustive]) for seed in range(ALL)]


def with_own(root: Path) -> Shop:
    """A repository with a package and a project file of its own."""
    root.mkdir()
    shop = Shop(root)
    shop.put("mlox.yaml", "name: churn\nid: churn-0000\n")
    shop.put("pyproject.toml", OWN)
    shop.put("src/churn/__init__.py", '"""Churn."""\n')
    shop.put("tests/test_own.py", "def test_own() -> None:\n    assert True\n")
    return shop


def added(root: Path, names: list[str]) -> Shop:
    """A repository to which components were added in an order; what one needs comes along with it."""
    shop = with_own(root)
    for name in names:
        shop.components.add(shop.template(name))
    return shop


@pytest.mark.parametrize("seed", SEEDS)
def test_in_any_order_they_give_the_same_tree_and_go_without_a_trace(tmp_path: Path, seed: int) -> None:
    names = sorted(FolderRegistry().names())
    chance = random.Random(seed)  # noqa: S311
    expected = added(tmp_path / "sorted", names).tree()
    shop = added(tmp_path / "churn", chance.sample(names, len(names)))
    assert shop.tree() == expected
    left = chance.sample(names, len(names))
    while left:
        needed = {other for name in left for other in shop.components.added()[name].components}
        name = next(one for one in left if one not in needed)
        shop.remove(name)
        left.remove(name)
    assert shop.tree() == with_own(tmp_path / "own").tree()
