"""What removing a component takes out: add, then remove, gives back every byte; what was edited stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlox.errors import UnknownNameError
from tests.component_stage import Shop, offer, template_files

PROJECT = '[project]\nname = "churn"\ndependencies = ["a", "b",]  # two\n\n[tool.x]\na = 1\n'


def _nothing(shop: Shop) -> None:
    del shop


def _project(shop: Shop) -> None:
    shop.put("pyproject.toml", PROJECT)


def _package(shop: Shop) -> None:
    shop.put("src/churn/__init__.py", "x = 1\n")
    shop.put("tests/test_own.py", "")


def _declared(shop: Shop) -> None:
    shop.put("pyproject.toml", PROJECT.replace('"a"', '"Tabulate == 0.9.0"'))


def _requirements(shop: Shop) -> None:
    shop.put("requirements.txt", "numpy\ntabulate==0.9  # pinned\n")


@pytest.mark.parametrize("lay", [_nothing, _project, _package, _declared, _requirements])
def test_added_and_removed_every_byte_is_as_it_was(shop: Shop, lay: Callable[[Shop], None]) -> None:
    lay(shop)
    before = shop.tree()
    shop.add()
    assert shop.tree() != before
    assert shop.remove() == ()
    assert shop.tree() == before


def test_what_python_compiled_goes_too(shop: Shop) -> None:
    before = shop.tree()
    shop.add()
    shop.put("src/churn/greeting/__pycache__/words.cpython-311.pyc", b"compiled")
    shop.put("tests/__pycache__/test_greeting.cpython-311-pytest-9.0.pyc", b"compiled")
    shop.remove()
    assert shop.tree() == before


def test_an_edited_file_stays_and_is_named(shop: Shop) -> None:
    shop.add()
    shop.put("src/churn/greeting/words.py", "mine = 1\n")
    assert shop.state() == "edited"
    assert shop.remove() == ("src/churn/greeting/words.py",)
    assert shop.read("src/churn/greeting/words.py") == "mine = 1\n"
    assert not (shop.root / "src/churn/greeting/__init__.py").exists()
    assert '"tabulate>=0.9"' in shop.read("pyproject.toml")  # what stays may need it
    assert (shop.root / "src/churn/__init__.py").exists()
    assert shop.components.added() == {}
    assert not (shop.root / ".mlox/base").exists()


def test_what_the_user_put_beside_it_stays(shop: Shop) -> None:
    shop.add()
    shop.put("src/churn/greeting/own.py", "")
    shop.put("src/churn/model.py", "")
    shop.put("pyproject.toml", shop.read("pyproject.toml") + "\n[tool.mine]\na = 1\n")
    assert shop.remove() == ()
    assert set(shop.tree()) - {"mlox.yaml", ".mlox", ".mlox/.gitattributes", ".mlox/.gitignore"} == {
        "pyproject.toml",
        "src",
        "src/churn",
        "src/churn/__init__.py",
        "src/churn/greeting",
        "src/churn/greeting/own.py",
        "src/churn/model.py",
    }
    assert "tabulate" not in shop.read("pyproject.toml")
    assert shop.read("pyproject.toml").endswith("[tool.mine]\na = 1\n")


def test_files_that_are_gone_already_do_not_matter(shop: Shop) -> None:
    before = shop.tree()
    shop.add()
    (shop.root / "src/churn/greeting/words.py").unlink()
    (shop.root / "src/churn/__init__.py").unlink()
    assert shop.state() == "missing"
    shop.remove()
    assert shop.tree() == before


def test_kept_it_is_only_not_tracked_any_more(shop: Shop) -> None:
    shop.add()
    before = {path: content for path, content in shop.tree().items() if ".mlox" not in path}
    shop.remove(keep=True)
    assert {path: content for path, content in shop.tree().items() if ".mlox" not in path} == before
    assert shop.components.added() == {}
    shop.add()  # the same files are taken as they are
    assert shop.state() == "clean"


def test_of_two_components_each_leaves_the_other_byte_for_byte(shop: Shop) -> None:
    empty = shop.tree()
    offer(shop.root, template_files("farewell"), "farewell")
    shop.add("greeting")
    first = shop.tree()
    shop.add("farewell")
    shop.remove("farewell")
    assert shop.tree() == first
    shop.add("farewell")
    shop.remove("greeting")
    assert shop.state("farewell") == "clean"
    assert '"tabulate>=0.9"' in shop.read("pyproject.toml")  # both asked for it
    shop.remove("farewell")
    assert shop.tree() == empty


def test_a_name_that_is_not_there_is_unknown(shop: Shop) -> None:
    with pytest.raises(UnknownNameError):
        shop.remove("greeting")
