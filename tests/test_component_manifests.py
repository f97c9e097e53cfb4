"""What a manifest may say, and that services and components never share a name."""

from __future__ import annotations

import pytest

from mlox.catalog import Catalog
from mlox.components import Template
from mlox.errors import SpecError
from mlox.registries.folder import FolderRegistry
from tests.component_stage import Shop, offer, template_files
from tests.shell_stage import Say


def parsed(**replaced: str) -> Template:
    """The component with lines of its manifest replaced; ``_`` in a key is a space."""
    files = template_files()
    lines = files["component.yaml"].decode().splitlines()
    for key, value in replaced.items():
        lines = [f"{key}: {value}" if line.startswith(f"{key}:") else line for line in lines]
    return Template.parse("greeting", {**files, "component.yaml": "\n".join(lines).encode()}, source="here")


def test_services_and_components_have_different_names() -> None:
    assert not {*FolderRegistry().names()} & {*Catalog().names()}


@pytest.mark.parametrize(
    "path", ["../x.py", "/etc/x.py", "a/../../x.py", "a//x.py", ".hidden", "a\\\\x.py", "~/x.py", "a/./x"]
)
def test_a_file_outside_the_component_cannot_be_named(path: str) -> None:
    with pytest.raises(SpecError, match="files"):
        parsed(files=f'[__init__.py, words.py, "{path}"]')
    with pytest.raises(SpecError, match="tests"):
        parsed(tests=f'["{path}"]')


@pytest.mark.parametrize(
    ("replaced", "problem"),
    [
        ({"files": "[__init__.py, words.py, Words.py]"}, "upper and lower case"),
        ({"files": "[words.py]"}, "a component is a package"),
        ({"files": "[__init__.py]"}, "words.py:KEEP is in none of the files"),
        ({"files": "[__init__.py, words.py, gone.py]"}, "there is no file src/project/greeting/gone.py"),
        ({"name": "other"}, "name is 'other'"),
        ({"name": "Greeting"}, "not a valid name"),
        ({"version": "latest"}, "version"),
        ({"dependencies": '["tabulate >= "]'}, "PEP 508"),
        ({"dependencies": '["tabulate @ file:///tmp/x"]'}, "names an address"),
        ({"dependencies": '["-r other.txt"]'}, "PEP 508"),
        ({"tests": "[test_greeting.py]\ntest_dependencies: ['httpx >= ']"}, "test_dependencies"),
        ({"summery": "x", "summary": ""}, "summary"),
        ({"package": "my-package"}, "package"),
    ],
)
def test_a_manifest_that_cannot_be_is_told(replaced: dict[str, str], problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        parsed(**replaced)
    assert problem in caught.value.problem
    assert "greeting/component.yaml" in caught.value.problem


def test_a_misspelt_key_gets_its_nearest() -> None:
    files = template_files()
    manifest = files["component.yaml"].replace(b"dependencies:", b"dependancies:")
    with pytest.raises(SpecError) as caught:
        Template.parse("greeting", {**files, "component.yaml": manifest}, source="here")
    assert caught.value.hint == "Did you mean 'dependencies'?"


def test_the_digest_changes_with_any_file_that_is_listed() -> None:
    files = template_files()
    digests = {Template.parse("greeting", files, source="x").digest}
    for path in files:
        more = b"# more\n" if path == "component.yaml" else b"\n"
        digests.add(Template.parse("greeting", {**files, path: files[path] + more}, source="x").digest)
    assert len(digests) == 1 + len(files)
    assert Template.parse("greeting", {**files, "notes.txt": b""}, source="x").digest in digests


def test_mlox_own_components_cannot_be_shadowed(shop: Shop) -> None:
    offer(shop.root, template_files("feature-store"), "feature-store")
    assert shop.template("feature-store").source == "built-in"


def test_a_workspace_component_with_the_name_of_a_service_is_refused(shop: Shop, say: Say) -> None:
    offer(shop.root, template_files("redis"), "redis")
    for words in (("add", "redis"), ("up", "redis"), ("info", "redis")):
        said = say("-C", str(shop.root), *words)
        assert said.code == 2
        assert "redis is a service of the catalog and a component too" in said.err
