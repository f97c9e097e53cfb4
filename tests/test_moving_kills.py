"""What is left when the process is killed at any step of a move: what `up`, or `move` again, can finish."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mlox.errors import UsageError
from mlox.workspace import Workspace
from tests.moving_stage import House, both_servers, furnish
from tests.test_apply_kills import KilledError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("isolated")]

SEAMS = (
    *("pin", "prepare", "start", "stop", "probe", "exec", "recover"),
    *("note_passage", "passages", "forget_passage", "data_size", "data_out", "data_in"),
)


class Dying:
    """Kills the process at the n-th call of a seam or edit of mlox.yaml, before or after it, and at every later one."""

    def __init__(
        self, house: House, monkeypatch: pytest.MonkeyPatch, at: int, after: bool, seams: Sequence[str] = SEAMS
    ) -> None:
        self.calls: list[str] = []
        self.at = at
        self.after = after
        self.lock = threading.Lock()
        for server, backend in (("local", house.native), ("docker", house.engine)):
            for name in seams:
                monkeypatch.setattr(backend, name, self.dying(f"{server}.{name}", getattr(backend, name)))
        monkeypatch.setattr(Workspace, "put_service", self.dying("put_service", Workspace.put_service))

    def dying(self, label: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            with self.lock:
                number = len(self.calls)
                self.calls.append(label)
            if number == self.at and self.after:
                function(*arguments, **options)
            if number >= self.at:
                raise KilledError(label)
            return function(*arguments, **options)

        return call


def killed(tmp_path: Path, after: bool, to: str = "docker") -> Iterator[tuple[House, str]]:
    """A house for each step at which the move can be killed, and that step."""
    for step in range(300):
        with pytest.MonkeyPatch.context() as monkeypatch:
            folder = tmp_path / str(step)
            folder.mkdir()
            house = furnish(folder, *both_servers(monkeypatch))
            if to == "local":
                house.stack.move("base", "docker")
            with monkeypatch.context() as killing:
                dying = Dying(house, killing, step, after)
                with contextlib.suppress(KilledError):
                    house.stack.move("base", to)
            if step >= len(dying.calls):
                assert house.running(to)
                return
            yield house, dying.calls[step]


def one_alive(house: House) -> bool:
    """Whether no two copies run."""
    return [state.split()[1] for state in house.where()["base"]].count("running") <= 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("to", ["docker", "local"])
def test_after_a_kill_at_any_step_up_converges_to_what_mlox_yaml_says(tmp_path: Path, after: bool, to: str) -> None:
    ends = []
    for house, step in killed(tmp_path, after, to):
        assert one_alive(house), step
        house.stack.up()
        assert house.running(house.server()), step
        ends.append(house.server())
    assert len(ends) > 25
    assert set(ends) == {"local", "docker"}
    assert ends == sorted(ends, key=lambda end: end == to), "there is one point of no return"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_at_any_step_the_move_can_be_made_again(tmp_path: Path, after: bool) -> None:
    for house, step in killed(tmp_path, after):
        house.stack.plan_move("base", "docker")
        house.stack.move("base", "docker")
        assert house.running("docker"), step


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_at_any_step_a_purge_leaves_nothing(tmp_path: Path, after: bool) -> None:
    for house, step in killed(tmp_path, after):
        house.stack.down("app", "base", purge=True)
        assert house.where() == {}, step
        for backend in (house.native, house.engine):
            assert (backend.data, backend.passages(house.key[0])) == ({}, ()), step


def test_another_server_written_by_hand_meanwhile_loses_nothing(tmp_path: Path) -> None:
    """Whoever writes the target into mlox.yaml while a move is cut off gets the source's data, or a refusal."""
    for house, step in killed(tmp_path, after=True):
        house.stack.workspace.put_service("base", {"server": "docker"})
        with contextlib.suppress(UsageError):
            house.stack.up()
        kept = [backend.data.get(house.key) for backend in (house.native, house.engine)]
        assert "precious" in kept, step
        house.stack.move("base", "docker")
        assert house.where()["base"] == ["docker running"], step
        assert (house.engine.data.get(house.key), house.native.data) == ("precious", {}), step
