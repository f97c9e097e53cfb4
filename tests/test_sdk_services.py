"""What a script sees of services and their environments, on a machine where no real service runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import mlox
from mlox.errors import (
    ClientError,
    RequirementError,
    ServiceError,
    UnknownNameError,
    UsageError,
    WorkspaceError,
)
from mlox.stack import use_off
from mlox.testing import FakeBackend

pytestmark = pytest.mark.usefixtures("given_back")


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
