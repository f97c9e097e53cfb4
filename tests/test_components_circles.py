"""Which circles of imports Python stumbles over: held against Python itself, and against what components add."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlox.components import Tree
from mlox.components.circles import circles
from mlox.errors import WorkspaceError
from tests.component_stage import Shop, offer
from tests.layer_stage import layer, serving

WORLDS: dict[str, dict[str, str]] = {
    "none": {"a.py": "import b\n", "b.py": "x = 1\n"},
    "a name too early": {"a.py": "from b import y\nx = 1\n", "b.py": "from a import x\ny = 1\n"},
    "bound before": {"a.py": "x = 1\nfrom b import y\n", "b.py": "from a import x\ny = 1\n"},
    "modules alone": {"a.py": "import b\nx = 1\n", "b.py": "import a\ny = 1\n"},
    "in a function": {"a.py": "from b import y\nx = 1\n", "b.py": "def y():\n    from a import x\n    return x\n"},
    "for types": {
        "a.py": "from b import y\nx = 1\n",
        "b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import x\ny = 1\n",
    },
    "caught": {
        "a.py": "from b import y\nx = 1\n",
        "b.py": "try:\n    from a import x\nexcept ImportError:\n    x = 2\ny = 1\n",
    },
    "caught above": {
        "a.py": "try:\n    from b import y\nexcept ImportError:\n    y = 2\nx = 1\n",
        "b.py": "from c import z\ny = 1\n",
        "c.py": "z = 1\n",
    },
    "a package": {"p/__init__.py": "from p.a import x\nLIMIT = 1\n", "p/a.py": "from p import LIMIT\nx = LIMIT\n"},
    "a module of a package": {"p/__init__.py": "from . import a\n", "p/a.py": "from . import b\n", "p/b.py": "x = 1\n"},
    "a package above": {
        "p/__init__.py": "",
        "p/s/__init__.py": "from .app import app\n\nclass Problem:\n    pass\n",
        "p/s/app.py": "from p.limit import limit\napp = limit\n",
        "p/limit.py": "from p.s import Problem\nlimit = Problem\n",
    },
    "a star": {"a.py": "from b import *\nx = 1\n", "b.py": "from a import *\ny = 1\n"},
    "three": {
        "a.py": "from b import y\nx = 1\n",
        "b.py": "from c import z\ny = 1\n",
        "c.py": "from a import x\nz = 1\n",
    },
    "asked for": {"a.py": "def __getattr__(n):\n    return 1\n\nfrom b import y\n", "b.py": "from a import x\ny = 1\n"},
    "in a class": {"a.py": "class A:\n    from b import y\nx = 1\n", "b.py": "from a import x\ny = 1\n"},
}


@pytest.mark.parametrize("world", WORLDS)
def test_it_says_what_python_says(tmp_path: Path, world: str) -> None:
    files = WORLDS[world]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    modules = [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files]
    fails = any(_fails(tmp_path, module) for module in modules)
    for module in modules:
        assert bool(circles(Tree(tmp_path), "", [module])) == (fails and _reached(files, module)), module


def _fails(root: Path, module: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-BSc", f"import {module}"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or "circular import" in done.stderr, done.stderr
    return done.returncode != 0


def _reached(files: Mapping[str, str], module: str) -> bool:
    """Whether a module is in the circle: all are, in these worlds, but for an empty package."""
    path = next(
        path for path in files if path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") == module
    )
    return bool(files[path])


def test_what_cannot_be_read_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from .. import x\nfrom . import y\nimport b, c\nz = 1\n")
    (tmp_path / "b.py").write_text("from a import (\n")
    (tmp_path / "c.py").symlink_to("a.py")
    assert circles(Tree(tmp_path), "", ["a", "nowhere.at.all"]) == []


def test_adding_refuses_what_would_not_import_and_writes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "churn"
    root.mkdir()
    offer(root, serving(), "serving")
    limit = layer("limit")
    limit["src/project/limit/__init__.py"] = b"from project.serving import NAME\n\n\ndef limit(app):\n    return NAME\n"
    offer(root, limit, "limit")
    shop = Shop(root)
    shop.add("serving")
    shop.put("src/churn/serving/__init__.py", 'from .app import app as app\n\nNAME = "serving"\n')
    before = shop.tree()
    with pytest.raises(WorkspaceError, match="nothing was written") as caught:
        shop.add("limit")
    assert "churn.limit → churn.serving → churn.serving.app → churn.limit" in caught.value.problem
    assert caught.value.hint == "Take the import of churn.serving out of churn.limit, or put it into a function."
    assert shop.tree() == before
    shop.put("src/churn/serving/__init__.py", 'NAME = "serving"\n')
    shop.add("limit")


def test_circles_that_were_there_before_are_no_fault_of_what_is_added(shop: Shop) -> None:
    shop.put("src/churn/__init__.py", "from churn.a import x\n\nLIMIT = 1\n")
    shop.put("src/churn/a.py", "from churn import LIMIT\nfrom churn.greeting import greet\n\nx = greet\n")
    shop.add()


def test_what_mlox_brings_goes_together(shop: Shop) -> None:
    for name in ("caching", "rate-limiting"):
        shop.components.add(shop.template(name))
    paths = [path for record in shop.components.added().values() for path in record.files if path.startswith("src/")]
    modules = {
        path.removeprefix("src/").removesuffix(".py").replace("/__init__", "").replace("/", ".") for path in paths
    }
    assert circles(shop.components.tree, "src", sorted(modules)) == []
