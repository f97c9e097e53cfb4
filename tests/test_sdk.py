"""What a script sees of its stack: add, plan, up and down, on a machine where no real service runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlox
from mlox.errors import (
    DriftError,
    SpecError,
    UnknownNameError,
    UsageError,
    WiringError,
    WorkspaceError,
)
from mlox.protocols import Event
from mlox.testing import FakeBackend
from tests.sdk_stage import kinds

pytestmark = pytest.mark.usefixtures("given_back")


def test_add_writes_and_starts_nothing(stack: mlox.Stack, machine: FakeBackend, isolated: Path) -> None:
    service = stack.add("base")
    assert repr(service) == "Service('base')"
    assert machine.observe() == ()
    text = (isolated / "mlox.yaml").read_text()
    assert "name: churn" in text
    assert stack.id is not None
    assert stack.id.startswith("churn-")
    assert stack.names() == ("base",)
    assert service.status().status == "absent"


def test_add_again_with_the_same_words_changes_nothing(stack: mlox.Stack, isolated: Path) -> None:
    stack.add("base")
    stack.add("redis", "cache", options={"maxmemory_mb": 10})
    stack.add("app", needs={"below": "base"})
    before = (isolated / "mlox.yaml").read_bytes()
    stack.add("base")
    stack.add("redis", "cache", options={"maxmemory_mb": 10})
    stack.add("redis", "cache")
    stack.add("redis", "cache", options={"appendfsync": "everysec"})
    stack.add("app", needs={"below": stack.service("base")})
    stack.add("app", server=mlox.Server.local(), version="1")
    assert (isolated / "mlox.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (("redis", "cache"), {"options": {"maxmemory_mb": 11}}, "maxmemory_mb is 10, not 11"),
        (("redis", "cache"), {"version": "7.2.0"}, "version is 7.0.15, not 7.2.0"),
        (("app",), {"needs": {"below": "other"}}, "below is base, not other"),
        (("base", "cache"), {}, "'cache' is a redis already"),
    ],
)
def test_add_again_with_others_names_the_difference(
    stack: mlox.Stack, isolated: Path, words: tuple[str, ...], settings: dict[str, object], told: str
) -> None:
    stack.add("base")
    stack.add("base", "other")
    stack.add("redis", "cache", options={"maxmemory_mb": 10})
    stack.add("app", needs={"below": "base"})
    before = (isolated / "mlox.yaml").read_bytes()
    with pytest.raises(UsageError) as error:
        stack.add(*words, **settings)  # type: ignore[arg-type]
    assert told in error.value.problem
    assert error.value.hint
    assert (isolated / "mlox.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "settings", "kind"),
    [
        (("bse",), {}, UnknownNameError),
        (("base", "Not A Name"), {}, SpecError),
        (("base",), {"server": "nosuch"}, UnknownNameError),
        (("base",), {"options": {"x": 1}}, UnknownNameError),
        (("redis",), {"options": {"maxmemory_mb": "10"}}, SpecError),
        (("redis",), {"version": "1.0"}, SpecError),
        (("app",), {}, WiringError),
        (("app",), {"needs": {"below": "embedded"}}, WiringError),
        (("app",), {"needs": {"blow": "base"}}, UnknownNameError),
        (("app",), {"needs": {"below": "nobody"}}, UnknownNameError),
    ],
)
def test_add_refuses_what_cannot_be(
    stack: mlox.Stack, isolated: Path, words: tuple[str, ...], settings: dict[str, object], kind: type[mlox.MloxError]
) -> None:
    with pytest.raises(kind) as error:
        stack.add(*words, **settings)  # type: ignore[arg-type]
    assert error.value.hint
    assert not (isolated / "mlox.yaml").exists()


def test_needs_by_handle_by_name_and_by_itself(stack: mlox.Stack, machine: FakeBackend) -> None:
    base = stack.add("base")
    stack.add("app")
    stack.add("app", "second", needs={"below": base})
    assert stack.spec().services["app"].needs == {"below": "base"}
    assert stack.spec().services["second"].needs == {"below": "base"}
    stack.add("base", "other")
    with pytest.raises(WiringError, match="base and other both provide base"):
        stack.add("app", "third")
    stack.add("app", "third", needs={"below": "other"})
    stack.up("third")
    assert [effect for effect in machine.effects if effect.startswith("start")] == [
        "start other.server",
        "start third.server",
    ]


def test_a_name_that_is_not_the_workspaces(stack: mlox.Stack, isolated: Path) -> None:
    stack.add("base")
    assert mlox.Stack().name == mlox.Stack("churn", path=isolated / "services").name == "churn"
    with pytest.raises(SpecError, match="belongs to the stack 'churn', not 'other'"):
        mlox.Stack("other")
    with pytest.raises(WorkspaceError, match="is not a folder"):
        mlox.Stack(path="/nonexistent")


# plan, up, down


def test_a_plan_is_a_value(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    stack.add("app")
    plan = stack.plan()
    assert kinds(plan) == [("create", "base"), ("create", "app")]
    assert plan
    assert plan == stack.plan()
    assert plan.digest == stack.plan().digest
    assert "app" in str(plan)
    assert plan.to_json()["actions"][0]["kind"] == "create"
    assert kinds(stack.plan("base")) == [("create", "base")]
    assert machine.effects == []
    stack.up()
    assert not stack.plan()
    assert str(stack.plan()) == "nothing to do"


def test_up_and_down(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    app = stack.add("app")
    heard: list[Event] = []
    done = stack.up(emit=heard.append)
    assert [(row.name, row.status) for row in done.services] == [("base", "running"), ("app", "running")]
    assert {event.service for event in heard} == {"base", "app"}
    assert app.status().status == "running"
    assert app.url == "app://127.0.0.1:7100"
    assert app.address() == app.address("main") == "127.0.0.1:7100"
    assert not stack.up().plan
    stack.restart("app")
    assert machine.effects[-2:] == ["stop app.server", "start app.server"]
    down = stack.down()
    assert kinds(down.plan) == [("stop", "app"), ("stop", "base")]
    assert {row.status for row in stack.status().services} == {"stopped"}
    assert [row.name for row in stack.status("app").services] == ["app"]
    assert kinds(stack.plan()) == [("start", "base"), ("start", "app")]
    stack.down(purge=True)
    assert machine.observe() == ()
    assert mlox.secrets.names() == ()
    assert stack.names() == ("base", "app")


def test_up_of_a_plan_that_was_agreed_to(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    plan = stack.plan()
    stack.add("redis")
    with pytest.raises(DriftError):
        stack.up(plan=plan.digest)
    assert machine.effects == []
    stack.up("base", plan=plan.digest)
    assert machine.effects == ["start base.server"]


def test_up_never_removes_unasked(stack: mlox.Stack, machine: FakeBackend, isolated: Path) -> None:
    stack.add("base")
    stack.add("redis")
    stack.up()
    text = (isolated / "mlox.yaml").read_text()
    (isolated / "mlox.yaml").write_text(text[: text.index("  redis:")])
    assert stack.plan().unlisted == ("redis",)
    assert not stack.up().plan
    assert kinds(stack.up(prune=True).plan) == [("stop", "redis")]
    assert [seen.state for seen in machine.observe() if seen.service == "redis"] == ["stopped"]


def test_what_fails_is_raised_and_up_again_converges(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    stack.add("app")
    machine.dying["base.server"] = "exit status 3"
    with pytest.raises(mlox.MloxError) as error:
        stack.up()
    assert "base" in str(error.value)
    assert error.value.hint
    assert "start app.server" not in machine.effects
    machine.dying.clear()
    assert [row.status for row in stack.up().services] == ["running", "running"]


def test_unknown_names_change_nothing(stack: mlox.Stack, isolated: Path) -> None:
    for call in (stack.up, stack.plan, stack.service):
        with pytest.raises(UnknownNameError):
            call("bse")
    assert not (isolated / "mlox.yaml").exists()
    stack.add("base")
    for other in (stack.up, stack.plan, stack.down, stack.service, stack.logs, stack.drop):
        with pytest.raises(UnknownNameError) as error:
            other("bse")
        assert error.value.hint == "Did you mean 'base'?"


def test_what_a_person_left_open_is_decided_once(stack: mlox.Stack, machine: FakeBackend, isolated: Path) -> None:
    """A file that says no more than the service gets its version and wiring at the first up, comments kept."""
    written = "name: churn\nservices:\n  app: {service: app}  # ours\n  base: {service: base}\n  db: {service: redis}\n"
    (isolated / "mlox.yaml").write_text(written)
    digest = stack.plan().digest
    assert (isolated / "mlox.yaml").read_text() == written
    stack.up(plan=digest)
    services = stack.spec().services
    assert (services["app"].needs, services["db"].version) == ({"below": "base"}, "7.0.15")
    assert "# ours" in (isolated / "mlox.yaml").read_text()
    machine.programs["redis-server"] = "7.4.0"
    assert not stack.plan()
    text = (isolated / "mlox.yaml").read_text().replace("7.0.15", "7.4.0")
    (isolated / "mlox.yaml").write_text(text)
    assert kinds(stack.plan()) == [("replace", "db")]
    (isolated / "mlox.yaml").write_text(written.replace("\n", f"\nid: {stack.id}\n", 1))
    assert not stack.plan(), "silence in the file moves nothing that runs"
    stack.up()
    assert stack.spec().services["db"].version == "7.0.15"


def test_wiring_stays_when_another_provider_joins(stack: mlox.Stack) -> None:
    stack.add("base")
    stack.add("app")
    stack.up()
    stack.add("base", "other")
    assert kinds(stack.plan()) == [("create", "other")]
    assert stack.spec().services["app"].needs == {"below": "base"}


def test_the_version_in_the_file_must_be_supported(stack: mlox.Stack, isolated: Path) -> None:
    (isolated / "mlox.yaml").write_text("name: churn\nservices: {db: {service: redis, version: '2.0'}}\n")
    with pytest.raises(SpecError, match=r"redis 2\.0 is not supported"):
        stack.plan()
