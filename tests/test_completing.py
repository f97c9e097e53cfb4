"""What may come next in a line that is being typed, and in a YAML stack: from words to candidates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.catalog import Catalog
from mlox.verbs import all_verbs
from mlox.verbs.completing import Names, complete
from mlox.verbs.completing_body import complete_body, kind_at
from mlox.verbs.outline import outline, place
from mlox.verbs.shells import SCRIPTS
from tests.sdk_stage import STORE
from tests.shell_stage import Say

pytestmark = pytest.mark.usefixtures("no_reports")


@pytest.fixture
def names(demo: Say, isolated: Path) -> Names:
    """A workspace with mlflow and redis, and a database in the catalog that mlflow could use."""
    (isolated / "services").mkdir()
    base = STORE.format(name="base", capability="postgresql", port=7000, needs="{}", up="", variable="BASE")
    (isolated / "services" / "base.yaml").write_text(base)
    with (isolated / "mlox.yaml").open("a") as file:
        file.write("profiles: {big: {options: {mlflow: {workers: 4}}}}\n")
    demo("secrets", "set", "TOKEN", "--generate", "20")
    return Names()


def texts(line: str, names: Names) -> list[str]:
    """The candidates of a line; its last word may be empty."""
    return [candidate.text for candidate in complete(line.split(" "), names)]


OTHERS = sorted({*Catalog().names(), "base"} - {"mlflow", "redis"})
"""Of the catalog, what the stack does not have."""

LINES = {
    "statu": ["status"],
    "secrets re": ["remove"],
    "-v --profile big statu": ["status"],
    "--profile ": ["big"],
    "status --profile ": ["big"],
    "up ": ["mlflow", "redis", *OTHERS],
    "up mlflow r": ["redis"],
    "up mlflow@": ["mlflow@3.17.2"],
    "up redis@": ["redis@7", "redis@7.0.15"],
    "add ba": ["base"],
    "down ": ["mlflow", "redis"],
    "why m": ["mlflow"],
    "info b": ["base"],
    "add featu": ["feature-store"],
    "add feature-store --i": ["--install"],
    "add feature-store --set online_store=r": ["online_store=redis"],
    "up featu": [],
    "remove featu": [],
    "up mlflow --pru": ["--prune"],
    "up --on ": ["local", "docker"],
    "move r": ["redis"],
    "move redis --to ": ["local", "docker"],
    "up mlflow --set w": ["workers=", "workers=1"],
    "up mlflow --set default_permission=R": ["default_permission=READ"],
    "up mlflow --set=default_permission=R": ["--set=default_permission=READ"],
    "up redis --set appendfsync=": ["appendfsync=always", "appendfsync=everysec", "appendfsync=no"],
    "up nobody --set ": [],
    "up mlflow --needs d": ["database=embedded"],
    "add flow --needs ": [],
    "secrets rotate T": ["TOKEN"],
    "secrets get T": ["TOKEN"],
    "secrets set TOKEN v": [],
    "run mlflow -- py": [],
    "help statu": ["status"],
    "help secrets ge": ["get"],
    "help --completion ": ["bash", "zsh", "fish"],
    "--ver": ["--verbose", "--version"],
    "up --dry": ["--dry-run"],
    "nonsense ": [],
    "why mlflow --": [
        *("--settings", "--json", "--yes", "--dry-run", "--profile"),
        *("--quiet", "--verbose", "--version", "--help"),
    ],
}


@pytest.mark.parametrize("line", LINES)
def test_a_line(line: str, names: Names) -> None:
    assert texts(line, names) == LINES[line]


def test_the_begin_of_a_line(names: Names) -> None:
    assert set(texts("", names)) == {name.split()[0] for name in all_verbs()}
    assert {candidate.help for candidate in complete(["up"[:1]], names)} >= {all_verbs()["up"].summary}


def test_components_of_the_repository_are_offered_where_they_can_be_named(demo: Say) -> None:
    demo("add", "feature-store")
    assert (
        texts("remove featu", Names())
        == texts("status featu", Names())
        == texts("info featu", Names())
        == ["feature-store"]
    )
    assert texts("down featu", Names()) == []


def test_an_option_is_offered_once_unless_it_can_be_repeated(names: Names) -> None:
    assert "--prune" not in texts("up mlflow --prune --", names)
    assert "--set" in texts("up mlflow --set workers=2 --", names)


def test_another_folder(names: Names, tmp_path: Path) -> None:
    del names
    words = ["-C", str(tmp_path), "down", ""]
    assert [one.text for one in complete(words, Names.for_line(words))][:1] == ["--all"]
    assert texts("down ", Names()) == ["mlflow", "redis"]


@pytest.mark.parametrize(
    "text", ["services: [", "services: {x: {service: nope, versoin: 3}}", "\x00", "name: a\nid: b"]
)
def test_a_broken_mlox_yaml_is_no_trouble(names: Names, isolated: Path, text: str) -> None:
    del names
    (isolated / "mlox.yaml").write_text(text)
    assert texts("add m", Names()) == [name for name in Catalog().names() if name.startswith("m")]
    assert texts("down ", Names())[:1] == ["--all"]
    assert texts("secrets get ", Names())[:1] == ["--version"]


@given(st.lists(st.text(max_size=6), max_size=6))
def test_whatever_is_typed(words: list[str]) -> None:
    for candidate in complete(words, Names(Path("/"))):
        assert candidate.text.startswith(words[-1] if words else "")


def test_it_is_quick(names: Names) -> None:
    """Less than 50 ms once all is read; here the quickest of some, since the machine has other work."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        complete(["up", "mlflow", "--set", ""], Names())
        complete_body("services:\n  mlflow:\n    options:\n      ", 3, 6, Names(), variables={}, environment=())
        took.append(time.perf_counter() - began)
    del names
    assert min(took) < 0.05


