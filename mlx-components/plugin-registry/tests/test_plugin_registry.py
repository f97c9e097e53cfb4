"""Whether plugins are found by name, loaded once and late, and told apart from what is none."""

from __future__ import annotations

import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest
from project.plugin_registry import (
    BrokenPluginError,
    DuplicatePluginError,
    IncompatiblePluginError,
    Registry,
    UnknownPluginError,
    subclass_of,
    with_methods,
)

GROUP = "tests.models"


class Model(ABC):
    @abstractmethod
    def fit(self) -> str: ...


class Scorer(Protocol):
    def score(self) -> float: ...


@pytest.fixture
def models() -> Registry[type[Model]]:
    return Registry("models", subclass_of(Model), api="1.2", group=GROUP)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a distribution with one module and the entry points of it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def installed(name: str, code: str, version: str = "2.1", **points: str) -> None:
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = "\n".join(f"{point} = {value}" for point, value in points.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")
        (tmp_path / f"{name}.py").write_text(f"from interface_of_tests import Model\n{code}")
        monkeypatch.delitem(sys.modules, name, raising=False)

    interface = ModuleType("interface_of_tests")
    interface.Model = Model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    return installed


FOREST = """
class Forest(Model):
    requires_api = ">=1.0,<2"
    def fit(self): return "grown"
"""


def test_a_decorated_class_is_found_and_stays_what_it_is(models: Registry[type[Model]]) -> None:
    @models.register("line", version="1.5", requires=">=1.0,<2")
    class Line(Model):
        def fit(self) -> str:
            return "drawn"

    assert models.get("line") is Line
    assert models.get("line", ">=1.4")().fit() == "drawn"
    assert (list(models), len(models), "line" in models, "lines" in models) == (["line"], 1, True, False)


def test_an_installed_one_is_found_and_not_imported_before(
    models: Registry[type[Model]], install: Callable[..., None]
) -> None:
    install("grove", FOREST, forest="grove:Forest")
    assert models.names() == ["forest"]
    plugin = models.plugin("forest")
    assert (plugin.version, plugin.origin, plugin.loaded) == ("2.1", "grove:Forest of grove 2.1", False)
    assert "grove" not in sys.modules
    assert models.get("forest", ">=2,<3")().fit() == "grown"
    assert plugin.loaded
    assert models.check_all() == []


def test_what_is_not_there_is_told_with_the_nearest(models: Registry[type[Model]]) -> None:
    with pytest.raises(UnknownPluginError, match="models: there is no plugin 'forest'; there are: none"):
        models.get("forest")
    models.register_lazily("forest", "gone:Forest")
    with pytest.raises(UnknownPluginError, match="did you mean 'forest'"):
        models.get("forrest")
    with pytest.raises(LookupError):
        models.plugin("x")


def test_a_broken_one_is_told_with_its_cause_and_harms_no_other(
    models: Registry[type[Model]], install: Callable[..., None]
) -> None:
    install("rot", "raise RuntimeError('no wood')", rotten="rot:Model")
    install("grove", FOREST, forest="grove:Forest", less="grove:Less", text="grove:__name__")
    models.register_lazily("gone", "nowhere_at_all:Model")
    assert models.get("forest")
    with pytest.raises(
        BrokenPluginError, match=r"rotten \(rot:Model of rot 2.1\) cannot be loaded: RuntimeError: no w"
    ):
        models.get("rotten")
    with pytest.raises(BrokenPluginError, match="No module named 'nowhere_at_all'"):
        models.get("gone")
    with pytest.raises(BrokenPluginError, match="AttributeError"):
        models.get("less")
    with pytest.raises(BrokenPluginError, match="is str, which is not a whole subclass of Model"):
        models.get("text")
    assert len(models.check_all()) == 4


def test_what_is_no_plugin_is_refused_at_once(models: Registry[type[Model]]) -> None:
    class Half(Model):
        """Lacks fit."""

    for wrong in (Half, Model, dict, Half.fit):
        with pytest.raises(BrokenPluginError, match="not a whole subclass of Model"):
            models.register("wrong")(wrong)
    assert models.names() == []


def test_two_of_one_name_are_told_and_the_projects_own_stays(
    models: Registry[type[Model]], install: Callable[..., None]
) -> None:
    models.register_lazily("forest", "shop:Forest")
    with pytest.raises(DuplicatePluginError, match=r"two plugins 'forest': shop:Forest has that name, and other:F"):
        models.register_lazily("forest", "other:F")
    install("grove", FOREST, forest="grove:Forest")
    assert models.plugin("forest").origin == "shop:Forest"
    assert any("grove:Forest of grove 2.1 asks for it" in str(error) for error in models.check_all())


@pytest.mark.parametrize(
    ("version", "requires", "wanted", "problem"),
    [
        ("1.0", "", ">=2", "its version is 1.0, wanted is >=2"),
        ("", "", ">=2", "its version is not told"),
        ("1.0", ">=2", "", "is for versions >=2 of the interface, and this is 1.2"),
        ("new", "", ">=2", "Invalid version"),
        ("1.0", "two", "", "Invalid specifier"),
    ],
)
def test_one_of_another_version_is_not_even_imported(
    models: Registry[type[Model]], version: str, requires: str, wanted: str, problem: str
) -> None:
    models.register_lazily("late", "nowhere_at_all:Model", version=version, requires=requires)
    with pytest.raises(IncompatiblePluginError, match=problem):
        models.get("late", wanted)


def test_an_installed_one_for_another_interface_is_told(
    models: Registry[type[Model]], install: Callable[..., None]
) -> None:
    install("grove", FOREST.replace("<2", "<1.1"), forest="grove:Forest")
    for _ in range(2):
        with pytest.raises(IncompatiblePluginError, match=r"for versions >=1.0,<1.1 of the interface, and this is 1.2"):
            models.get("forest")


def test_a_protocol_needs_no_inheritance() -> None:
    scorers: Registry[Scorer] = Registry("scorers", with_methods("score"))

    class Fixed:
        def score(self) -> float:
            return 0.5

    scorers.register("fixed")(Fixed())
    assert scorers.get("fixed").score() == 0.5
    with pytest.raises(BrokenPluginError, match="not something with score"):
        scorers.register("none")(object())


def test_many_at_once_load_it_once(install: Callable[..., None]) -> None:
    install("counted", "times = []\n", loads="counted:times")
    numbers: Registry[list[int]] = Registry("numbers", with_methods("append"), group=GROUP)
    plugin = numbers.plugin("loads")
    load, calls = plugin.load, []

    def slowly() -> object:
        calls.append(1)
        time.sleep(0.05)
        return load()

    plugin.load = slowly
    found: list[list[int]] = []
    threads = [threading.Thread(target=lambda: found.append(numbers.get("loads"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len({id(one) for one in found}) == 1
