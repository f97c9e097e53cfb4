"""The verb adopt: what runs is written into mlox.yaml, and then there is nothing to do; no machine is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlox
from mlox.errors import UnknownNameError, UsageError
from mlox.testing import FakeBackend
from tests.shell_stage import Say

OPTIONS = "options: {size: {type: integer, default: 1, help: how big}, word: {default: hello, help: what it says}}\n"


@pytest.fixture
def tuned(stack: mlox.Stack, isolated: Path) -> mlox.Stack:
    """A base and an app with options, which run; the base with another size than by itself."""
    for name in ("base", "app"):
        path = isolated / "services" / f"{name}.yaml"
        path.write_text(path.read_text() + OPTIONS)
    stack.add("base", options={"size": 3})
    stack.add("app")
    stack.up()
    return stack


def text() -> str:
    return Path("mlox.yaml").read_text()


def test_what_is_written_as_it_runs_is_left_alone(tuned: mlox.Stack, say: Say) -> None:
    before = text()
    assert not tuned.adopt()
    assert say("adopt").out == "mlox.yaml says already what runs\n"
    assert text() == before


def test_services_that_a_colleague_started_come_in_as_they_were(tuned: mlox.Stack, machine: FakeBackend) -> None:
    written = tuned.workspace.read().services
    Path("mlox.yaml").write_text("# ours\n" + text().partition("services:")[0])
    effects = list(machine.effects)
    tuned.adopt()
    assert tuned.workspace.read().services == written
    assert text().startswith("# ours\n")
    assert tuned.plan().actions == ()
    assert machine.effects == effects


def test_only_what_differs_is_written_and_comments_stay(tuned: mlox.Stack) -> None:
    changed = text().replace("size: 3", "size: 5  # more").replace('version: "1"', 'version: "1"  # pinned')
    Path("mlox.yaml").write_text(changed + "")
    tuned.adopt()
    assert text() == changed.replace("size: 5", "size: 3")
    assert tuned.plan().actions == ()


def test_what_runs_as_the_catalog_says_needs_no_word(tuned: mlox.Stack) -> None:
    Path("mlox.yaml").write_text(text().rstrip() + "\n    options: {word: bye}\n")
    assert tuned.plan().actions
    tuned.adopt()
    assert "bye" not in text()
    assert tuned.plan().actions == ()


def test_a_dry_run_shows_the_edit_and_writes_nothing(tuned: mlox.Stack, say: Say) -> None:
    Path("mlox.yaml").write_text(text().replace("size: 3", "size: 5"))
    before = text()
    said = say("adopt", "--dry-run")
    assert "+      size: 3" in said.out
    assert "-      size: 5" in said.out
    assert said.out.endswith("nothing was written\n")
    assert say("adopt", "--dry-run", "--json").json["services"] == {"base": {"options": {"size": 3}}}
    assert text() == before
    assert say("adopt").out.endswith("wrote: mlox.yaml (base)\n")
    assert tuned.plan().actions == ()


def test_a_provider_comes_with_its_consumer(tuned: mlox.Stack) -> None:
    Path("mlox.yaml").write_text(text().partition("services:")[0])
    tuned.adopt("app")
    assert set(tuned.workspace.read().services) == {"base", "app"}


def test_what_the_catalog_does_not_know_is_refused(tuned: mlox.Stack, isolated: Path) -> None:
    Path("mlox.yaml").write_text(text().partition("services:")[0])
    (isolated / "services" / "app.yaml").unlink()
    before = text()
    with pytest.raises(UnknownNameError, match="app runs as 'app', which the catalog does not know") as caught:
        tuned.adopt()
    assert caught.value.hint == "Bring services/app.yaml here, from where it was started."
    assert text() == before
    assert set(tuned.adopt("base").changes) == {"base"}


@pytest.mark.usefixtures("tuned")
def test_what_cannot_be_adopted_is_said(isolated: Path, say: Say) -> None:
    path = isolated / "services" / "base.yaml"
    path.write_text(path.read_text().replace("summary: keeps", "summary: still keeps"))
    Path("mlox.yaml").write_text(text().replace("size: 3", "size: 5"))
    assert say("adopt").out.splitlines()[-1].startswith("still differs: base: source: ")


def test_what_is_stopped_is_adopted_where_it_is_named(tuned: mlox.Stack) -> None:
    tuned.down()
    Path("mlox.yaml").write_text(text().partition("services:")[0])
    assert not tuned.adopt()
    assert set(tuned.adopt("base").changes) == {"base"}


def test_what_is_not_there_cannot_be_adopted(tuned: mlox.Stack) -> None:
    tuned.add("base", name="other")
    with pytest.raises(UsageError, match="there is nothing of other on a server"):
        tuned.adopt("other")
    with pytest.raises(UnknownNameError, match="unknown service 'nobody'"):
        tuned.adopt("nobody")
