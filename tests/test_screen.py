"""How a terminal shows what goes on: read by a terminal of the test's own, character by character."""

from __future__ import annotations

import io
import re

import pytest

from mlox.screen import Block, print_logs, show
from mlox.values import Notice
from mlox.values.live import Live
from mlox.values.logs import LogLine, Logs


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def screen(written: str) -> list[str]:
    """What stands on the screen after these characters: lines, up, clear the line, clear below."""
    lines, row = [""], 0
    for code in re.findall(r"\033\[(?:\d*)[A-Za-z]|\r|\n|[^\033\r\n]+", written):
        if code == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif code == "\r":
            continue
        elif code.endswith("A") and code.startswith("\033"):
            row -= int(code[2:-1])
        elif code == "\033[J":
            lines = [*lines[:row], ""]
        elif code == "\033[K":
            lines[row] = ""
        elif not code.startswith("\033"):
            lines[row] += code
    return lines


@pytest.fixture
def size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "6")


@pytest.mark.usefixtures("size")
def test_a_block_takes_the_place_of_the_one_before() -> None:
    out = Terminal("before\n")
    out.seek(0, io.SEEK_END)
    block = Block(out)
    block.draw("one\ntwo\nthree")
    block.draw("x" * 99 + "\nfour")
    assert screen(out.getvalue()) == ["before", "x" * 39, "four", ""]
    block.draw("\n".join(map(str, range(9))))
    assert screen(out.getvalue()) == ["before", "0", "1", "2", "3", "... and 5 more lines", ""]
    block.draw("last")
    assert screen(out.getvalue()) == ["before", "last", ""]


@pytest.mark.usefixtures("size")
def test_an_interrupt_leaves_the_last_look_and_a_clean_line() -> None:
    def looks() -> object:
        yield Notice(("one",), {})
        yield Notice(("two",), {})
        out.write("^C")
        raise KeyboardInterrupt

    out = Terminal()
    show(Live(looks(), changes=True), out, as_json=False, clock=lambda: "12:00")  # type: ignore[arg-type]
    assert [line[:5] for line in screen(out.getvalue())] == ["12:00", "two", ""]
    assert "\033[?" not in out.getvalue()


LOGS = Logs(
    ("db", "web"),
    ("db", "web.worker"),
    (LogLine("db", "server", "ready"), LogLine("web", "worker", "begins")),
)


def test_names_are_coloured_in_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    print_logs(LOGS, out)
    assert out.getvalue() == "\033[36mdb         | \033[0mready\n\033[33mweb.worker | \033[0mbegins\n"
    plain = io.StringIO()
    print_logs(LOGS, plain)
    assert plain.getvalue() == "db         | ready\nweb.worker | begins\n" == f"{LOGS.text()}\n"
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    print_logs(LOGS, out)
    assert out.getvalue() == plain.getvalue()
