"""What a stack is like while somebody works on it, and what whoever comes next finds and mends."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import mlox
from mlox.errors import IdentityError, LockedError, RequirementError
from mlox.leases import Holder, this_process
from mlox.locks import Hold
from mlox.protocols import silent
from mlox.testing import FakeBackend
from mlox.workspace import data_home
from tests.sdk_stage import STORE


def words(stack: mlox.Stack) -> dict[str, str]:
    return {row.name: row.status for row in stack.status().services}


def test_what_somebody_is_about_to_start_is_starting_and_not_absent(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    stack.add("app")
    assert words(stack) == {"base": "absent", "app": "absent"}
    with Hold(stack.id or "", emit=silent, starts=("base",)) as hold:
        hold.take(machine)
        assert words(stack) == {"base": "starting", "app": "absent"}
        assert stack.deploys(os.getpid())
        assert not stack.deploys(1)
    assert words(stack) == {"base": "absent", "app": "absent"}
    assert not stack.deploys(os.getpid())


def test_a_deployment_that_is_yet_to_write_something_down_is_not_at_work(
    stack: mlox.Stack, machine: FakeBackend
) -> None:
    assert not stack.deploys(os.getpid())
    stack.add("base")
    with Hold(stack.id or "", emit=silent, starts=("base", "app")) as hold:
        hold.take(machine)
        assert not stack.deploys(os.getpid())
        stack.workspace.put_service("app", {"service": "app", "needs": {"below": "base"}})
        assert stack.deploys(os.getpid())


def test_more_services_than_a_record_tells_are_all_told(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    with Hold(stack.id or "", emit=silent, starts=[f"service-{number}" for number in range(200)]) as hold:
        hold.take(machine)
        assert hold.holder.starts == "*"
        assert words(stack) == {"base": "starting"}


def test_up_down_add_and_remove_hold_the_stack_and_give_it_back(stack: mlox.Stack, machine: FakeBackend) -> None:
    holders: list[Holder | None] = []
    stack.add("base")
    start, stop = machine.start, machine.stop

    def watching(call: object) -> object:
        def watched(*arguments: object, **named: object) -> object:
            holders.append(machine.holder(stack.id or ""))
            return call(*arguments, **named)  # type: ignore[operator]

        return watched

    machine.start, machine.stop = watching(start), watching(stop)  # type: ignore[assignment,method-assign]
    stack.up()
    stack.down()
    assert [holder and holder.pid for holder in holders] == [os.getpid()] * 2
    assert [holder and holder.starts for holder in holders] == ["base", ""]
    stack.drop("base")
    assert machine.holder(stack.id or "") is None


def test_whoever_loses_the_stack_while_it_starts_stops_there(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    stack.add("app")
    start = machine.start

    def taking_over(*arguments: object, **named: object) -> None:
        start(*arguments, **named)  # type: ignore[arg-type]
        machine.leases.now += 100
        machine.lease(stack.id or "", this_process())

    machine.start = taking_over  # type: ignore[method-assign]
    with pytest.raises(LockedError, match="taken over"):
        stack.up()
    assert [o.key for o in machine.observe()] == ["base.server"]


def test_what_a_killed_process_was_writing_is_removed(stack: mlox.Stack, isolated: Path) -> None:
    stack.add("base")
    secrets = data_home() / (stack.id or "") / "secrets"
    (secrets / "token").mkdir(parents=True)
    mine = [isolated / "notes.tmp", isolated / ".other.yaml.0a1b2c3d.tmp"]
    left = [
        isolated / ".mlox.yaml.0a1b2c3d.tmp",
        isolated / ".mlox.lock.yaml.0a1b2c3d.tmp",
        isolated / ".mlox" / "..gitignore.0a1b2c3d.tmp",
        secrets / "token" / ".000001-aa.age.0a1b2c3d.tmp",
        isolated / ".mlox" / "secrets" / "token" / ".aa.age.0a1b2c3d.tmp",
    ]
    left[-1].parent.mkdir(parents=True)
    for path in (*mine, *left):
        path.write_text("x")
    (secrets / ".deleted-0a1b2c").mkdir()
    (secrets / ".deleted-0a1b2c" / "000001-aa.age").write_text("x")
    stack.up()
    assert [path for path in left if path.exists()] == []
    assert not (secrets / ".deleted-0a1b2c").exists()
    assert all(path.exists() for path in mine)


def test_services_that_fit_alone_but_not_together_are_refused(stack: mlox.Stack, isolated: Path) -> None:
    for name in ("one", "two"):
        text = STORE.format(name=name, capability=name, port=7200, needs="{}", up="", variable=name.upper())
        (isolated / "services" / f"{name}.yaml").write_text(f"{text}estimate: {{memory_bytes: 5_000_000_000}}\n")
        stack.add(name)
    assert [action.service for action in stack.plan("one").actions] == ["one"]
    with pytest.raises(RequirementError, match=r"one, two together take about 10\.0 GB of memory; local has 8\.6 GB"):
        stack.plan()
    stack.up("one")
    assert [action.service for action in stack.plan().actions] == ["two"], "what runs is not counted again"


def test_a_lost_identity_is_noticed_also_where_the_stack_has_no_secrets_yet(
    stack: mlox.Stack, isolated: Path, machine: FakeBackend
) -> None:
    """A new one would be in the way of the backup of the old one, which other stacks here need."""
    del machine
    stack.add("base")
    stack.up()
    identity = data_home() / "identity"
    kept = identity.read_bytes()
    identity.unlink()
    shutil.copytree(isolated / "services", isolated / "other" / "services")
    (isolated / "other" / "mlox.yaml").write_text("name: other\nid: other-0001\n")
    other = mlox.Stack("other", path=isolated / "other")
    other.add("base")
    with pytest.raises(IdentityError, match="there is no identity"):
        other.up()
    identity.write_bytes(kept)
    identity.chmod(0o600)
    other.up()
