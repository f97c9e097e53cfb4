"""The verb exec: a command inside a service; its input, its output without secrets, its exit code."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

import mlox
from mlox.cli import main
from mlox.errors import ServiceError, UnknownNameError, UsageError
from mlox.stack.executing import Masked
from mlox.testing import FakeBackend
from tests.shell_stage import Say


@pytest.fixture
def up(stack: mlox.Stack) -> mlox.Stack:
    """A stack whose base runs."""
    stack.add("base")
    stack.up()
    return stack


@pytest.fixture
def piped(up: mlox.Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard input is a file, as behind ``<``."""
    del up
    with tempfile.TemporaryFile() as file:
        file.write(b"select 1;\n")
        file.seek(0)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        yield


def test_a_service_runs_a_command_with_its_environment_and_its_secret_is_masked(up: mlox.Stack) -> None:
    done = up.service("base").exec(["env"])
    assert (done.code, "PASSWORD=***" in done.stdout.splitlines()) == (0, True)
    assert mlox.secrets.get("base.password").reveal() not in done.stdout


def test_what_is_given_comes_back(up: mlox.Stack) -> None:
    assert up.service("base").exec(["cat"], input=b"hello").stdout == "hello"


def test_a_command_of_a_service_that_does_not_run(up: mlox.Stack) -> None:
    up.down()
    with pytest.raises(ServiceError, match="base does not run") as caught:
        up.service("base").exec(["env"])
    assert caught.value.hint == "Start it: mlox up base."


def test_an_unknown_unit_gets_the_ones_that_there_are(up: mlox.Stack) -> None:
    with pytest.raises(UnknownNameError, match="base: unknown unit 'worker'") as caught:
        up.service("base").exec(["env"], unit="worker")
    assert caught.value.hint == "Choose one of: server."


def test_a_failing_command_is_an_answer_and_no_error(up: mlox.Stack) -> None:
    assert up.service("base").exec(["false"]).code == 1


@pytest.mark.usefixtures("piped")
def test_the_shell_hands_on_input_and_exit_code(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["exec", "base", "--", "cat"]) == 0
    assert capfdbinary.readouterr().out == b"select 1;\n"
    assert main(["exec", "base", "--", "false"]) == 1


@pytest.mark.usefixtures("up")
def test_in_the_shell_a_secret_is_masked(say: Say) -> None:
    said = say("exec", "base", "--", "env")
    assert (said.code, "PASSWORD=***\n" in said.out) == (0, True)


@pytest.mark.usefixtures("up")
def test_json_holds_the_outputs_and_nothing_else_is_printed(say: Say) -> None:
    said = say("exec", "base", "--json", "--", "env")
    assert said.json["code"] == 0
    assert "PASSWORD=***\n" in said.json["stdout"]
    assert said.json["stderr"] == ""


@pytest.mark.usefixtures("up")
def test_a_dry_run_runs_nothing(say: Say, machine: FakeBackend) -> None:
    ran: list[Sequence[str]] = []

    def note(argv: Sequence[str], _: Mapping[str, str], __: bytes) -> tuple[int, bytes]:
        ran.append(argv)
        return 0, b""

    machine.execs.programs["note"] = note
    assert say("exec", "base", "--dry-run", "--", "note", "it").out == "would run note it in base.server\n"
    assert ran == []
    assert say("exec", "base", "--", "note", "it", "--json").code == 0
    assert ran == [("note", "it", "--json")]


@pytest.mark.usefixtures("up")
def test_without_a_command_the_hint_shows_one(say: Say) -> None:
    said = say("exec", "base")
    assert (said.code, said.err.splitlines()[1]) == (2, "hint: For example: mlox exec base -- env.")


@pytest.mark.usefixtures("up")
def test_an_unknown_service(say: Say) -> None:
    assert say("exec", "bse", "--", "env").err.splitlines()[1] == "hint: Did you mean 'base'?"


def test_several_units_have_to_be_told_apart(up: mlox.Stack, isolated: Path) -> None:
    text = (isolated / "services" / "base.yaml").read_text().replace("name: base", "name: pair")
    binary = "{name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}"
    worker = f"\n  worker: {{listens: [], native: {{binary: {binary}, command: [sh, -c, sleep 1000]}}}}"
    (isolated / "services" / "pair.yaml").write_text(text.replace("\nclient:", f"{worker}\nclient:", 1))
    up.add("pair")
    up.up()
    with pytest.raises(UsageError, match="pair has several units") as caught:
        up.service("pair").exec(["env"])
    assert caught.value.hint == "Say which with --unit: server, worker."
    assert up.service("pair").exec(["env"], unit="worker").code == 0


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_value_in_parts_is_masked_and_bytes_stay_what_they_are(size: int) -> None:
    told: list[tuple[str, bytes]] = []
    masked = Masked(lambda channel, chunk: told.append((channel, chunk)), ["hunter22-Ü"])
    output = b"\xff\x00 hunter22-\xc3\x9c and hunter2 hunter22-"
    for start in range(0, len(output), size):
        masked("out", output[start : start + size])
        masked("err", output[start : start + size])
    masked.flush()
    for channel in ("out", "err"):
        assert b"".join(chunk for to, chunk in told if to == channel) == b"\xff\x00 *** and hunter2 hunter22-"
