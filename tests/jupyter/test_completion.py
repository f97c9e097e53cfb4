"""What Tab and Shift-Tab give: through the Completer of a shell, and through the messages of a real kernel."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from mlox_jupyter.inspection import help_at, with_help
from tests.jupyter.cells import Kernel, Run, run_in

Tab = Callable[[str], list[str]]

BODY = "%%mlox up\nservices:\n  mlflow:\n    options:\n      "


@pytest.fixture
def tab(run: Run, shell: InteractiveShell) -> Tab:
    """What Tab offers at the ``|``, in a workspace with mlflow."""
    for cell in ("%mlox init churn", "%mlox add mlflow", "%mlox secrets set TOKEN --generate 20", "workers = 3"):
        assert run(cell).error is None

    def press(cell: str) -> list[str]:
        before = cell.partition("|")[0]
        with provisionalcompleter():
            found = list(shell.Completer.completions(cell.replace("|", ""), len(before)))
        return [one.text for one in found]

    return press


CELLS = {
    "%mlox sta|": ["stats", "status"],
    "x = %mlox u|": ["ui", "undo", "up", "update", "upgrade", "use"],
    "first, second = %mlox us|": ["use"],
    "    %mlox down |": ["mlflow"],
    "import os\n%mlox down |": ["mlflow"],
    "!mlox secrets re|": ["remove"],
    "%mlox up mlflow --set default_permission=R|": ["default_permission=READ"],
    "%mlox --json statu|": ["status"],
    "%mlox sec|rets list": ["secrets"],
    "%%mlox pl|\nservices:": ["plan"],
    "%%mlox up\n|": ["services:", "name: "],
    "\n%%mlox up\nser|": ["services:"],
    f"{BODY}w|": ["workers: "],
    f"{BODY}workers: !py w|": ["workers"],
    f"{BODY}workers: !secret T|": ["TOKEN"],
    f"{BODY}workers: ${{HOM|": ["${HOME}"],
    "%%mlox up\nservices: {mini|": ["minio:"],
}


@pytest.mark.parametrize("cell", CELLS)
def test_tab(tab: Tab, cell: str) -> None:
    assert tab(cell) == CELLS[cell]


@pytest.mark.parametrize(
    "cell", ["workers.bit_len|", "workers.bit_len|\n%mlox status", "x = 1 # %mlox\nworkers.bit_len|"]
)
def test_python_is_completed_as_before(tab: Tab, cell: str) -> None:
    assert any("bit_length" in text for text in tab(cell))


@pytest.mark.parametrize("cell", ["%mlox up 'ml|", "%mlox nonsense |", '%mlox up "ml"|'])
def test_where_there_is_nothing_to_offer_nothing_of_ours_is_in_the_way(tab: Tab, cell: str) -> None:
    assert "mlflow" not in tab(cell)


def test_only_what_is_meant_for_the_reader_is_offered_after_py(tab: Tab) -> None:
    assert tab(f"{BODY}workers: !py |") == ["workers"]


def test_a_broken_mlox_yaml_is_silent(tab: Tab, isolated: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (isolated / "mlox.yaml").write_text("services: [")
    capfd.readouterr()
    assert tab("%mlox add mini|") == ["minio"]
    assert "mlflow" not in tab("%mlox down m|")
    assert capfd.readouterr() == ("", "")


def test_tab_is_quick(tab: Tab) -> None:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        tab("%mlox up mlflow --set |")
        tab(f"{BODY}|")
        took.append(time.perf_counter() - began)
    assert min(took) < 0.1


def test_unloading_takes_it_out(tab: Tab, run: Run, shell: InteractiveShell) -> None:
    assert tab("%mlox down |") == ["mlflow"]
    assert run("%unload_ext mlox_jupyter").error is None
    assert "mlflow" not in tab("%mlox down |")
    assert "object_inspect_mime" not in vars(shell)
    assert with_help not in shell.input_transformers_cleanup


# Help


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        ("%mlox up ml|flow", "usage: %mlox up "),
        ("%mlox u|p", "usage: %mlox up "),
        ("x = %mlox secrets s|et X", "usage: %mlox secrets set "),
        ("%ml|ox", "usage: %mlox [options] VERB ..."),
        ("%mlox upp|", "usage: %mlox [options] VERB ..."),
        ("%mlox -v stat|us", "usage: %mlox status "),
        ("%%mlox pl|an\nservices:", "usage: %mlox plan "),
        ("print(1)\n%mlox statu|s\nprint(2)", "usage: %mlox status "),
        ("%%mlox up\nservices:\n  mlf|low:", "mlflow 3.17.2: experiment tracking"),
        ("%%mlox up\nservices:\n  db: {service: re|dis}", "redis 7: in-memory"),
        ("%%mlox up\nservices:\n  nonsense|:", ""),
        ("%%mlox up\nserv|ices:", ""),
        ("print(1)|\n%mlox status", ""),
        ("mlox|", ""),
        ("|", ""),
    ],
)
def test_the_help_at_the_cursor(run: Run, cell: str, first: str) -> None:
    del run
    found = help_at(cell.replace("|", ""), cell.index("|"))
    assert found.startswith(first) if first else found == ""


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("%mlox up?", "%mlox help up"),
        ("%mlox up mlflow??\n", "%mlox help up"),
        ("%mlox?", "%mlox help"),
        ("%%mlox?", "%mlox help"),
        ("%mlox secrets set ?", "%mlox help secrets set"),
        ("%mlox upp?", "%mlox help upp"),
    ],
)
def test_a_question_mark_asks_for_help(cell: str, meant: str) -> None:
    assert with_help([cell]) == [f"{meant}\n"]


@pytest.mark.parametrize("lines", [["%mlox run -- ls?\n", "x\n"], ["mlox?\n"], ["%mlox status\n"], []])
def test_other_lines_stay(lines: list[str]) -> None:
    assert with_help(lines) == lines


def test_a_question_is_answered_in_the_cell(shell: InteractiveShell) -> None:
    assert run_in(shell, "%load_ext mlox_jupyter").error is None
    assert run_in(shell, "%mlox up?").text.startswith("usage: %mlox up ")
    assert run_in(shell, "%mlox?").text.startswith("usage: %mlox [options] VERB")


# A real kernel


def replied(kernel: Kernel, request: str) -> dict[str, Any]:
    """The content of the reply to a request."""
    while True:
        message = kernel.client.get_shell_msg(timeout=30)
        if message["parent_header"].get("msg_id") == request:
            return dict(message["content"])


def completed(kernel: Kernel, cell: str) -> tuple[list[str], str]:
    """What a kernel offers at the ``|``, and what of the cell that would replace."""
    code = cell.replace("|", "")
    reply = replied(kernel, kernel.client.complete(code, cell.index("|")))
    assert reply["status"] == "ok"
    return reply["matches"], code[reply["cursor_start"] : reply["cursor_end"]]


def inspected(kernel: Kernel, cell: str) -> dict[str, Any]:
    """What a kernel tells of the ``|``."""
    return replied(kernel, kernel.client.inspect(cell.replace("|", ""), cell.index("|")))


def test_tab_in_a_kernel(kernel: Kernel) -> None:
    kernel.run("%mlox init churn")
    kernel.run("%mlox up mlflow")
    assert completed(kernel, "%mlox statu|") == (["status"], "statu")
    assert completed(kernel, "x = %mlox down |") == (["mlflow"], "")
    assert completed(kernel, f"{BODY}d|") == (["default_permission: "], "d")
    assert completed(kernel, "%%mlox up\nservices:\n  # é \U0001f600\n  cache: red|") == (["redis", "redis@7"], "red")
    matches, _ = completed(kernel, "import o|")
    assert "os" in matches


def test_shift_tab_in_a_kernel(kernel: Kernel) -> None:
    for cell, first in {
        "%mlox up ml|flow": "usage: %mlox up ",
        "print('é \U0001f600')\ntracking = %mlox us|e mlflow": "usage: %mlox use ",
        "%m|lox": "usage: %mlox [options] VERB ...",
        "%%mlox plan\nservices:\n  mlflow|:": "mlflow 3.17.2: ",
    }.items():
        reply = inspected(kernel, cell)
        assert reply["found"], cell
        assert reply["data"]["text/plain"].startswith(first)
    kernel.run("x = 3")
    assert "int" in inspected(kernel, "x|")["data"]["text/plain"]
    assert not inspected(kernel, "nothing_of_that_name|")["found"]
    assert kernel.run("%mlox up?").text.startswith("usage: %mlox up ")
