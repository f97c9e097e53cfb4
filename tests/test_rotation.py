"""What a rotation comes to: the new value works and the old does not, or all is as it was; also after a kill."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

import mlox
from mlox import plugins
from mlox.errors import MloxError, SecretNotFoundError, ServiceError, UnknownNameError, UsageError
from mlox.protocols import Event
from mlox.secret import Secret
from mlox.secret_stores.user import UserStore
from tests import fake_machine
from tests.granting_stage import DatabaseBackend
from tests.test_apply_kills import KilledError

NAMES = ("postgres.password", "mlflow.database_password", "mlflow.admin_password")


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> DatabaseBackend:
    machine = DatabaseBackend()
    monkeypatch.setattr(fake_machine.OneMachine, "machine", machine, raising=False)
    row = plugins.Row(f"{fake_machine.__name__}:OneMachine")
    monkeypatch.setitem(plugins.TABLE, ("backends", "native"), row)
    return machine


@pytest.fixture
def stack(backend: DatabaseBackend) -> mlox.Stack:
    """mlflow on postgres, both running."""
    del backend
    made = mlox.Stack("demo")
    made.add("mlflow", needs={"database": made.add("postgres")})
    made.up()
    return made


def value(stack: mlox.Stack, name: str, version: str | None = None) -> str:
    return stack.surroundings().store.get(name, version).reveal()


def versions(stack: mlox.Stack, name: str) -> set[str]:
    """In which version the units that know a secret run."""
    units = (o.unit for o in stack.surroundings().observed.values())
    return {ref.version for unit in units for ref in unit.secrets if ref.name == name}


def assert_agreed(stack: mlox.Stack, backend: DatabaseBackend) -> None:
    """What is in the store is what runs and what is accepted, and there is nothing left to do."""
    database = backend.databases["postgres"]
    assert database.password == value(stack, "postgres.password")
    assert database.roles == {"mlflow_database": value(stack, "mlflow.database_password")}
    for name in NAMES:
        assert versions(stack, name) == {stack.surroundings().store.get(name).version}
    assert stack.plan().actions == ()
    assert {row.status for row in stack.status().services} == {"running"}


@pytest.mark.parametrize("name", NAMES)
def test_the_new_value_takes_the_place_of_the_old(stack: mlox.Stack, backend: DatabaseBackend, name: str) -> None:
    before = value(stack, name)
    pids = {o.service: o.pid for o in backend.observe()}
    done = stack.rotate(name)
    owner = name.partition(".")[0]
    assert [action.service for action in done.plan.actions] == [owner]
    assert value(stack, name) != before
    assert len(value(stack, name)) == len(before)
    assert {o.service for o in backend.observe() if o.pid != pids[o.service]} == {owner}
    assert_agreed(stack, backend)


def test_consumers_of_a_password_that_is_shared_start_again(stack: mlox.Stack, backend: DatabaseBackend) -> None:
    backend.programs |= {"redis-server": "7.0.15"}
    (stack.workspace.root / "services").mkdir()
    (stack.workspace.root / "services" / "queue.yaml").write_text(QUEUE)
    stack.add("redis")
    stack.add("queue")
    stack.up()
    done = stack.rotate("redis.password")
    assert [action.service for action in done.plan.actions] == ["redis", "queue"]
    assert backend.logins["queue.server"]["BROKER"].startswith(f"redis://default:{value(stack, 'redis.password')}@")
    assert_agreed(stack, backend)


QUEUE = """\
name: queue
version: "1"
summary: a consumer of redis
needs: {broker: {capability: redis}}
ports: {http: {port: 18300}}
units:
  server:
    native:
      binary: {name: sh, version_argv: [sh], version_pattern: x}
      command: [sh]
    environment: {BROKER: "${need.broker.url}"}
"""


@pytest.fixture(autouse=True)
def _shell(backend: DatabaseBackend) -> None:
    backend.programs["sh"] = "1"


WRONG: dict[str, tuple[type[MloxError], str, str]] = {
    "mlflow.nothing": (UnknownNameError, "unknown secret 'mlflow.nothing'", "mlflow.admin_password"),
    "page.token": (UsageError, "page.token cannot be rotated: page brings no command", "in page itself"),
    "page.licence": (UsageError, "page.licence is set by a person", "mlox secrets set page.licence"),
    "OPENAI_API_KEY": (UsageError, "OPENAI_API_KEY is your own", "mlox secrets set OPENAI_API_KEY"),
    "NOBODY": (SecretNotFoundError, "no secret 'NOBODY'", "mlox secrets set NOBODY"),
}
PAGE = """\
name: page
version: "1"
summary: secrets that nobody can rotate
secrets: {token: {generate: 24}, licence: {help: bought}}
ports: {http: {port: 18301}}
units:
  server:
    native: {binary: {name: sh, version_argv: [sh], version_pattern: x}, command: [sh]}
    environment: {TOKEN: "${secret.token}", LICENCE: "${secret.licence}"}
