"""Components that put settings into the same files: in any order of adding one tree, in any of removing no trace."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.specs.naming import RECORDS
from tests.component_stage import Shop
from tests.settings_components import offers, users
from tests.settings_stage import as_json, as_toml, as_yaml
from tests.slices import seeded
from tests.test_components_settings import fragments


def added(shop: Shop, *names: str) -> Shop:
    for name in names:
        shop.add(name)
    return shop


PARTS = {
    "alpha": {"yaml": "a: {x: 1}\nlist: [b, a]\n", "toml": "[tool.a]\nx = 1\n", "env": "# for alpha\nURL=\n"},
    "beta": {"yaml": "# of beta\na: {y: 2, x: 1}\nlist: [c]\n", "env": "# for beta\nURL=\nB=1\n"},
    "gamma": {"toml": "[tool.a]\ny = 2\n[tool.b]\nx = 'y'\n", "json": '{"g": {"h": [1]}}'},
    "delta": {"toml": '[tool.b]\nx = "y"\n', "json": '{"g": {"h": [2]}, "d": true}', "yaml": "d: |\n  text\n"},
}


@pytest.mark.parametrize("with_files", [True, False], ids=["with files", "without"])
@pytest.mark.parametrize("count", [2, pytest.param(20, marks=pytest.mark.exhaustive)])
def test_twenty_orders_give_one_tree_and_go_in_any(tmp_path: Path, with_files: bool, count: int) -> None:
    chance, seed = seeded()
    print(f"MLOX_TEST_SEED={seed}")
    orders = chance.sample(list(permutations(PARTS)), count)
    root = tmp_path / "churn"
    root.mkdir()
    shop = Shop(root)
    before = users(shop) if with_files else shop.tree()
    for name, pieces in PARTS.items():
        offers(shop, name, "{URL: where}" if name == "gamma" else "{}", **pieces)
    trees = []
    for order in orders:
        trees.append(added(shop, *order).tree())
        for name in chance.sample(order, len(order)):
            shop.remove(name)
        assert shop.tree() == before
    for tree in trees:
        assert tree == trees[0]
    assert len([path for path in trees[0] if path.startswith(RECORDS)]) == len(PARTS) + 1


@settings(max_examples=6)
@given(wanted=st.lists(fragments(), min_size=2, max_size=3), data=st.data())
def test_whatever_components_bring_no_order_shows(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[dict[str, object]], data: st.DataObject
) -> None:
    shop = Shop(tmp_path_factory.mktemp("churn"))
    for number, one in enumerate(wanted):
        toml = as_toml({"tool": {"all": one}})
        offers(shop, f"part-{number}", yaml=as_yaml(one), json=as_json(one), toml=toml)
    before = users(shop) if data.draw(st.booleans()) else shop.tree()
    names = [f"part-{number}" for number in range(len(wanted))]
    trees = []
    for _ in range(2):
        trees.append(added(shop, *data.draw(st.permutations(names))).tree())
        for name in data.draw(st.permutations(names)):
            assert shop.remove(name) == ()
        assert shop.tree() == before
    assert trees[0] == trees[1]
