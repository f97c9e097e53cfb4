"""Whether the house is built as drawn: arrows between rooms, sizes, and names of files.

The drawing is ``ROOMS``; docs/decisions and DESIGN.md tell why. All of it is read from the syntax trees: imports inside
functions and under ``TYPE_CHECKING`` count like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from mlox import plugins
from tests.source_tree import ROOT, SOURCES, Sources, told

ROOMS: tuple[frozenset[str], ...] = tuple(
    frozenset(rooms.split())
    for rooms in (
        "errors",
        "writings hashing",
        "secret",
        "literals",
        "matching",
        "specs",
        "variables interpolation",
        "grants",
        "units leases dotenv archives streams alerts",
        "protocols",
        "journal locks moves backups forwarding",
        "documents",
        "catalog resolve plan compose components explaining scanning",
        "values apply",
        "backends transports secret_stores backup_stores connectors registries receivers",
        "testing plugins",
        "lockfile",
        "workspace",
        "stack",
        "worksheet",
        "verbs",
        "screen",
        "secrets cli mcp mlox_jupyter",
        "mlox __main__",
    )
)
"""From left to right: a file imports its own room and what stands to its left, no room of its own place.

``mlox`` is the package's own ``__init__``: public words, which only the fronts and ``secrets`` may take from it; the
version, which is written there, everybody.
"""

PLACE = {room: place for place, rooms in enumerate(ROOMS) for room in rooms}
FRONTS = frozenset({"secrets", "cli", "mcp", "mlox_jupyter"})
ADAPTER_ROOMS = frozenset(
    {"backends", "transports", "secret_stores", "backup_stores", "connectors", "registries", "receivers"}
)
ADAPTERS = frozenset(row.where.partition(":")[0] for row in plugins.TABLE.values())
PURE = frozenset({"plan", "stack"})
OUTERMOST = frozenset({"mlox.cli", "mlox_jupyter.magics", "mlox_jupyter.panels.calling"})
VAGUE = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "misc"})
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60


def imports(modules: Sources, module: str) -> Iterator[tuple[str, int]]:
    """Which of our modules ``module`` imports, and in which line."""
    known = {package for name in modules for package in (name, name.split(".")[0])}
    for node in ast.walk(ast.parse(modules[module])):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = [f"{node.module}.{alias.name}" for alias in node.names if alias.name != "__version__"]
            names = [name if name in known else node.module for name in full]
        else:
            continue
        for name in dict.fromkeys(names):
            if name.split(".")[0] in ("mlox", "mlox_jupyter") and name != module:
                yield name, node.lineno


def room(module: str) -> str:
    """The room that a module is in."""
    package, *rest = module.split(".")
    return rest[0] if package == "mlox" and rest else package


def wrong_arrows(modules: Sources) -> list[str]:
    """Imports that do not point to the left, and modules that stand in no room."""
    wrong = [f"{module}: stands in no room of ROOMS" for module in modules if room(module) not in PLACE]
    for module in modules:
        here = room(module)
        for target, line in imports(modules, module):
            there = room(target)
            if here == there or here not in PLACE or there not in PLACE:
                continue
            if there == "mlox":
                allowed = here in FRONTS
            elif here == "testing":
                allowed = PLACE[there] < PLACE["plugins"]
            else:
                allowed = PLACE[there] < PLACE[here] and there != "testing"
            if not allowed:
                wrong.append(f"{module}:{line} ({here}) may not import {target} ({there})")
    return wrong


def adapter_of(module: str) -> str | None:
    """The adapter that a module belongs to: one row of the plugins' table, with what lies in its package."""
    return next((name for name in ADAPTERS if module == name or module.startswith(f"{name}.")), None)


def named_adapters(modules: Sources) -> list[str]:
    """Imports of an adapter room from outside it, of one adapter by another, of the planner by an adapter.

    What the adapters of a room share is no adapter: the shipped fakes in ``testing`` may share it too.
    """
    wrong = []
    for module in modules:
        here, own = room(module), adapter_of(module)
        for target, line in imports(modules, module):
            there = room(target)
            if here in ADAPTER_ROOMS and there in PURE:
                wrong.append(f"{module}:{line} is an adapter and may not import {target}")
            elif there in ADAPTER_ROOMS and here != there and not (here == "testing" and not adapter_of(target)):
                wrong.append(f"{module}:{line} may not name {target}: adapters are found through mlox.plugins")
            elif there in ADAPTER_ROOMS and (other := adapter_of(target)) and other != own:
                wrong.append(f"{module}:{line} may not import the adapter {other}")
    return wrong