"""


@pytest.mark.parametrize(("name", "kind", "problem", "hint"), [(name, *row) for name, row in WRONG.items()], ids=WRONG)
def test_what_nobody_can_rotate_is_refused_with_the_reason(
    stack: mlox.Stack, name: str, kind: type[MloxError], problem: str, hint: str
) -> None:
    (stack.workspace.root / "services").mkdir()
    (stack.workspace.root / "services" / "page.yaml").write_text(PAGE)
    store = stack.surroundings().store
    store.set("OPENAI_API_KEY", Secret("mine-alone"))
    store.set("page.licence", Secret("bought-by-me"))
    stack.add("page")
    stack.up()
    known = {each.name: each.version for each in store.describe()}
    with pytest.raises(kind, match=problem) as caught:
        stack.rotate(name)
    assert hint in (caught.value.hint or "")
    assert {each.name: each.version for each in store.describe()} == known


def test_what_does_not_run_cannot_change_its_secret(stack: mlox.Stack) -> None:
    stack.down("postgres")
    with pytest.raises(UsageError, match="postgres does not run, and only then can it") as caught:
        stack.rotate("postgres.password")
    assert caught.value.hint == "Start it: mlox up postgres."
    with pytest.raises(UsageError, match=r"postgres does not run as mlox\.yaml says"):
        stack.rotate("mlflow.database_password")


def test_other_changes_are_not_carried_out_on_the_way(stack: mlox.Stack, backend: DatabaseBackend) -> None:
    text = stack.workspace.path.read_text()
    stack.workspace.path.write_text(f"{text.rstrip()}\n    options: {{workers: 3}}\n")
    effects = list(backend.effects)
    with pytest.raises(UsageError, match=r"mlflow does not run as mlox\.yaml says; .* was not touched"):
        stack.rotate("mlflow.database_password")
    assert backend.effects == effects


@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_fails_leaves_the_old_value(stack: mlox.Stack, backend: DatabaseBackend, name: str) -> None:
    before = value(stack, name)
    backend.refusing_once = True
    events: list[Event] = []
    with pytest.raises(ServiceError, match=rf"{name} was not rotated: .*\nthe old value is back and works"):
        stack.rotate(name, emit=events.append)
    assert any("going back" in event.message for event in events)
    assert value(stack, name) == before
    assert_agreed(stack, backend)


def test_a_consumer_that_does_not_come_back_takes_all_back(stack: mlox.Stack, backend: DatabaseBackend) -> None:
    before = value(stack, "mlflow.database_password")
    backend.dying_once = {"mlflow.server"}
    with pytest.raises(ServiceError, match="mlflow died at start"):
        stack.rotate("mlflow.database_password")
    assert value(stack, "mlflow.database_password") == before
    assert_agreed(stack, backend)


def test_where_going_back_fails_too_both_values_are_kept(stack: mlox.Stack, backend: DatabaseBackend) -> None:
    before = versions(stack, "postgres.password")
    backend.refusing.add("postgres")
    with pytest.raises(ServiceError, match="going back failed too") as caught:
        stack.rotate("postgres.password")
    assert caught.value.hint == "Mend that, then: mlox up."
    assert value(stack, "postgres.password", before.pop())
    backend.refusing.clear()
    stack.up()
    assert_agreed(stack, backend)


def test_a_value_that_a_person_has_set_is_taken_over_by_up(stack: mlox.Stack, backend: DatabaseBackend) -> None:
    stack.surroundings().store.set("postgres.password", Secret("chosen by me: @/%"))
    assert [str(reason)[:17] for action in stack.plan().actions for reason in action.reasons] == ["secrets.password:"]
    stack.up()
    assert backend.databases["postgres"].password == "chosen by me: @/%"
    assert_agreed(stack, backend)


def test_a_stopped_service_is_started_with_the_old_value_to_take_over_the_new(
    stack: mlox.Stack, backend: DatabaseBackend
) -> None:
    stack.down()
    stack.surroundings().store.set("postgres.password", Secret("chosen while it slept"))
    stack.up()
    assert backend.databases["postgres"].password == "chosen while it slept"
    assert_agreed(stack, backend)


def test_no_event_and_no_error_holds_a_value(stack: mlox.Stack, backend: DatabaseBackend) -> None:
    events: list[Event] = []
    before = value(stack, "postgres.password")
    done = stack.rotate("postgres.password", emit=events.append)
    after = value(stack, "postgres.password")
    assert not [each for each in (before, after) if each in f"{events}{done}{done.to_json()}"]
    assert backend.commands[-1][1]["MLOX_SECRET_OLD"] == before
    assert backend.commands[-1][1]["MLOX_SECRET_NEW"] == after


class Dying:
    """Kills the process at the n-th call of a seam, before or after its effect, and at every later one."""

    def __init__(self, backend: DatabaseBackend, monkeypatch: pytest.MonkeyPatch, at: int, after: bool) -> None:
        self.calls, self.at, self.after = 0, at, after
        for name in ("start", "stop", "probe", "run_job"):
            monkeypatch.setattr(backend, name, self._dying(getattr(backend, name)), raising=False)
        monkeypatch.setattr(UserStore, "set", self._dying(UserStore.set))

    def _dying(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if number < self.at:
                return function(*arguments, **options)
            if number == self.at and self.after:
                function(*arguments, **options)
            raise KilledError

        return call


@pytest.mark.parametrize("again", ["up", "rotate"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("failing", [False, True], ids=["forward", "going back"])
@pytest.mark.parametrize("name", NAMES)
def test_after_a_kill_at_any_step_the_next_command_converges(
    stack: mlox.Stack, backend: DatabaseBackend, name: str, failing: bool, after: bool, again: str
) -> None:
    steps = 0
    for step in range(60):
        if failing:
            backend.dying_once = {f"{name.partition('.')[0]}.server"}
        with pytest.MonkeyPatch.context() as patched:
            dying = Dying(backend, patched, step, after)
            with contextlib.suppress(KilledError, ServiceError):
                stack.rotate(name)
        backend.dying_once = set()
        if again == "up":
            stack.up()
        else:
            with contextlib.suppress(UsageError):  # something has to be started first, and it says so
                stack.rotate(name)
            stack.up()
        assert_agreed(stack, backend)
        if dying.calls <= step:
            break
        steps += 1
    assert steps > (6 if failing else 3)
