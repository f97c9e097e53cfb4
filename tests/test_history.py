"""The verb history: what was done is remembered on the server, with its outcome, and nothing where nothing was done."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import mlox
from mlox.errors import MloxError, ServiceError, UnknownNameError
from mlox.protocols import Entry, Event
from mlox.testing import FakeBackend
from tests.shell_stage import Say


@pytest.fixture
def up(stack: mlox.Stack) -> mlox.Stack:
    """A stack whose base and app run."""
    stack.add("base")
    stack.add("app")
    stack.up()
    return stack


def told(stack: mlox.Stack, name: str | None = None) -> list[tuple[str, ...]]:
    """What was done, and what it came to, the latest first."""
    return [(row[2], row[3]) for row in stack.history(name).rows]


def test_before_anything_was_done_there_is_nothing(stack: mlox.Stack, say: Say) -> None:
    stack.add("base")
    assert say("history").out == "nothing was done yet\n"
    assert say("history", "base").out == "nothing was done to base yet\n"


def test_what_was_done_is_told_the_latest_first(up: mlox.Stack, say: Say) -> None:
    up.down("app")
    up.down("app", purge=True)
    assert told(up) == [("remove app", "done"), ("stop app", "done"), ("create base, app", "done")]
    assert told(up, "base") == [("create base, app", "done")]
    (entry,) = say("history", "base", "--json").json["history"]
    assert entry["outcome"] == "done"
    assert entry["steps"][0] == {
        "kind": "create",
        "service": "base",
        "unit": "server",
        "server": "local",
        "reasons": [],
    }
    assert entry["user"]
    assert entry["ended"] >= entry["at"]
    assert say("history", "--limit", "1").out.splitlines()[-1] == "2 more: mlox history --limit 3"


def test_where_nothing_was_done_nothing_is_remembered(up: mlox.Stack) -> None:
    before = up.history().entries
    up.up()
    up.plan()
    up.status()
    assert up.history().entries == before


def test_a_colleague_sees_it_and_so_does_who_lost_what_git_ignores(up: mlox.Stack, tmp_path: Path) -> None:
    shutil.rmtree(up.workspace.root / ".mlox" / "local", ignore_errors=True)
    other = tmp_path / "clone"
    shutil.copytree(up.workspace.root, other)
    assert mlox.Stack(path=other).history().entries == up.history().entries != ()


def test_a_failure_is_remembered_with_its_first_line_and_no_secret(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    machine.dying["base.server"] = "exit status 3"
    with pytest.raises(ServiceError):
        stack.up()
    (entry,) = stack.history().entries
    assert (entry.outcome, [name for name, _ in entry.failures]) == ("failed", ["base"])
    assert "exit status 3" in entry.failures[0][1]
    assert told(stack) == [("create base", "failed: base")]


def test_a_change_is_told_with_its_reason_and_a_way_back_as_such(
    up: mlox.Stack, machine: FakeBackend, isolated: Path
) -> None:
    path = isolated / "services" / "base.yaml"
    path.write_text(path.read_text() + "options: {size: {type: integer, default: 1, help: how big}}\n")
    machine.dying["base.server"] = "exit status 3"
    with pytest.raises(MloxError):
        up.up("base")
    what, came_to = told(up)[0]
    assert what.startswith("replace base (")
    assert came_to == "failed: base"  # the old one dies as well, here


def test_an_apply_that_was_killed_is_told_as_interrupted(up: mlox.Stack, machine: FakeBackend) -> None:
    (entry,) = up.history().entries
    machine.record(up.id or "", replace(entry, id="killed", at=entry.at + 1, outcome="under way", ended=None))
    assert told(up)[0] == ("create base, app", "interrupted")
    up.down("app")
    assert [each.outcome for each in machine.history(up.id or "")] == ["done", "interrupted", "done"]


def test_secrets_are_in_no_entry(up: mlox.Stack, machine: FakeBackend) -> None:
    up.down()
    text = "".join(entry.to_line() for entry in machine.history(up.id or ""))
    for name in mlox.secrets.names():
        assert mlox.secrets.get(name).reveal() not in text


def test_after_the_last_purge_nothing_is_left(up: mlox.Stack, machine: FakeBackend) -> None:
    up.down("app", purge=True)
    assert machine.history(up.id or "") != ()
    up.down(purge=True)
    assert machine.history(up.id or "") == ()
    assert up.history().entries == ()


def test_a_history_that_cannot_be_written_stops_nobody(
    up: mlox.Stack, machine: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(stack: str, entry: Entry) -> None:
        raise ServiceError(f"no space left for {entry.id} of {stack}")

    monkeypatch.setattr(machine, "record", full)
    events: list[Event] = []
    up.down(emit=events.append)
    assert [event.kind for event in events if "history" in event.message] == ["warning"] * 2
    assert {row.status for row in up.status().services} == {"stopped"}


def test_names_and_limits_that_make_no_sense(up: mlox.Stack, say: Say) -> None:
    with pytest.raises(UnknownNameError, match="unknown service 'bse'"):
        up.history("bse")
    assert say("history", "--limit", "0").code == 2


def test_a_line_of_another_mlox_is_read_and_a_damaged_one_left_out() -> None:
    entry = Entry("a", "t", 1.0, "anna", "laptop", "mlox", "d", ())
    assert Entry.from_line(entry.to_line().replace("{", '{"later": 1,', 1)) == entry
    assert Entry.from_line(entry.to_line()[:-3]) is None
    assert Entry.from_line("[]") is None
