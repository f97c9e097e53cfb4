"""What a script sees: stacks, services and environments, on a machine where no real service runs."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import mlox
from mlox.errors import (
    ClientError,
    DriftError,
    RequirementError,
    ServiceError,
    SpecError,
    UnknownNameError,
    UsageError,
    WiringError,
    WorkspaceError,
)
from mlox.protocols import Event
from mlox.stack import use_off
from mlox.testing import FakeBackend
from tests.fake_machine import fake_machine

STORE = """\
name: {name}
version: "1"
summary: keeps {capability}
secrets: {{password: {{generate: 16}}}}
ports: {{main: {{port: {port}, scheme: {capability}}}}}
needs: {needs}
provides: {{{capability}: {{url: {{scheme: {capability}, port: main, user: me, password: "${{secret.password}}"}}}}}}
units:
  server:
    native:
      binary: {{name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}}
      command: [sh, -c, sleep 1000]
    environment: {{PASSWORD: "${{secret.password}}", UP: "{up}"}}
client:
  environment: {{{variable}_HOST: "${{host.main}}:${{port.main}}", {variable}_PASSWORD: "${{secret.password}}"}}
  preferences: {{{variable}_QUIET: "true"}}
  package: {name}-client
  object: {name}_client:connect
  arguments: {{url: "${{url.main}}"}}
"""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    return fake_machine(monkeypatch)


@pytest.fixture
def stack(machine: FakeBackend, isolated: Path) -> mlox.Stack:
    """A stack whose workspace has two services of its own: a base, and an app that needs one."""
    del machine
    folder = isolated / "services"
    folder.mkdir()
    base = STORE.format(name="base", capability="base", port=7000, needs="{}", up="", variable="BASE")
    needs = "{below: {capability: base}}"
    app = STORE.format(name="app", capability="app", port=7100, needs=needs, up="${need.below.url}", variable="APP")
    (folder / "base.yaml").write_text(base)
    (folder / "app.yaml").write_text(app)
    return mlox.Stack("churn")


@pytest.fixture(autouse=True)
def given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ``use`` sets is undone with the test."""
    monkeypatch.setattr("mlox.stack.environment._set", {})
    for name in ("BASE", "APP"):
        for end in ("HOST", "PASSWORD", "QUIET"):
            monkeypatch.setenv(f"{name}_{end}", "")
            monkeypatch.delenv(f"{name}_{end}")


