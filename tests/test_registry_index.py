"""Whether registry.json is what its schema says, is written in one way only, and is current where it is published."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from mlox.components.index import entries_of, read_index, write_index
from mlox.errors import SpecError
from mlox.registries.folder import FolderRegistry, built_in
from mlox.specs.registry import json_schema
from tests.component_stage import template_files
from tests.registry_stage import lay_out

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("published", ["mlox/specs/registry.schema.json", "docs/registry.schema.json"])
def test_the_published_schema_is_the_one_that_the_model_gives(published: str) -> None:
    assert (ROOT / published).read_text("utf-8") == json_schema(), f"mlox registry build --schema > {published}"


def test_mlox_own_registry_json_is_current() -> None:
    index = write_index(entries_of(FolderRegistry()))
    assert (built_in() / "registry.json").read_bytes() == index, "mlox registry build mlx-components"


def test_what_is_written_fits_the_schema_and_reads_back(tmp_path: Path) -> None:
    old = {f"versions/0.9/{path}": text for path, text in template_files(version="0.9").items()}
    lay_out(tmp_path, {"greeting": {**template_files(), **old}, "farewell": template_files("farewell")})
    text = write_index(entries_of(FolderRegistry(tmp_path)))
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    entries = read_index(text, source="x").components
    assert [(one.name, one.version, one.folder) for one in entries] == [
        ("farewell", "1.0", "farewell"),
        ("greeting", "1.0", "greeting"),
        ("greeting", "0.9", "greeting/versions/0.9"),
    ]
    greeting = entries[1]
    assert greeting.dependencies == ["tabulate>=0.9"]
    assert greeting.services == ["redis"]
    assert greeting.options["keep"].choices == ["none", "redis"]
    assert {file.path for file in greeting.files} == set(template_files())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({"format": 1, "components": [{"name": "x"}]})


def test_it_does_not_depend_on_the_order_in_which_components_come(tmp_path: Path) -> None:
    lay_out(tmp_path, {name: template_files(name) for name in ("b", "a", "c")})
    entries = entries_of(FolderRegistry(tmp_path))
    assert write_index(reversed(entries)) == write_index(entries)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "is a list, not a mapping"),
        (b'{"format": 2, "components": []}', "format"),
        (b'{"format": 1, "components": [], "more": 1}', "unknown key 'more'"),
        (b'{"format": 1, "components": NaN}', "no JSON"),
        (b'{"format": ' + b"1" * 5000 + b', "components": []}', "no JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "no JSON, or goes too deep"),
        (b'{"format": 1, "components": ' + b"[" * 25 + b"]" * 25 + b"}", "goes too deep"),
        (b" " * 5_000_001, "larger than"),
    ],
)
def test_what_is_no_registry_json_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_index(text, source="x")
    assert problem in caught.value.problem
    assert caught.value.hint
