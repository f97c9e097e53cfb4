"""What is found wrong with a component before it is published, and what is not."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from mlox.components import Template
from mlox.components.imports import bringers, imports_of
from mlox.components.skeleton import new_component
from mlox.errors import SpecError, UsageError
from mlox.registries.folder import built_in
from mlox.stack.publishing import build, validate_folder
from tests.component_stage import template_files
from tests.registry_stage import lay_out

CODE = "src/project/fraud/greeting.py"


def faults(tmp_path: Path, replaced: dict[str, bytes] | None = None, **others: dict[str, bytes]) -> list[str]:
    """What is wrong with the component ``fraud``, with files of it replaced, beside others; registry.json is right."""
    folder = lay_out(tmp_path / "parts", {"fraud": {**new_component("fraud"), **(replaced or {})}, **others})
    with contextlib.suppress(SpecError):  # what is broken cannot be listed, and is told below
        build(folder).write()
    return [f"{fault.level}: {fault}" for fault in validate_folder(folder)[1]]


def manifest(*lines: str, **replaced: str) -> bytes:
    text = new_component("fraud")["component.yaml"].decode()
    for key, value in replaced.items():
        text = "\n".join(f"{key}: {value}" if line.startswith(f"{key}:") else line for line in text.splitlines())
    return "\n".join([text, *lines, ""]).encode()


def test_mlox_own_components_are_right_also_strictly() -> None:
    counted, found = validate_folder(built_in())
    assert counted >= 1
    # mlflow.pyfunc imports numpy, which mlflow-skinny leaves out: declared and imported by nobody here.
    wanted = "model-management/component.yaml: nothing imports the dependency numpy>=1.26"
    assert [str(fault) for fault in found if not str(fault).endswith(wanted)] == []


def test_a_new_component_is_right_as_it_stands(tmp_path: Path) -> None:
    assert faults(tmp_path) == []
    Template.parse("fraud-scores", new_component("fraud-scores"), source="x")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("config/app.yaml", "fraud: {limit: 3}\n", ""),
        ("config/app.yaml", "fraud: {api_key: hunter22}\n", "fraud.api_key has a value that looks like a secret"),
        ("config/app.yaml", "fraud: [\n", "settings/config/app.yaml: cannot be edited"),
        ("pyproject.toml", "[tool.hatch]\nx = 1\n", "tool.hatch is not for a component to set"),
        ("settings.ini", "a = 1\n", "settings.ini: settings go into files that end with .json, .toml, .yaml, .yml"),
        ("../app.yaml", "a: 1\n", "../app.yaml leads out of its folder"),
    ],
)
def test_settings_are_checked_before_they_are_published(tmp_path: Path, path: str, text: str, expected: str) -> None:
    piece = f"settings/{path.replace('../', '')}"
    found = faults(tmp_path, {"component.yaml": manifest(f"settings: [{path}]"), piece: text.encode()})
    assert [one for one in found if one.startswith("error")] == [one for one in found if expected and expected in one]
    assert bool(found) == bool(expected)
    if expected:
        with pytest.raises(SpecError):
            build(tmp_path / "parts")


@pytest.mark.parametrize("name", ["Fraud", "fraud_scores", "", "..", "a/b", "class", "con", "x" * 41])
def test_a_component_cannot_be_called_anything(name: str) -> None:
    with pytest.raises(UsageError):
        new_component(name)


@pytest.mark.parametrize(
    ("code", "dependencies", "expected"),
    [
        (b"import numpy\n", "[]", [f"error: fraud/{CODE}:1: imports numpy, which no declared dependency brings"]),
        (b"import numpy.linalg\n", "[numpy]", []),
        (b"import yaml, PIL.Image, sklearn.svm\n", '["pyyaml", "pillow>=10", "scikit-learn"]', []),
        (b"from google.cloud import storage\nimport google.cloud.storage\n", "[google-cloud-storage]", []),
        (b"import google.cloud.bigquery\n", "[google-cloud-bigquery]", []),
        (
            b"def f():\n    import numpy\n",
            "[]",
            [f"error: fraud/{CODE}:2: imports numpy, which no declared dependency brings"],
        ),
        (
            b"try:\n    import numpy\nexcept ImportError:\n    import json\n",
            "[]",
            [f"warning: fraud/{CODE}:2: imports numpy, which no declared dependency brings, as an extra at least"],
        ),
        (b"try:\n    import json\nexcept ImportError:\n    import numpy\n", "[]", None),
        (b"import os, sys, json, tomllib, asyncio\nfrom __future__ import annotations\n", "[]", []),
        (b"from . import other\nfrom .other import x\n", "[]", []),
        (b"from project.fraud import x\n", "[]", []),
        (b"from project.api_serving import app\n", "[]", None),
        (b"from ..api_serving import app\n", "[]", None),
        (b"from ...api_serving import app\n", "[]", None),
        (b"import json\n", "[pyarrow]", []),
        (b"import hydra, pydantic_core\n", '["hydra-core>=1.3", "pydantic>=2"]', []),
        (b"import redis\n", '["feast[redis]"]', []),
        (b"def f(:\n", "[]", None),
        (b"x = '\xff'\n", "[]", None),
    ],
)
def test_what_the_code_imports_has_to_be_declared(
    tmp_path: Path, code: bytes, dependencies: str, expected: list[str] | None
) -> None:
    """None: one error at least, whose words are tested elsewhere."""
    code += b'PUNCTUATION = "!"\n'
    found = faults(tmp_path, {CODE: code, "component.yaml": manifest(dependencies=dependencies)})
    if expected is None:
        assert any(one.startswith("error: ") for one in found)
    else:
        assert found == expected


def test_a_test_may_import_what_only_tests_need(tmp_path: Path) -> None:
    test = {"tests/test_fraud.py": b"import pytest, httpx\n"}
    assert len(faults(tmp_path / "1", test)) == 1
    assert faults(tmp_path / "2", {**test, "component.yaml": manifest("test_dependencies: [httpx]")}) == []


def test_other_components_may_be_imported_where_they_are_named(tmp_path: Path) -> None:
    code = {CODE: b'from ..greeting import greet\nfrom project.greeting.words import x\nPUNCTUATION = "!"\n'}
    greeting = {
        **template_files(),
        "tests/test_greeting.py": b"",
        "src/project/greeting/words.py": b"KEEP = 1\nTIMES = 1\n",
    }
    near = {"greeting": greeting}
    named = {**code, "component.yaml": manifest('components: {greeting: ">=1"}')}
    assert [one for one in faults(tmp_path / "1", named, **near) if "fraud" in one] == []
    assert len([one for one in faults(tmp_path / "2", code, **near) if one.startswith("error: fraud")]) == 2
    old = {**code, "component.yaml": manifest('components: {greeting: ">=2", nope: "", "@acme/x": ""}')}
    found = " ".join(faults(tmp_path / "3", old, **near))
    assert "greeting: no version is >=2; there is: 1.0" in found
    assert "nope: no version is there; there is: none" in found
    assert "@acme/x: a namespace is the user's own name" in found


def test_a_module_is_extended_only_where_a_component_has_it(tmp_path: Path) -> None:
    near = {"greeting": template_files()}
    fragment = {"extends/greeting/words.py": b"from project.greeting.words import greet\n"}
    lines = ('components: {greeting: ""}', "extends: [greeting/words.py]")
    assert not [
        one
        for one in faults(tmp_path / "1", {**fragment, "component.yaml": manifest(*lines)}, **near)
        if "fraud" in one
    ]
    other = {"extends/greeting/gone.py": b"", "component.yaml": manifest(lines[0], "extends: [greeting/gone.py]")}
    assert any("none of its components has the module" in one for one in faults(tmp_path / "2", other, **near))


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [
        ({"notes.txt": b"x"}, "warning: fraud/notes.txt: the manifest does not list it"),
        ({"component.yaml": manifest(tests="[]")}, "warning: fraud/component.yaml: there are no tests"),
        ({"component.yaml": manifest(files="[__init__.py, greeting.py]")}, "there is no README.md among the files"),
        ({"src/project/fraud/README.md": b"[a](gone.py)"}, "README.md:1: the link to gone.py leads nowhere"),
        ({"src/project/fraud/README.md": b"\n[a](../../../x.md)"}, "README.md:2: the link to ../../../x.md"),
        ({CODE: b"OTHER = 1\n"}, "error: fraud/src/project/fraud/greeting.py: option punctuation: sets no constant"),
        ({"component.yaml": manifest(version="one")}, "error: fraud/component.yaml:"),
        ({"component.yaml": manifest(name="other")}, "error: fraud/component.yaml:"),
    ],
)
def test_what_else_is_told(tmp_path: Path, replaced: dict[str, bytes], expected: str) -> None:
    assert any(expected in one for one in faults(tmp_path, replaced)), faults(tmp_path, replaced)


@pytest.mark.parametrize(
    "link", ["[a](greeting.py)", "[a](https://example.org/x)", "[a](#below)", "[a](./greeting.py#L1)"]
)
def test_links_that_are_right(tmp_path: Path, link: str) -> None:
    assert faults(tmp_path, {"src/project/fraud/README.md": link.encode()}) == []


def test_a_registry_json_that_is_missing_wrong_or_old_is_told(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "parts", {"fraud": new_component("fraud")})
    (missing,) = validate_folder(folder)[1]
    assert (missing.level, missing.file) == ("warning", "registry.json")
    (folder / "registry.json").write_text("{}")
    assert [fault.level for fault in validate_folder(folder)[1]] == ["error"]
    build(folder).write()
    assert validate_folder(folder) == (1, ())
    (folder / "fraud" / CODE).write_text('PUNCTUATION = "?"\n')
    (old,) = validate_folder(folder)[1]
    assert "it is not what the components are (fraud 0.1 changed)" in str(old)


def test_names_that_mean_something_else_are_told(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "parts", {name: template_files(name) for name in ("redis", "feature-store")})
    levels = {(one.component, one.level) for one in validate_folder(folder)[1] if "the name is taken" in one.problem}
    assert levels == {("redis", "warning"), ("feature-store", "warning")}
    hidden = validate_folder(folder, hidden=True)[1]
    assert {one.level for one in hidden if "the name is taken" in one.problem} == {"error"}


def test_imports_are_found_wherever_they_stand() -> None:
    text = "if 1:\n  class A:\n    import a.b\nasync def f():\n  from c import d\nwith x: import e\n"
    text += "match x:\n  case 1: import g\n"
    assert [(one.module, one.line) for one in imports_of(text)] == [("a.b", 3), ("c", 5), ("e", 6), ("g", 8)]
    assert bringers(["x"], "y", {"y": ["X"]}) == ("x",)
    assert bringers(["opentelemetry-sdk"], "opentelemetry.sdk.trace", {}) == ("opentelemetry-sdk",)