def kinds(plan: mlox.Plan) -> list[tuple[str, str]]:
    return [(action.kind, action.service) for action in plan.actions]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a client package for a service: its ``connect`` returns what it was given."""

    def install(name: str) -> None:
        module = types.ModuleType(f"{name}_client")
        module.connect = lambda **arguments: (name, arguments)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"{name}_client", module)

    return install


# add


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


# Services and their environment


def test_get_finds_what_runs(stack: mlox.Stack) -> None:
    stack.add("base")
    with pytest.raises(ServiceError, match="base is absent"):
        mlox.get("base")
    with pytest.raises(UnknownNameError):
        mlox.get("bse")
    stack.up()
    assert mlox.get("base").url == "base://127.0.0.1:7000"
    with pytest.raises(UnknownNameError):
        mlox.get("base").address("http")
    stack.down()
    with pytest.raises(ServiceError) as error:
        mlox.get("base")
    assert error.value.hint == "Start it: mlox up base."


def test_an_environment_hides_its_secrets(stack: mlox.Stack) -> None:
    service = stack.add("base")
    with pytest.raises(ServiceError, match="base does not run"):
        _ = service.env
    stack.up()
    password = mlox.secrets.get("base.password").reveal()
    env = service.env
    assert set(env) == {"BASE_HOST", "BASE_PASSWORD", "BASE_QUIET"}
    assert env["BASE_HOST"] == "127.0.0.1:7000"
    assert password not in f"{env} {env!r} {dict(env)} {env['BASE_PASSWORD']}"
    assert env.reveal()["BASE_PASSWORD"] == password
    assert len(password) == 16


def test_use_sets_what_the_user_has_not(
    stack: mlox.Stack, client: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    client("base")
    stack.add("base")
    stack.up()
    monkeypatch.setenv("BASE_QUIET", "false")
    before = dict(os.environ)
    password = mlox.secrets.get("base.password").reveal()
    assert mlox.use("base") == ("base", {"url": f"base://me:{password}@127.0.0.1:7000"})
    assert os.environ["BASE_PASSWORD"] == password
    assert os.environ["BASE_QUIET"] == "false", "what the user has set wins"
    assert mlox.use("base", "base") == (mlox.use("base"),) * 2
    assert set(use_off()) == {"BASE_HOST", "BASE_PASSWORD"}
    assert dict(os.environ) == before
    assert use_off() == ()


def test_use_is_refused_where_the_user_points_elsewhere(
    stack: mlox.Stack, client: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    client("base")
    stack.add("base")
    stack.up()
    monkeypatch.setenv("BASE_HOST", "base://production:7000")
    before = dict(os.environ)
    with pytest.raises(UsageError, match="BASE_HOST is set here already, to something else than base"):
        mlox.use("base")
    assert dict(os.environ) == before


def test_use_again_follows_the_service(stack: mlox.Stack, client: Callable[[str], None], isolated: Path) -> None:
    """After the service moved, what we set is ours to set anew, and off gives back what was there at first."""
    client("base")
    stack.add("base")
    stack.up()
    mlox.use("base")
    stack.down(purge=True)
    text = (isolated / "mlox.yaml").read_text()
    (isolated / "mlox.yaml").write_text(text.replace("service: base", "service: base\n    ports: {main: 7050}"))
    stack.up()
    mlox.use("base")
    assert os.environ["BASE_HOST"] == "127.0.0.1:7050"
    use_off()
    assert "BASE_HOST" not in os.environ


def test_use_off_leaves_what_the_user_changed_since(stack: mlox.Stack, client: Callable[[str], None]) -> None:
    client("base")
    stack.add("base")
    stack.up()
    mlox.use("base")
    os.environ["BASE_HOST"] = "base://elsewhere"
    assert set(use_off()) == {"BASE_PASSWORD", "BASE_QUIET"}
    assert os.environ["BASE_HOST"] == "base://elsewhere"


def test_a_client_that_is_not_installed(stack: mlox.Stack) -> None:
    stack.add("base")
    stack.up()
    before = dict(os.environ)
    with pytest.raises(ClientError) as error:
        mlox.use("base")
    assert "base-client, which is not installed here" in error.value.problem
    assert error.value.hint == "pip install base-client"
    assert isinstance(error.value, ImportError)
    assert dict(os.environ) == before, "nothing was handed out, nothing stays set"


def test_two_of_a_kind_cannot_be_used_at_once(stack: mlox.Stack, client: Callable[[str], None]) -> None:
    client("base")
    stack.add("base")
    stack.add("base", "other")
    stack.up()
    mlox.use("base")
    before = dict(os.environ)
    with pytest.raises(UsageError, match="base is in use here") as error:
        mlox.use("other")
    assert error.value.hint == "Give it back first: mlox use --off base."
    assert dict(os.environ) == before
    stack.down("base")
    assert set(stack.service("base").use_off()) == {"BASE_HOST", "BASE_PASSWORD", "BASE_QUIET"}
    mlox.use("other")
    assert os.environ["BASE_HOST"] == mlox.get("other").address()
    assert stack.service("base").use_off() == ()


def test_a_service_without_a_client_object(stack: mlox.Stack, isolated: Path) -> None:
    path = isolated / "services" / "base.yaml"
    lines = [line for line in path.read_text().splitlines() if "object:" not in line]
    path.write_text("\n".join(lines))
    stack.add("base")
    stack.up()
    assert mlox.use("base") is None
    assert os.environ["BASE_HOST"] == "127.0.0.1:7000"
    use_off()
    with pytest.raises(ClientError, match="base has no client object"):
        mlox.get("base").client()


def test_logs_are_masked(stack: mlox.Stack, machine: FakeBackend) -> None:
    service = stack.add("base")
    stack.up()
    password = mlox.secrets.get("base.password").reveal()
    machine.say(stack.id or "", "base", "server", f"connecting with {password}!")
    assert service.logs() == "connecting with ***!"
    assert service.logs(0) == ""


def test_secrets_of_a_workspace(stack: mlox.Stack) -> None:
    with pytest.raises(WorkspaceError, match=r"no mlox\.yaml"):
        mlox.secrets.names()
    stack.add("base")
    version = mlox.secrets.set("TOKEN", "hunter22")
    got = mlox.secrets.get("TOKEN")
    assert (got.reveal(), got.version) == ("hunter22", version)
    assert mlox.secrets.names() == ("TOKEN",)
    assert "hunter22" not in f"{got} {got!r}"


def test_a_missing_program_is_named_with_its_package(stack: mlox.Stack, machine: FakeBackend) -> None:
    del machine.programs["redis-server"]
    stack.add("redis")
    with pytest.raises(RequirementError) as error:
        stack.up()
    assert error.value.problem == "redis: redis-server is not on the PATH"
    assert error.value.hint == "Install it: apt-get install redis-server or brew install redis."
