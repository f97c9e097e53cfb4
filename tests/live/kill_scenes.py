"""What is killed: each verb that changes what runs or what is kept, at some of its points or at all."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.live.kill_stage import Killed, folder, told
from tests.slices import seeded

SLICE = int(os.environ.get("MLOX_TEST_MOMENTS", "3"))
"""How many moments of each scene ``make test`` takes."""


@dataclass
class Scene:
    """What is killed; ``round`` counts the kills."""

    killed: Killed
    round: int = 0

    def words(self) -> Sequence[str]:
        """The command."""
        raise NotImplementedError

    def before(self) -> None:
        """Bring about what the command begins with."""

    def after(self) -> None:
        """Converge, and look that all is well."""
        raise NotImplementedError


class FirstUp(Scene):
    """Out of nothing: the workspace is made, two services are added and started."""

    def words(self) -> Sequence[str]:
        return "up", "redis", "site", *self.killed.on

    def before(self) -> None:
        self.killed.purge()
        shop = self.killed.shop.folder
        (shop / "mlox.yaml").unlink(missing_ok=True)
        shutil.rmtree(shop / ".mlox", ignore_errors=True)

    def after(self) -> None:
        self.killed.converge("ours")


class Updated(Scene):
    """A page that runs is changed; its data stays."""

    @property
    def text(self) -> str:
        return "new" if self.round % 2 else "ours"

    def words(self) -> Sequence[str]:
        return "up", "site", "--set", f"text={self.text}"

    def before(self) -> None:
        if self.round == 0:
            self.killed.converge("ours")
            self.killed.converge("new")

    def after(self) -> None:
        self.killed.converge(self.text)
        assert set(self.killed.texts()["words"].split()) <= {"ours", "new"}


class RolledBack(Scene):
    """A page that runs is changed to one that cannot run: the old one comes back by itself, or by hand."""

    def words(self) -> Sequence[str]:
        return "up", "site", "--set", "text=broken"

    def before(self) -> None:
        if self.round == 0:
            self.killed.converge("ours")

    def after(self) -> None:
        if self.round % 2:
            ran = self.killed.shop.row("site")["status"] == "running"
            said = self.killed.shop.mlox(*self.words(), "--json")
            assert said.error()["type"] in ("RolledBackError", "PartialError"), said
            if ran or not self.killed.ends_services:
                assert self.killed.shop.row("site")["status"] == "running"
                assert "broken" not in self.killed.texts()["words"]
        self.killed.converge("ours")
        assert "broken" not in self.killed.texts()["words"]


class Down(Scene):
    """All is stopped, then started again, or stopped for good."""

    def words(self) -> Sequence[str]:
        return ("down",)

    def before(self) -> None:
        self.killed.converge("ours")

    def after(self) -> None:
        if self.round % 2:
            self.killed.shop.done("down")
            assert self.killed.alive() == []
        else:
            self.killed.converge("ours")


class Purged(Scene):
    """All is removed with its data, then started anew, or removed again."""

    def words(self) -> Sequence[str]:
        return "down", "--purge", "-y"

    def before(self) -> None:
        self.killed.converge("ours")

    def after(self) -> None:
        if self.round % 2:
            self.killed.purge()
        else:
            self.killed.converge("ours")


class Saved(Scene):
    """What the page keeps is saved; the next backup is whole, and no other is there."""

    def words(self) -> Sequence[str]:
        return "backup", "site", "--keep", "1"

    def before(self) -> None:
        if self.round == 0:
            self.killed.converge("ours")
            self.killed.write("precious")

    def after(self) -> None:
        shop = self.killed.shop
        shop.done("up")
        shop.done(*self.words())
        (kept,) = shop.json("backup", "--list")["backups"]
        (place,) = (shop.home / "backups").glob("*/site")
        assert folder(place) == [kept["id"]]
        if self.round % 2:
            self.killed.write("worthless")
            shop.done("restore", "site", "-y")
        assert self.killed.texts()["written"] == "precious"
        self.killed.converge("ours")


class Restored(Scene):
    """What was saved takes the place of what is there: it is the one or the other, and nothing between them."""

    def words(self) -> Sequence[str]:
        return "restore", "site", "-y"

    def before(self) -> None:
        if self.round == 0:
            self.killed.converge("ours")
            self.killed.write("saved")
            self.killed.shop.done("backup", "site")
        self.killed.write("newer")

    def after(self) -> None:
        self.killed.converge("ours")
        assert self.killed.texts()["written"] in ("saved", "newer")
        if self.round % 2:
            self.killed.shop.done(*self.words())
            assert self.killed.texts()["written"] == "saved"
            self.killed.converge("ours")


SCENES = (FirstUp, Updated, RolledBack, Down, Purged, Saved, Restored)


def play(scene: Scene, count: int | None) -> None:
    """Kill the scene at ``count`` moments of it (None: at all), others where one does not come; look each time.

    ``MLOX_TEST_MOMENT`` chooses one, as a failure names it: ``after engine.POST.containers.create#6``.
    """
    _, seed = seeded()
    scene.before()
    found = scene.killed.points(scene.words())
    scene.after()
    every = [(point, when) for point in found for when in ("before", "after")]
    chance = random.Random(f"{seed} {type(scene).__name__}")  # noqa: S311
    wanted = len(every) if count is None else min(count, len(every))
    some = every if count is None else chance.sample(every, min(2 * wanted, len(every)))
    if only := os.environ.get("MLOX_TEST_MOMENT"):
        some = [one for one in every if f"{one[1]} {one[0]}" == only] * 2
        wanted = len(some)
    began, came = time.monotonic(), 0
    for point, when in some:
        if came == wanted:
            break
        scene.round += 1
        scene.before()
        moment = f"{type(scene).__name__}: killed {when} {point} (MLOX_TEST_SEED={seed})"
        try:
            came += scene.killed.kill(point, when, scene.words())
            scene.after()
        except AssertionError as error:
            error.add_note(moment)
            raise
    took = time.monotonic() - began
    print(f"\n{type(scene).__name__}: {len(found)} points, {len(every)} moments, {told(found)}")
    print(f"  killed at {came} of {wanted} moments in {took:.0f} s, seed {seed}")
    assert came >= wanted * 0.8, "most of the moments must come to pass again"