# YAML


STACK = """\
services:
  mlflow:
    needs:
      database: store
    options: {workers: 2, }
  cache: redis@7
  store: {service: base}
  other:
    service: redis
"""

CELLS = {
    "|": ["services:", "name: "],
    "ser|": ["services:"],
    "services:\n  |": ["mlflow:", "redis:", *(f"{name}:" for name in OTHERS)],
    "services:\n  mlflow:\n  |": ["redis:", *(f"{name}:" for name in OTHERS)],
    "services:\n  cache: red|": ["redis", "redis@7", "redis@7.0.15"],
    "services:\n  cache: redis@|": ["redis@7", "redis@7.0.15"],
    "services:\n  mlflow:\n    o|": ["options:"],
    "services:\n  mlflow:\n    options:\n    |": ["service: ", "version: ", "needs:", "ports:", "server: "],
    "services:\n  mlflow:\n    version: |": ['"3.17.2"'],
    "services:\n  mlflow:\n    server: |": ["local", "docker"],
    "services:\n  mlflow:\n    options:\n      |": ["workers: ", "default_permission: "],
    "services:\n  mlflow:\n    options: {|": ["workers: ", "default_permission: "],
    "services:\n  mlflow:\n    options: {workers: 2, d|}": ["default_permission: "],
    "services:\n  mlflow: {options: {default_permission: R|": ["READ"],
    "services:\n  mlflow: {options: {workers: 1}, n|": ["needs:"],
    "services:\n  c:\n    service: redis\n    options:\n      appendfsync: |": ["always", "everysec", '"no"'],
    "services:\n  c:\n    options:\n      appendfsync: |\n    service: redis": ["always", "everysec", '"no"'],
    "services:\n  c: {service: redis, options: {appendfsync: a|}}": ["always"],
    "services:\n  mlflow:\n    needs:\n      |": ["database: ", "artifacts: "],
    "services:\n  store: base\n  mlflow:\n    needs: {database: |}": ["store", "embedded"],
    "services:\n  mlflow:\n    ports: {http: |": ["5000"],
    "services:\n  mlflow:\n    options:\n      workers: !|": ["!py ", "!secret "],
    "services:\n  mlflow:\n    options:\n      workers: !py w|": ["workers"],
    "services:\n  mlflow:\n    options:\n      workers: !secret TO|": ["TOKEN"],
    "services:\n  mlflow:\n    options:\n      workers: ${SI|": ["${SIZE}"],
    "services:\n  mlflow:\n    options:\n      workers: a-${SI|": ["${SIZE}"],
    "services:\n  nonsense:\n    options:\n      |": [],
    "services:\n  # ml|": [],
    "services:\n  mlflow:|": [],
    "services:\n  mlflow: {}|": [],
    "- |": [],
    "name: |": [],
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell(cell: str, names: Names) -> None:
    before = cell.partition("|")[0]
    row, column = before.count("\n"), len(before) - before.rfind("\n") - 1
    variables = {"workers": 3, "frame": object(), "_hidden": 1}
    text = cell.replace("|", "")
    partial, found = complete_body(text, row, column, names, variables=variables, environment=("SIZE", "HOME"))
    assert [candidate.text for candidate in found] == CELLS[cell]
    assert before.endswith(partial)


def test_where_keys_stand() -> None:
    found = outline(STACK.splitlines())
    assert found["services", "cache"] == "redis@7"
    assert found["services", "mlflow", "needs", "database"] == "store"
    assert found["services", "other", "service"] == "redis"
    assert place(["a: 'b"], 0, 5) is not None
    assert place(["# a"], 0, 3) is None


@pytest.mark.parametrize(
    ("line", "kind"), [(0, ""), (1, "mlflow"), (3, "mlflow"), (5, "redis"), (6, "base"), (8, "redis")]
)
def test_the_service_at_the_cursor(names: Names, line: int, kind: str) -> None:
    assert kind_at(STACK, line, 4, names) == kind


@given(st.text(alphabet="services:mlow{}, \n'\"#!$py-", max_size=80), st.integers(0, 80))
def test_whatever_stands_in_the_cell(text: str, cursor: int) -> None:
    before = text[:cursor]
    row, column = before.count("\n"), len(before) - before.rfind("\n") - 1
    partial, found = complete_body(text, row, column, Names(Path("/")), variables={}, environment=())
    assert before.endswith(partial)
    assert all(candidate.text.startswith(partial) for candidate in found)


# Shells


def test_what_a_shell_asks(names: Names, demo: Say) -> None:
    del names
    assert demo("help", "--", "up", "red").out == "redis\n"
    assert demo("help", "--", "").out.splitlines()[0] == "add"
    assert demo("help", "--", "nonsense", "").out == ""
    assert demo("help", "--json", "--", "up", "ml").json["candidates"][0]["text"] == "mlflow"
    assert demo("help", "--completion", "bahs").err.splitlines()[1] == "hint: Did you mean 'bash'?"
    assert demo("help", "--completion", "fish").out.startswith("# mlox, completed in fish.")


ASK = {
    "bash": 'eval "$1"; COMP_WORDS=({words}); COMP_CWORD={last}; _mlox; printf "%s\\n" "${{COMPREPLY[@]}}"',
    "fish": 'echo $argv[1] | source; complete -C "mlox {line}"',
}


@pytest.mark.parametrize("shell", sorted(ASK))
@pytest.mark.parametrize(
    ("line", "found"), [("up ml", "mlflow"), ("secrets re", "remove"), ("up mlflow --pru", "--prune")]
)
def test_a_real_shell(names: Names, tmp_path: Path, shell: str, line: str, found: str) -> None:
    del names
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "mlox").write_text(f'#!/bin/sh\nexec {sys.executable} -m mlox "$@"\n')
    (tmp_path / "mlox").chmod(0o755)
    script = ASK[shell].format(words=f"mlox {line}", last=len(line.split()), line=line)
    variables = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    words = (program, "-c", script, *(("bash",) if shell == "bash" else ()), SCRIPTS[shell])
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[0] == found


def test_a_need_is_met_by_what_the_stack_has(names: Names, demo: Say) -> None:
    assert demo("add", "postgres").code == 0
    assert texts("add mlflow --needs data", Names()) == ["database=postgres", "database=embedded"]
    assert texts("add mlflow --needs database=p", Names()) == ["database=postgres"]
    del names
