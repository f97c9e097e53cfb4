"""Files that clients read: written when somebody needs them, private, renewed, and gone with the service's data."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import mlox
from mlox.catalog import Catalog
from mlox.errors import SpecError
from mlox.testing import FakeBackend
from mlox.workspace import data_home
from tests.shell_stage import Say

SHELF = """\
name: shelf
version: "1"
summary: keeps things
secrets: {password: {generate: 24, rotate: ["true"]}}
ports: {main: {port: 7000, scheme: shelf}}
units:
  server:
    native:
      binary: {name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}
      command: [sh, -c, sleep 1000]
    environment: {PASSWORD: "${secret.password}"}
client:
  environment: {SHELF_FILE: "${file.login}", SHELF_NAME: "${name}"}
  files: {login: "${host.main}:${port.main}:${escaped.password}\\n"}
"""


@pytest.fixture
def shelf(machine: FakeBackend, isolated: Path) -> mlox.Stack:
    """A stack with a service whose clients read a file; it runs."""
    del machine
    (isolated / "services").mkdir()
    (isolated / "services/shelf.yaml").write_text(SHELF)
    stack = mlox.Stack("churn")
    stack.add("shelf")
    stack.up()
    return stack


def folder(stack: mlox.Stack) -> Path:
    return data_home() / (stack.id or "") / "clients"


def content(port: int = 7000) -> str:
    return f"127.0.0.1:{port}:{mlox.secrets.get('shelf.password').reveal()}\n"


def test_it_is_written_when_the_environment_is_taken_and_private(shelf: mlox.Stack) -> None:
    environment = shelf.service("shelf").env
    assert not folder(shelf).exists()
    path = Path(environment.reveal()["SHELF_FILE"])
    assert path == folder(shelf) / "shelf/login"
    assert path.read_text() == content()
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]
    assert environment["SHELF_NAME"] == "shelf"


def test_looking_alone_writes_nothing(shelf: mlox.Stack, say: Say) -> None:
    assert "SHELF_FILE" in say("env", "shelf").out
    say("run", "shelf", "--dry-run", "--", "true")
    say("status")
    assert not folder(shelf).exists()


@pytest.mark.parametrize("words", [("run", "shelf", "--", "sh", "-c", 'cat "$SHELF_FILE"')])
def test_a_command_finds_it(shelf: mlox.Stack, words: tuple[str, ...], say: Say) -> None:
    del shelf
    assert say(*words).out == content()


def test_a_rotation_renews_it(shelf: mlox.Stack) -> None:
    path = Path(shelf.service("shelf").env.reveal()["SHELF_FILE"])
    before = path.read_text()
    shelf.rotate("shelf.password")
    assert path.read_text() == content() != before


def test_a_port_that_changes_renews_it(shelf: mlox.Stack) -> None:
    path = Path(shelf.service("shelf").env.reveal()["SHELF_FILE"])
    text = shelf.workspace.path.read_text()
    shelf.workspace.path.write_text(
        text.replace("    service: shelf\n", "    service: shelf\n    ports: {main: 7077}\n")
    )
    shelf.up()
    assert path.read_text() == content(7077)


def test_nobody_gets_one_who_has_not_asked(shelf: mlox.Stack) -> None:
    shelf.rotate("shelf.password")
    shelf.up()
    assert not folder(shelf).exists()


def test_it_stays_while_the_data_does_and_goes_with_it(shelf: mlox.Stack) -> None:
    path = Path(shelf.service("shelf").env.reveal()["SHELF_FILE"])
    shelf.down()
    assert path.exists()
    shelf.down(purge=True)
    assert not folder(shelf).exists()


def test_what_a_line_cannot_hold_is_refused(shelf: mlox.Stack) -> None:
    mlox.secrets.set("shelf.password", "one\ntwo and more")
    shelf.up()
    with pytest.raises(SpecError, match="'password' has a line break"):
        shelf.service("shelf").env.reveal()


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("${file.login}", "${file.logn}", "client.SHELF_FILE: unknown file 'logn'"),
        ("${escaped.password}", "${escaped.passwrd}", "client.files.login: unknown escaped 'passwrd'"),
        ('SHELF_NAME: "${name}"', 'SHELF_NAME: "${escaped.password}"', "cannot be used here"),
    ],
)
def test_a_name_that_does_not_fit_is_told_at_load(tmp_path: Path, before: str, after: str, problem: str) -> None:
    (tmp_path / "shelf.yaml").write_text(SHELF.replace(before, after))
    with pytest.raises(SpecError) as told:
        Catalog([tmp_path]).get("shelf")
    assert problem in told.value.problem
