"""Which requirements the user's own code imports: by installed metadata, else by the table."""

from __future__ import annotations

import json

import pytest
from packaging.utils import canonicalize_name

from mlox.components.dependencies import used_by_code
from mlox.components.dependencies.imports import distributions_of, table
from mlox.components.tree import Tree
from tests.component_stage import Shop, offer, template_files


def nothing() -> dict[str, list[str]]:
    return {}


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("yaml", "pyyaml"),
        ("sklearn.linear_model", "scikit-learn"),
        ("cv2", "opencv-python"),
        ("PIL.Image", "pillow"),
        ("dotenv", "python-dotenv"),
        ("google.cloud.storage.blob", "google-cloud-storage"),
        ("google.cloud.bigquery", "google-cloud-bigquery"),
        ("google.protobuf", "protobuf"),
        ("opentelemetry.trace", "opentelemetry-api"),
        ("opentelemetry.sdk.trace", "opentelemetry-sdk"),
        ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry-exporter-otlp-proto-http"),
        ("prometheus_client", "prometheus-client"),
        ("some_thing.deep", "some-thing"),
    ],
)
def test_a_module_of_another_name_is_found_in_the_table(module: str, distribution: str) -> None:
    assert distributions_of(module, {}) == {distribution}


def test_what_is_installed_goes_before_the_table() -> None:
    assert distributions_of("cv2", {"cv2": ["opencv-python-headless"]}) == {"opencv-python-headless"}
    shared = {"google": ["protobuf", "google-cloud-storage"]}
    assert distributions_of("google.cloud.storage", shared) == {"google-cloud-storage"}
    assert distributions_of("google.other", shared) == {"protobuf", "google-cloud-storage"}


def test_the_table_has_canonical_names_and_no_line_that_says_nothing() -> None:
    for module, distribution in table().items():
        assert canonicalize_name(distribution) == distribution
        assert "." in module or canonicalize_name(module) != module or module != distribution


CODE = {
    "src/churn/a.py": "import yaml\n",
    "src/churn/b.py": "def f():\n    from google.cloud import storage\n",
    "src/churn/c.py": "try:\n    import cv2 as c\nexcept ImportError:\n    c = None\n",
    "src/churn/broken.py": "import zarr\nthis is no Python\n",
    "named.py": "import importlib\nimportlib.import_module('orjson')\n",
    "own.py": "import redis\nfrom . import boto3\n",
    "redis/__init__.py": "",
    "text.py": "# import pandas\nTEXT = 'import polars'\n",
    ".venv/x.py": "import pandas\n",
    "venv/lib/x.py": "import pandas\n",
    "mlx-components/x/src/x.py": "import pandas\n",
    "gone.py": "import pandas\n",
    "note.ipynb": json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["import pandas"]},
                {"cell_type": "code", "source": ["%load_ext mlox\n", "!ls\n", "import duckdb\n"]},
            ]
        }
    ),
    "broken.ipynb": '{"cells": 3}',
}


def test_files_and_notebooks_of_the_repository_are_read(shop: Shop) -> None:
    for path, text in CODE.items():
        shop.put(path, text)
    asked = {
        "PyYAML>=6": "src/churn/a.py",
        "google-cloud-storage": "src/churn/b.py",
        "opencv-python": "src/churn/c.py",
        "zarr<3": "src/churn/broken.py",
        "orjson": "named.py",
        "duckdb": "note.ipynb",
    }
    others = ["redis>=5", "boto3", "pandas", "polars"]
    tree = Tree(shop.root)
    assert used_by_code(tree, [*asked, *others], without={"gone.py"}, installed=nothing) == asked
    assert used_by_code(tree, ["pandas"], installed=nothing) == {"pandas": "gone.py"}


def test_a_requirement_that_the_users_code_imports_is_left_when_the_component_goes(shop: Shop) -> None:
    shop.put("pyproject.toml", '[project]\nname = "churn"\ndependencies = [\n    "rich",\n]\n')
    shop.add()
    shop.put("src/churn/mine.py", "from tabulate import tabulate\n")
    removal = shop.components.plan_removal("greeting")
    assert removal.dependencies == ()
    shop.remove()
    assert '"tabulate>=0.9"' in shop.read("pyproject.toml")


def test_the_components_own_files_are_no_use_of_it(shop: Shop) -> None:
    shop.put("pyproject.toml", '[project]\nname = "churn"\ndependencies = [\n    "rich",\n]\n')
    shop.put(
        "mlx-components/greeting/src/project/greeting/words.py",
        (shop.root / "mlx-components/greeting/src/project/greeting/words.py").read_text() + "\nimport tabulate\n",
    )
    shop.add()
    assert "import tabulate" in shop.read("src/churn/greeting/words.py")
    shop.remove()
    assert "tabulate" not in shop.read("pyproject.toml")


def test_what_another_component_imports_and_does_not_ask_for_is_no_use_unless_the_user_wrote_it(shop: Shop) -> None:
    files = template_files("farewell", dependencies="[]")
    path = "src/project/farewell/words.py"
    offer(shop.root, files | {path: files[path] + b"\nimport tabulate\n"}, "farewell")
    shop.put("pyproject.toml", '[project]\nname = "churn"\ndependencies = [\n    "rich",\n]\n')
    shop.add("farewell")
    shop.add("greeting")
    shop.remove("greeting")
    assert "tabulate" not in shop.read("pyproject.toml")
    shop.add("greeting")
    shop.put("src/churn/farewell/words.py", "from tabulate import tabulate\n")
    shop.remove("greeting")
    assert '"tabulate>=0.9"' in shop.read("pyproject.toml")
