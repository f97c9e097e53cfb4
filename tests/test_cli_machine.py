"""How the shell gets on with the machine it is on: other packages, folders of any name, terminals; no service runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlox.cli import main
from tests.shell_stage import FOREIGN, Say

pytestmark = pytest.mark.usefixtures("no_reports")


# The machine


def test_doctor_says_who_else_owns_the_import_name(demo: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "mlox is mlox-sdk" in demo("doctor").out
    info = tmp_path / "mlox-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mlox\nVersion: 0.3\n")
    (info / "RECORD").write_text("mlox/__init__.py,,\n")
    (info / "top_level.txt").write_text("mlox\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    said = demo("doctor")
    assert said.code == 1
    assert re.search("fail +import name +mlox also owns the package mlox", said.out)
    assert "pip uninstall mlox && pip install --force-reinstall --no-deps mlox-sdk" in said.out


@pytest.mark.parametrize("name", [b"with space", '\N{SNOWMAN} it\'s "50%" $HOME'.encode(), b"a\nb", b"\xff\xfe", b"-x"])
def test_folders_of_any_name(say: Say, isolated: Path, name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = isolated / os.fsdecode(name)
    folder.mkdir()
    monkeypatch.chdir(folder)
    for words in ("init", "add mlflow", "up", "status", "plan", "doctor", "down --purge -y", "remove mlflow"):
        said = say(*words.split())
        assert said.code == 0, said
    assert say("init", "other").code == 2


def test_a_terminal_that_cannot_show_every_character(isolated: Path) -> None:
    assert main(["init", "demo"]) == 0
    (isolated / "services").mkdir()
    (isolated / "services" / "web.yaml").write_text(FOREIGN.replace("a page", "a \N{SNOWMAN} page"), "utf-8")
    command = [sys.executable, "-m", "mlox", "catalog"]
    variables = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, check=False, cwd=isolated, env=variables)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"a \\u2603 page" in done.stdout


def test_the_real_program_prints_two_lines(isolated: Path) -> None:
    command = [sys.executable, "-m", "mlox", "statsu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=isolated)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: unknown verb 'statsu'\nhint: Did you mean 'status'?\n"


def test_whoever_stops_reading_is_no_error(isolated: Path) -> None:
    command = f"{sys.executable} -m mlox help | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False, cwd=isolated)
    assert done.stderr == b""
