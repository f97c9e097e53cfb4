"""What every registry of components must do: one row of REGISTRIES makes a registry run all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mlox.components import Template
from mlox.errors import MloxError, UnknownNameError, WorkspaceError
from mlox.protocols import Registry
from mlox.registries import folder
from mlox.registries.folder import FolderRegistry
from mlox.testing import FakeRegistry
from tests.component_stage import offer, template_files

Components = Mapping[str, Mapping[str, bytes]]


def in_a_folder(root: Path, components: Components) -> Registry:
    for name, files in components.items():
        offer(root, files, name)
    return FolderRegistry(root / "mlx-components")


REGISTRIES: dict[str, Callable[[Path, Components], Registry]] = {
    "folder": in_a_folder,
    "fake": lambda _, components: FakeRegistry(components),
}


@pytest.fixture(params=sorted(REGISTRIES))
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    components = {name: template_files(name) for name in ("greeting", "farewell")}
    return REGISTRIES[request.param](tmp_path, components)


def test_names_are_sorted(registry: Registry) -> None:
    assert registry.names() == ("farewell", "greeting")
    assert registry.name


def test_a_component_is_read_word_for_word(registry: Registry) -> None:
    assert dict(registry.read("greeting")) == template_files("greeting")
    assert Template.parse("greeting", registry.read("greeting"), source="x").spec.name == "greeting"


@pytest.mark.parametrize("name", ["greetings", "", "..", ".", "greeting/..", "/etc"])
def test_what_is_not_there_is_unknown(registry: Registry, name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        registry.read(name)
    assert caught.value.hint


@pytest.mark.parametrize("kind", sorted(REGISTRIES))
def test_a_registry_may_be_empty(tmp_path: Path, kind: str) -> None:
    assert REGISTRIES[kind](tmp_path, {}).names() == ()


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    offer(tmp_path, template_files())
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "mlx-components/greeting/README.md").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(WorkspaceError, match="README.md is no plain file"):
        FolderRegistry(tmp_path / "mlx-components").read("greeting")


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_BYTES"])
def test_a_component_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    offer(tmp_path, template_files())
    monkeypatch.setattr(folder, limit, 2)
    with pytest.raises(WorkspaceError, match="has more than"):
        FolderRegistry(tmp_path / "mlx-components").read("greeting")


def test_mlox_own_components_are_found_in_the_sources_and_in_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FolderRegistry().folder.parent.joinpath("mlox").is_dir()
    offer(tmp_path / "mlox", template_files())
    monkeypatch.setattr(folder, "_PACKAGE", tmp_path / "mlox")
    assert FolderRegistry().names() == ("greeting",)


def test_every_own_component_is_whole() -> None:
    names = FolderRegistry().names()
    assert "feature-store" in names
    for name in names:
        try:
            Template.parse(name, FolderRegistry().read(name), source="built-in")
        except MloxError as error:
            pytest.fail(str(error))
