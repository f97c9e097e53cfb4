"""Components that own parts of one module: in any order of adding, edited, updated, and taken out of its midst."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mlox.errors import WorkspaceError
from tests.component_stage import Shop, offer
from tests.layer_stage import APP, APP_PATH, FRAGMENT, layer, serving


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A workspace with ``serving``, whose registry has three components that extend it."""
    root = tmp_path / "churn"
    root.mkdir()
    offer(root, serving(), "serving")
    for name in ("buffering", "limits", "tracing"):
        offer(root, layer(name), name)
    shop = Shop(root)
    shop.add("serving")
    return shop


def test_any_order_gives_the_same_tree(shop: Shop) -> None:
    before, trees = shop.tree(), []
    for names in itertools.permutations(("buffering", "limits", "tracing")):
        for name in names:
            shop.add(name)
            assert shop.components.plan(shop.template(name)) is None
        trees.append(shop.tree())
        assert {shop.state(name) for name in ("serving", *names)} == {"clean"}
        for name in reversed(names):
            shop.remove(name)
        assert shop.tree() == before
    assert all(tree == trees[0] for tree in trees)
    assert b"buffering(app)" in (trees[0][APP_PATH] or b"")


@pytest.mark.parametrize("name", ["buffering", "limits", "tracing"])
def test_one_is_taken_out_of_the_midst(shop: Shop, name: str) -> None:
    others = [other for other in ("buffering", "limits", "tracing") if other != name]
    for other in others:
        shop.add(other)
    without = shop.tree()
    shop.add(name)
    assert shop.remove(name) == ()
    assert shop.tree() == without


def test_what_it_needs_comes_along(tmp_path: Path) -> None:
    """And goes by itself only when nobody needs it; all of it is one change."""
    root = tmp_path / "churn"
    root.mkdir()
    offer(root, serving(), "serving")
    offer(root, layer("limits"), "limits")
    shop = Shop(root)
    before = shop.tree()
    added = shop.components.plan(shop.template("limits"))
    assert added is not None
    assert [one.record.name for one in added.along] == ["serving"]
    shop.add("limits")
    assert sorted(shop.components.added()) == ["limits", "serving"]
    assert "limits(app)" in shop.read(APP_PATH)
    together = shop.tree()
    shop.changes.undo()
    assert shop.tree() == before
    shop.add("serving")
    shop.add("limits")
    assert shop.tree() == together


def test_an_update_brings_what_it_needs_now(shop: Shop) -> None:
    shop.add("limits")
    files = layer("limits", "1.1")
    files["component.yaml"] = files["component.yaml"].replace(b"}", b", tracing: '>=1'}")
    offer(shop.root, files, "limits")
    update = shop.update("limits")
    assert update.along is not None
    assert update.along.record.name == "tracing"
    assert shop.components.added()["limits"].components == ["serving", "tracing"]
    assert {shop.state(name) for name in ("serving", "limits", "tracing")} == {"clean"}


def test_the_module_runs(shop: Shop) -> None:
    shop.put("src/churn/mine.py", "from churn.serving.app import app\n")
    for name in ("tracing", "buffering"):
        shop.add(name)
    names: dict[str, object] = {}
    text = shop.read(APP_PATH).replace("from .routes import routes", "routes = ['/']")
    for name in ("tracing", "buffering"):
        text = text.replace(f"from churn.{name} import {name}", f"def {name}(app): app.layers.append({name!r})")
    exec(compile(text, "app.py", "exec"), names)  # noqa: S102
    assert names["app"].layers == ['["/"]', "buffering", "tracing"]  # type: ignore[attr-defined]


def test_what_it_stands_on_cannot_go_first(shop: Shop) -> None:
    shop.add("limits")
    before = shop.tree()
    with pytest.raises(WorkspaceError, match="limits needs serving"):
        shop.remove("serving")
    assert shop.tree() == before


def test_lines_of_the_user_stay_where_they_are(shop: Shop) -> None:
    shop.put(APP_PATH, shop.read(APP_PATH).replace("app = App()\n", "app = App()\nMINE = 1  # mine\n"))
    before = shop.read(APP_PATH)
    shop.add("limits")
    assert "app = App()\nMINE = 1  # mine\n" in shop.read(APP_PATH)
    assert (shop.state("serving"), shop.state("limits")) == ("edited", "clean")
    shop.remove("limits")
    assert shop.read(APP_PATH) == before


