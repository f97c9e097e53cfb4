"""What every registry of components must do: one row of REGISTRIES makes a registry run all of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlox.components import Template
from mlox.errors import MloxError, SpecError, UnknownNameError, WorkspaceError
from mlox.protocols import Registry
from mlox.registries import folder, layout
from mlox.registries.folder import FolderRegistry
from mlox.registries.git import GitRegistry
from mlox.registries.https import HttpsRegistry
from mlox.testing import FakeRegistry
from tests.component_stage import offer, template_files
from tests.registry_stage import Components, commit, lay_out, publish, served

Made = Callable[[Path, Components], contextlib.AbstractContextManager[Registry]]


@contextlib.contextmanager
def in_a_folder(root: Path, components: Components) -> Iterator[Registry]:
    yield FolderRegistry(lay_out(root / "parts", components))


@contextlib.contextmanager
def in_a_named_folder(root: Path, components: Components) -> Iterator[Registry]:
    yield FolderRegistry(publish(root / "parts", components), name="@acme", source="../parts")


@contextlib.contextmanager
def in_git(root: Path, components: Components) -> Iterator[Registry]:
    commit(publish(root / "repository", components))
    yield GitRegistry("repository", name="@acme", cache=root / "cache.git", root=root)


@contextlib.contextmanager
def below_a_folder_of_git(root: Path, components: Components) -> Iterator[Registry]:
    publish(root / "repository/deep/parts", components)
    commit(root / "repository", tag="v1")
    yield GitRegistry(f"file://{root}/repository@v1#deep/parts", name="@acme", cache=root / "cache.git")


@contextlib.contextmanager
def on_the_web(root: Path, components: Components) -> Iterator[Registry]:
    with served(publish(root / "parts", components)) as (url, _):
        yield HttpsRegistry(url, name="@acme")


@contextlib.contextmanager
def in_memory(root: Path, components: Components) -> Iterator[Registry]:
    del root
    yield FakeRegistry(components)


REGISTRIES: dict[str, Made] = {
    "folder": in_a_folder,
    "named folder": in_a_named_folder,
    "git": in_git,
    "git, a folder of a tag": below_a_folder_of_git,
    "https": on_the_web,
    "fake": in_memory,
}


def several_versions() -> Components:
    old = {f"versions/1.9/{path}": text for path, text in template_files("greeting", version="1.9").items()}
    yanked = template_files("greeting", version="1.2")
    yanked["component.yaml"] += b"yanked: it greeted the wrong ones\n"
    older = {f"versions/1.2/{path}": text for path, text in yanked.items()}
    return {
        "greeting": {**template_files("greeting", version="1.10"), **old, **older},
        "farewell": template_files("farewell"),
    }


@pytest.fixture(params=sorted(REGISTRIES))
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    with REGISTRIES[request.param](tmp_path, several_versions()) as made:
        yield made


def test_names_are_sorted(registry: Registry) -> None:
    assert registry.names() == ("farewell", "greeting")
    assert registry.name
    assert registry.source


def test_a_component_is_read_word_for_word(registry: Registry) -> None:
    assert dict(registry.read("greeting")) == template_files("greeting", version="1.10")
    assert Template.parse("greeting", registry.read("greeting"), source="x").spec.name == "greeting"


def test_versions_are_listed_newest_first_and_each_is_read(registry: Registry) -> None:
    versions = registry.versions("greeting")
    assert [one.version for one in versions] == ["1.10", "1.9", "1.2"]
    assert [one.yanked for one in versions] == ["", "", "it greeted the wrong ones"]
    for version in ("1.10", "1.9", "1.2"):
        files = registry.read("greeting", version)
        template = Template.parse("greeting", files, source="x", version=version)
        listed = next(one.digest for one in versions if one.version == version)
        assert listed in ("", template.digest)
    with pytest.raises(UnknownNameError, match="unknown version of greeting '3.0'"):
        registry.read("greeting", "3.0")


@pytest.mark.parametrize("name", ["greetings", "", "..", ".", "greeting/..", "/etc", "greeting/versions/1.9"])
def test_what_is_not_there_is_unknown(registry: Registry, name: str) -> None:
    for ask in (registry.read, registry.versions):
        with pytest.raises(UnknownNameError) as caught:
            ask(name)
        assert caught.value.hint


@pytest.mark.parametrize("kind", sorted(REGISTRIES))
def test_a_registry_may_be_empty(tmp_path: Path, kind: str) -> None:
    with REGISTRIES[kind](tmp_path, {}) as registry:
        assert registry.names() == ()


@pytest.mark.parametrize("kind", sorted(REGISTRIES.keys() - {"https"}))
@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_BYTES"])
def test_a_component_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, kind: str) -> None:
    with REGISTRIES[kind](tmp_path, {"greeting": template_files()}) as registry:
        monkeypatch.setattr(layout, limit, 2)
        with pytest.raises(WorkspaceError, match="has more than"):
            registry.read("greeting")


@pytest.mark.parametrize("kind", sorted(REGISTRIES.keys() - {"https", "folder"}))
def test_what_registry_json_lists_otherwise_is_refused(tmp_path: Path, kind: str) -> None:
    publish(tmp_path / "right", {"greeting": template_files()})
    index = (tmp_path / "right/registry.json").read_bytes()
    lying = index.replace(b'"size": ', b'"size": 1')
    parts = {"greeting": template_files()}
    if kind == "fake":
        registry: Registry = FakeRegistry(parts)
        registry._files["registry.json"] = lying  # type: ignore[attr-defined]
    else:
        folder = lay_out(tmp_path / "parts", parts)
        (folder / "registry.json").write_bytes(lying)
        if kind.startswith("git"):
            commit(folder)
            registry = GitRegistry(str(folder), name="@acme", cache=tmp_path / "cache.git")
        else:
            registry = FolderRegistry(folder, name="@acme", source="parts")
    with pytest.raises(SpecError, match="is not the file that registry.json lists"):
        registry.read("greeting")


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    offer(tmp_path, template_files())
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "mlx-components/greeting/README.md").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(WorkspaceError, match="README.md is no plain file"):
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