def cycles(modules: Sources) -> list[str]:
    """Modules that import each other, as paths ``a -> b -> a``."""
    arrows = {module: [t for t, _ in imports(modules, module) if t in modules] for module in modules}
    found: set[frozenset[str]] = set()
    told = []
    for start in modules:
        paths = [[start]]
        seen = {start}
        while paths:
            path = paths.pop(0)
            for target in arrows[path[-1]]:
                if target == start and frozenset(path) not in found:
                    found.add(frozenset(path))
                    told.append(" -> ".join([*path, start]))
                elif target not in seen:
                    seen.add(target)
                    paths.append([*path, target])
    return told


def broad_handlers(modules: Sources) -> list[str]:
    """``except Exception`` and the like, where the handler does not raise again what it caught."""
    wrong = []
    for module in modules.keys() - OUTERMOST:
        for node in ast.walk(ast.parse(modules[module])):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = [node.type] if not isinstance(node.type, ast.Tuple) else node.type.elts
            broad = any(one is None or getattr(one, "id", "") in ("Exception", "BaseException") for one in caught)
            again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if broad and not again:
                wrong.append(f"{module}:{node.lineno} catches everything")
    return sorted(wrong)


def test_a_file_imports_only_what_stands_to_its_left() -> None:
    offences = wrong_arrows(SOURCES)
    assert not offences, told(offences)


def test_adapters_are_named_by_the_plugins_table_alone() -> None:
    offences = named_adapters(SOURCES)
    assert not offences, told(offences)


def test_no_modules_import_each_other() -> None:
    offences = cycles(SOURCES)
    assert not offences, told(offences)


def test_only_the_outermost_of_each_front_end_catches_everything() -> None:
    offences = broad_handlers(SOURCES)
    assert not offences, told(offences)


def test_the_rules_above_can_fail() -> None:
    drawn_wrong = {
        "mlox.plan": "def f():\n    from mlox.resolve import x",
        "mlox.resolve": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mlox.stack.stack",
        "mlox.errors": "import mlox",
        "mlox.odd": "",
        "mlox.stack": "from mlox.stack import stack",
        "mlox.stack.stack": "import mlox.stack\nimport mlox.backends.native",
        "mlox.backends.native": "from mlox import plan\ntry:\n    pass\nexcept (OSError, Exception):\n    pass",
        "mlox.transports.local": "import mlox.backends.native\ntry:\n    pass\nexcept BaseException:\n    raise",
        "mlox.cli": "import mlox\nfrom mlox.verbs import x",
        "mlox.verbs": "from mlox import __version__",
    }
    assert wrong_arrows(drawn_wrong) == [
        "mlox.odd: stands in no room of ROOMS",
        "mlox.plan:2 (plan) may not import mlox.resolve (resolve)",
        "mlox.resolve:3 (resolve) may not import mlox.stack.stack (stack)",
        "mlox.errors:1 (errors) may not import mlox (mlox)",
        "mlox.transports.local:1 (transports) may not import mlox.backends.native (backends)",
    ]
    assert named_adapters(drawn_wrong) == [
        "mlox.stack.stack:2 may not name mlox.backends.native: adapters are found through mlox.plugins",
        "mlox.backends.native:1 is an adapter and may not import mlox.plan",
        "mlox.transports.local:1 may not name mlox.backends.native: adapters are found through mlox.plugins",
    ]
    assert "mlox.stack -> mlox.stack.stack -> mlox.stack" in cycles(drawn_wrong)
    assert broad_handlers(drawn_wrong) == ["mlox.backends.native:4 catches everything"]


@pytest.mark.parametrize("module", SOURCES)
def test_files_and_functions_are_short(module: str) -> None:
    lines = len(SOURCES[module].splitlines())
    assert lines <= MAX_FILE_LINES, f"{module} has {lines} lines, more than {MAX_FILE_LINES}"
    long = [
        f"{module}:{node.lineno} {node.name} has {length} lines, more than {MAX_FUNCTION_LINES}"
        for node in ast.walk(ast.parse(SOURCES[module]))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert not long, told(long)


def test_files_beside_the_packages_are_short() -> None:
    found = sorted(path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
    files = [path for path in found if "hard_cases" not in path.parts]  # texts of users, in any encoding
    long = [
        f"{path.relative_to(ROOT)} has {lines} lines, more than {MAX_FILE_LINES}"
        for path in files
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_FILE_LINES
    ]
    assert files
    assert not long, told(long)


@pytest.mark.parametrize("module", SOURCES)
def test_a_file_says_in_its_first_line_which_question_it_answers(module: str) -> None:
    tree = ast.parse(SOURCES[module])
    assert ast.get_docstring(tree) or not tree.body, f"{module} begins without a docstring"


def test_no_module_has_a_vague_name() -> None:
    vague = [module for module in SOURCES if VAGUE & set(module.split("."))]
    assert not vague, told(vague)


def test_every_adapter_of_the_table_exists_where_it_says() -> None:
    absent = [name for name in ADAPTERS if name not in SOURCES]
    assert not absent, told(absent)
    assert {room(name) for name in ADAPTERS} <= ADAPTER_ROOMS