def test_an_import_that_the_user_uses_stays(shop: Shop) -> None:
    shop.add("limits")
    shop.put(APP_PATH, shop.read(APP_PATH) + "\n\nmine = limits\n")
    shop.remove("limits")
    assert "from churn.limits import limits\n" in shop.read(APP_PATH)
    assert "limits(app)" not in shop.read(APP_PATH)


def test_an_import_that_was_there_before_stays(shop: Shop) -> None:
    text = shop.read(APP_PATH).replace("from .routes", "from churn.limits import limits\n\nfrom .routes")
    shop.put(APP_PATH, text)
    assert shop.add("limits").extends[APP_PATH].adopted == ["churn.limits:limits"]
    shop.remove("limits")
    assert shop.read(APP_PATH) == text


def test_what_the_user_changed_of_it_stays_and_is_told(shop: Shop) -> None:
    shop.add("limits")
    shop.put(APP_PATH, shop.read(APP_PATH).replace("limits(app)", "limits(app)  # twice\nlimits(App())"))
    assert shop.state("limits") == "clean"
    shop.put(APP_PATH, shop.read(APP_PATH).replace("limits(app)", "limits(app, 2)"))
    assert shop.state("limits") == "edited"
    assert APP_PATH in shop.remove("limits")
    assert "limits(app, 2)" in shop.read(APP_PATH)


def test_what_components_added_is_no_change_of_the_users(shop: Shop) -> None:
    def changed(name: str) -> list[str]:
        found = [line for one in shop.changes.diff(name, "mine") for line in one.lines()]
        return [line for line in found if line[0] in "+-" and line[:3] not in ("+++", "---")]

    for name in ("tracing", "limits"):
        shop.add(name)
    assert [changed(name) for name in ("serving", "tracing", "limits")] == [[], [], []]
    shop.put(APP_PATH, shop.read(APP_PATH).replace("limits(app)", "limits(app, 2)"))
    assert changed("limits") == ["-limits(app)", "+limits(app, 2)"]
    assert changed("serving") == changed("limits")
    assert changed("tracing") == []


def test_an_update_of_the_module_keeps_what_others_added(shop: Shop) -> None:
    for name in ("tracing", "buffering"):
        shop.add(name)
    newer = APP.replace(b'"""What serves."""', b'"""What serves requests."""')
    offer(shop.root, serving("1.1", newer), "serving")
    assert [change.word for change in shop.update("serving").changes] == ["updated"]
    text = shop.read(APP_PATH)
    assert "What serves requests" in text
    assert {shop.state(name) for name in ("serving", "tracing", "buffering")} == {"clean"}
    for name in ("tracing", "buffering"):
        shop.remove(name)
    assert shop.read(APP_PATH).encode() == newer


def test_an_update_of_a_fragment(shop: Shop) -> None:
    shop.add("limits")
    shop.add("buffering")
    offer(shop.root, layer("limits", "1.1", FRAGMENT + b"%(name)s(app)  # again\napp.layers.sort()\n"), "limits")
    shop.update("limits")
    assert "app.layers.sort()" in shop.read(APP_PATH)
    assert shop.state("limits") == "clean"
    shop.remove("limits")
    shop.remove("buffering")
    assert shop.read(APP_PATH).encode() == APP


def test_a_statement_that_the_user_took_out_does_not_come_back(shop: Shop) -> None:
    shop.add("limits")
    shop.put(APP_PATH, shop.read(APP_PATH).replace("limits(app)\n", ""))
    offer(shop.root, layer("limits", "1.1", FRAGMENT + b"app.layers.sort()\n"), "limits")
    shop.update("limits")
    assert "app.layers.sort()" in shop.read(APP_PATH)
    assert "limits(app)" not in shop.read(APP_PATH)


def test_a_module_that_is_not_there(shop: Shop) -> None:
    (shop.root / APP_PATH).unlink()
    with pytest.raises(WorkspaceError, match=r"app\.py, which is not there"):
        shop.add("limits")


@pytest.mark.parametrize("shape", ["crlf", "bom", "no end"])
def test_the_bytes_around_it_stay(shop: Shop, shape: str) -> None:
    text = shop.read(APP_PATH).partition("\n\nif __name__")[0]
    changed = {"crlf": text.replace("\n", "\r\n"), "bom": "\ufeff" + text, "no end": text.rstrip()}[shape]
    shop.put(APP_PATH, changed)
    shop.add("limits")
    shop.add("buffering")
    assert "limits(app)" in shop.read(APP_PATH)
    shop.remove("limits")
    shop.remove("buffering")
    assert shop.read(APP_PATH) == changed
