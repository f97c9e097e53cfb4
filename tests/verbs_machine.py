"""Verbs in any order on a small stack, against a model of what a user expects: services, data, backups, passwords.

The model is what the docs promise; the world is fakes in memory or real engines, driven by the same words of the shell.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

Standing = Literal["absent", "stopped", "running"]
NAMES = ("base", "app")
WORDS = st.text("abcdefg ", min_size=1, max_size=12)
CHOSEN = st.sampled_from([("base",), ("app",), ()])


class World(Protocol):
    """Where the verbs work: a stack of ``base``, which keeps words, and ``app``, which needs it."""

    folder: Path
    servers: tuple[str, ...]
    option: str
    values: tuple[str, ...]

    def run(self, *words: str) -> dict[str, Any]:
        """What ``mlox WORDS --json`` prints; it must succeed."""

    def write(self, words: str) -> None:
        """Let ``base`` keep other words; it runs."""

    def words(self) -> str:
        """What ``base`` keeps, empty where nothing was written; it runs."""

    def kill(self, name: str) -> None:
        """End the process of a service, and wait until its supervisor has another."""

    def remains(self) -> dict[str, Standing]:
        """What the back ends hold of the stack, whatever mlox says; a service on two servers is an error."""

    def effects(self) -> object:
        """Something that differs where a back end was made to do anything."""

    def close(self) -> None:
        """Take everything away."""


class Verbs(RuleBasedStateMachine):
    """The model: how each service stands, what base keeps, where it is, and the words of each backup."""

    def make_world(self) -> World:
        """A new workspace with both services written, nothing running."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.world = self.make_world()
        self.standing: dict[str, Standing] = dict.fromkeys(NAMES, "absent")
        self.kept = ""
        self.server = self.world.servers[0]
        self.saved: list[tuple[str, str]] = []
        self.value = ""

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()

    @rule(names=CHOSEN)
    def up(self, names: tuple[str, ...]) -> None:
        done = self.world.run("up", *names)
        touched = {"base", *(names or NAMES)}
        changed = {action["service"] for action in done["actions"]}
        was_down = {name for name in touched if self.standing[name] != "running"}
        assert was_down <= changed <= touched
        self.standing |= dict.fromkeys(touched, "running")

    @rule(names=CHOSEN)
    def down(self, names: tuple[str, ...]) -> None:
        self.world.run("down", *names)
        for name in names or NAMES:
            if self.standing[name] == "running":
                self.standing[name] = "stopped"

    @rule(names=CHOSEN)
    def purge(self, names: tuple[str, ...]) -> None:
        self.world.run("down", *names, "--purge", "-y")
        self.standing |= dict.fromkeys(names or NAMES, "absent")
        if "base" in (names or NAMES):
            self.kept = ""

    @rule(words=WORDS)
    @precondition(lambda self: self.standing["base"] == "running")
    def write(self, words: str) -> None:
        self.world.write(words)
        self.kept = words

    @rule(name=st.sampled_from(NAMES))
    def kill(self, name: str) -> None:
        if self.standing[name] == "running":
            self.world.kill(name)

    @rule(names=CHOSEN)
    def restart(self, names: tuple[str, ...]) -> None:
        """What it needs comes back with it, as with ``up``."""
        chosen = [name for name in names or NAMES if self.standing[name] != "absent"]
        if chosen:
            self.world.run("restart", *chosen)
            needed = {"base"} if "app" in chosen else set()
            self.standing |= dict.fromkeys({*chosen, *needed}, "running")

    @rule(value=st.data())
    @precondition(lambda self: self.standing["base"] == "running")
    def update(self, value: st.DataObject) -> None:
        chosen = value.draw(st.sampled_from(self.world.values))
        done = self.world.run("up", "base", "--set", f"{self.world.option}={chosen}")
        kinds = [action["kind"] for action in done["actions"] if action["service"] == "base"]
        assert kinds == ([] if chosen == self.value else ["update"])
        self.value = chosen

    @rule()
    @precondition(lambda self: self.standing["base"] != "absent")
    def backup(self) -> None:
        (made,) = self.world.run("backup", "base")["backups"]
        self.saved.append((made["id"], self.kept))

    @rule(which=st.data())
    @precondition(lambda self: self.saved)
    def restore(self, which: st.DataObject) -> None:
        ident, words = which.draw(st.sampled_from(self.saved))
        self.world.run("restore", f"base@{ident}", "-y")
        self.kept = words
        self.standing["base"] = "running"

    @rule(which=st.data())
    @precondition(lambda self: len(self.world.servers) > 1 and set(self.standing.values()) == {"running"})
    def move(self, which: st.DataObject) -> None:
        target = which.draw(st.sampled_from([name for name in self.world.servers if name != self.server]))
        self.world.run("move", "base", "--to", target, "-y")
        self.server = target

    @rule()
    def forget(self) -> None:
        """What is in ``.mlox/local`` and the caches is no truth."""
        for folder in (self.world.folder / ".mlox" / "local", self.world.folder / ".cache"):
            shutil.rmtree(folder, ignore_errors=True)

    @rule(words=st.sampled_from([("up",), ("down",), ("down", "--purge"), ("restart",), ("backup",)]))
    def only_tell(self, words: tuple[str, ...]) -> None:
        if words == ("backup",) and self.standing["base"] == "absent":
            return
        before = self.world.effects()
        self.world.run(*words, "--dry-run")
        assert self.world.effects() == before

    @invariant()
    def stands_as_expected(self) -> None:
        if not hasattr(self, "world"):
            return
        there: dict[str, Standing] = {name: how for name, how in self.standing.items() if how != "absent"}
        assert self.world.remains() == there
        rows = {row["name"]: row["status"] for row in self.world.run("status")["services"]}
        assert rows == self.standing

    @invariant()
    def keeps_its_words(self) -> None:
        if hasattr(self, "world") and self.standing["base"] == "running":
            assert self.world.words() == self.kept

    @invariant()
    def plans_what_is_not_there(self) -> None:
        if hasattr(self, "world"):
            planned = {action["service"] for action in self.world.run("plan")["actions"]}
            assert planned - self.stale() == {name for name, how in self.standing.items() if how != "running"}

    def stale(self) -> set[str]:
        """A consumer of what was purged or made anew may be updated; when it has to be, is tested elsewhere."""
        return {"app"} if self.standing["app"] == "running" else set()


def only(standings: Iterable[tuple[str, Standing]]) -> dict[str, Standing]:
    """The services of a world, each of which is on one server.

    Raises:
        AssertionError: one is on two.
    """
    found: dict[str, Standing] = {}
    for name, how in standings:
        assert name not in found, f"{name} is there twice"
        found[name] = how
    return found
