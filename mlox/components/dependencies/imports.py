"""Which distributions the code of a repository imports: by what is installed, else by a table of names that differ."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata, resources
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlox.components.dependencies.projects import elsewhere_than
from mlox.components.tree import Tree, inside
from mlox.errors import WorkspaceError

SKIPPED = frozenset({"__pycache__", "build", "dist", "env", "mlx-components", "node_modules", "site-packages", "venv"})
"""Folders whose code is not the user's own."""

MAX_FILES = 20_000
_IMPORT = re.compile(r"^\s*(?:from|import)\s+([A-Za-z_][\w.]*)", re.MULTILINE)
_BY_NAME = re.compile(r"\bimport_module\(\s*['\"]([A-Za-z_][\w.]*)['\"]")

Installed = Callable[[], Mapping[str, Sequence[str]]]


@cache
def table() -> Mapping[str, str]:
    """The distributions of modules that have another name."""
    text = (resources.files(__package__) / "imports.json").read_text("utf-8")
    known: dict[str, str] = json.loads(text)
    return known


def distributions_of(module: str, installed: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The distributions that a module may come from, by canonical name.

    What is installed tells; where several share the first name (``google``), or none is there, the table does.

    Example:
        >>> sorted(distributions_of("google.cloud.storage.blob", {}))
        ['google-cloud-storage']
        >>> sorted(distributions_of("yaml", {"yaml": ["types-PyYAML"]}))
        ['types-pyyaml']
    """
    parts = module.split(".")
    there = {canonicalize_name(name) for name in installed.get(parts[0], ())}
    if len(there) == 1:
        return frozenset(there)
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    told = next((table()[prefix] for prefix in prefixes if prefix in table()), None)
    if told is not None:
        return frozenset({told})
    return frozenset(there) or frozenset({canonicalize_name(parts[0])})


def used_by_code(
    tree: Tree,
    requirements: Sequence[str],
    *,
    without: Collection[str] = (),
    project: str = "",
    installed: Installed = metadata.packages_distributions,
) -> dict[str, str]:
    """Those of ``requirements`` that Python files and notebooks of the repository import, and one file that does.

    ``without`` are the paths of files that are about to go. A module of the repository hides a distribution
    of its name. Code of another project than the one in the folder ``project`` has requirements of its own.
    """
    names: dict[str, str] = {canonicalize_name(Requirement(one).name): one for one in requirements}
    found: dict[str, str] = {}
    known: dict[str, frozenset[str]] = {}
    there: Mapping[str, Sequence[str]] | None = None
    elsewhere = elsewhere_than(tree, project)
    for path in _files(tree):
        if path in without or len(found) == len(names) or elsewhere(path):
            continue
        for module in imported(path, _read(tree, path)):
            if module not in known:
                there = installed() if there is None else there
                known[module] = frozenset() if _is_own(tree, project, module) else distributions_of(module, there)
            for name in known[module] & names.keys():
                found.setdefault(names[name], path)
    return found


def imported(path: str, content: bytes) -> Iterable[str]:
    """The modules that a file imports by their whole names; of one that does not parse, those that lines begin with."""
    text = content.decode("utf-8", "replace")
    if "import" not in text:
        return set()
    found = set(_BY_NAME.findall(text))
    for code in _cells(text) if path.endswith(".ipynb") else (text,):
        try:
            nodes = list(ast.walk(ast.parse(code)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            found |= set(_IMPORT.findall(code))
            continue
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _cells(text: str) -> Iterator[str]:
    """The code of a notebook, without what is IPython's."""
    try:
        cells = json.loads(text)["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                lines = "".join(cell["source"]).splitlines()
                yield "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!", "?")))
    except (ValueError, KeyError, TypeError, RecursionError):
        yield text


def _files(tree: Tree) -> Iterator[str]:
    folders = [tree.root]
    count = 0
    while folders:
        for path in sorted(_entries(folders.pop())):
            if path.is_symlink() or path.name.startswith("."):
                continue
            if path.is_dir():
                if path.name not in SKIPPED and not (path / "pyvenv.cfg").exists():
                    folders.append(path)
            elif path.suffix in {".py", ".ipynb"} and count < MAX_FILES:
                count += 1
                yield path.relative_to(tree.root).as_posix()


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []  # what cannot be read says nothing


def _read(tree: Tree, path: str) -> bytes:
    try:
        return tree.read(path) or b""
    except WorkspaceError:
        return b""


def _is_own(tree: Tree, project: str, module: str) -> bool:
    """Whether the project has a module of that name itself."""
    top = module.partition(".")[0]
    places = [inside(project, path) for path in (top, f"src/{top}")]
    return any(tree.is_folder(path) or tree.at(f"{path}.py").is_file() for path in places)
