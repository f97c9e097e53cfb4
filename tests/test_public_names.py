"""What importing mlox loads and makes public, and whether its distribution is named rightly, in one place.

All but the import itself is read from the syntax trees.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys

import pytest

import mlox
from mlox.errors import DISTRIBUTION
from tests.source_tree import ROOT, SOURCES, told

HEAVY = ("IPython", "argparse", "asyncio", "psutil", "pydantic", "pyrage", "ruamel", "supervisor", "tomlkit", "yaml")


def python(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_mlox_loads_nothing_heavy() -> None:
    code = "import sys; before = set(sys.modules); import mlox; new = set(sys.modules) - before"
    code += "; import json; print(json.dumps(sorted(new)))"
    loaded = json.loads(python(code))
    heavy = [name for name in loaded if name.split(".")[0] in HEAVY]
    assert "mlox" in loaded
    assert not heavy, f"import mlox loads {', '.join(heavy)}"
    assert not [name for name in loaded if name.startswith("mlox.")], "import mlox loads a room"


def test_mlox_imports_lazily() -> None:
    tree = ast.parse(SOURCES["mlox"])
    eager = [name for statement in tree.body for name in _imported(statement) if name.startswith("mlox")]
    assert not eager, f"mlox/__init__.py imports {', '.join(eager)} at once"


def _imported(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [statement.module or ""] if isinstance(statement, ast.ImportFrom) else []


def test_all_is_exact_and_sorted() -> None:
    assert list(mlox.__all__) == sorted(set(mlox.__all__))
    assert set(dir(mlox)) == {*mlox.__all__, "__version__"}
    for name in mlox.__all__:
        assert getattr(mlox, name) is not None
    # Rooms become attributes of the package as they are imported; beside them nothing public may stand in it.
    rooms = {module.split(".")[1] for module in SOURCES if module.startswith("mlox.")}
    hooks = {"load_ipython_extension", "unload_ipython_extension"}
    machinery = {"annotations", "importlib", "TYPE_CHECKING", "Any"}
    public = {name for name in vars(mlox) if not name.startswith("_")}
    assert public - rooms - hooks - machinery <= set(mlox.__all__)


def test_type_checkers_see_the_same_public_names() -> None:
    tree = ast.parse(SOURCES["mlox"])
    guarded = [n for n in tree.body if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    seen = {alias.name for n in guarded for one in n.body if isinstance(one, ast.ImportFrom) for alias in one.names}
    assert seen == set(mlox.__all__)


WRONG_NAME = re.compile(r"\b(?:pip3?|pipx|uv|conda) (?:\w+ )*?(?:install|add)\b[^\n`\"']*?[\s\"'=]mlox(?!-sdk|[\w/.])")


def test_hints_name_the_right_distribution() -> None:
    texts = dict(SOURCES)
    for pattern in ("*.md", "docs/**/*.md", "notebooks/**/*.ipynb", "mlox/**/*.yaml"):
        texts |= {str(p.relative_to(ROOT)): p.read_text("utf-8") for p in ROOT.glob(pattern)}
    wrong = [f"{name}: {m.group()}" for name, text in texts.items() for m in WRONG_NAME.finditer(text)]
    assert not wrong, told(wrong)
    assert WRONG_NAME.search("pip install mlox")
    assert WRONG_NAME.search("uv pip install -U 'mlox[dev]'")
    assert not WRONG_NAME.search(f"pip install {DISTRIBUTION}")
    assert not WRONG_NAME.search("pip install -e ./mlox")


@pytest.mark.parametrize("module", sorted(set(SOURCES) - {"mlox.errors"}))
def test_the_name_of_the_distribution_is_written_once(module: str) -> None:
    tree = ast.parse(SOURCES[module])
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    literal = [
        f"{module}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and DISTRIBUTION in str(node.value) and id(node) not in docstrings
    ]
    assert not literal, f"write errors.DISTRIBUTION, not {DISTRIBUTION!r}: {', '.join(literal)}"
