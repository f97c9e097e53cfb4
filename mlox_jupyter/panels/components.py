"""The panel of components: what the repository has, what can be added, and each change before it is made."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from mlox.errors import UsageError
from mlox.values.differences import Differences, WouldWrite
from mlox_jupyter.panels.given import Given
from mlox_jupyter.panels.panel import Answer, Panel
from mlox_jupyter.words import in_a_cell

READ_S = 10.0
"""How often registries are read again; what is in the repository is looked at each time."""

ACTS = {
    "add": (),
    "update": (),
    "remove": (),
    "undo": (),
    "mine": ("--mine",),
    "theirs": ("--theirs",),
}
"""What can be done, with the flags of its verb; the last two settle what both sides changed."""

VIEWS = {"mine": (), "incoming": ("--incoming",), "result": ("--result",)}


class ComponentsPanel(Panel):
    """Components of the repository, and those that can be added.

    Example:
        >>> ComponentsPanel.name
        'components'
    """

    name = "components"
    parts = ("forms", "differences", "components")
    as_text = "status"
    _offered: tuple[Mapping[str, Any], ...] = ()
    _read = 0.0

    def look(self) -> dict[str, Any]:
        """The components as ``status`` tells them, and those that ``catalog`` offers."""
        if not self._offered or time.monotonic() >= self._read + READ_S:
            self._offered = tuple(self.caller.call("catalog", "--components").to_json()["components"])
            self._read = time.monotonic()
        there = self.caller.call("status").to_json().get("components", [])
        names = {row["name"] for row in there}
        offered = [one for one in self._offered if one["name"] not in names]
        return {"components": there, "offered": offered, "problem": ""}

    def answers(self) -> Mapping[str, Answer]:
        """What a row and its dialogs ask."""
        return {"form": self._form, "diff": self._diff, "preview": self._preview, "act": self._act}

    def _form(self, name: str) -> dict[str, Any]:
        """What can be said of a component before it is added."""
        info = self.caller.call("info", name).to_json()
        return {key: info[key] for key in ("name", "version", "summary", "options", "services", "environment")}

    def _diff(self, name: str, view: str) -> dict[str, Any]:
        """What somebody changed, what upstream changed, or what an update would make of both."""
        if view not in VIEWS:
            raise UsageError(f"{view!r} is no view of a diff", hint=f"There are: {', '.join(VIEWS)}.")
        value = self.caller.call("diff", name, *VIEWS[view])
        if not isinstance(value, Differences):
            raise UsageError(f"{name} has no diff", hint="Run the panel's cell again.")
        return {"lines": list(value.before), "files": _files(value.files)}

    def _preview(self, act: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What an act would write: the lines that a dry run tells, and each file's diff."""
        value = self.caller.call(*self._words(act, name, given), "--dry-run")
        files = value.files if isinstance(value, WouldWrite) else {}
        told = {"lines": [in_a_cell(line) for line in value.text().splitlines()], "files": _files(files)}
        return {**told, "digest": hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()}

    def _act(self, act: str, name: str, given: Mapping[str, Any], digest: str) -> None:
        """Do what was previewed, and nothing else."""
        if self._preview(act, name, given)["digest"] != digest:
            raise UsageError("something has changed since that was shown", hint="Look at it again.")
        self.do(f"{act} {name}".strip(), *self._words(act, name, given), "-y")

    @staticmethod
    def _words(act: str, name: str, given: Mapping[str, Any]) -> tuple[str, ...]:
        if act not in ACTS:
            raise UsageError(f"{act!r} is nothing that is done with components", hint=f"There are: {', '.join(ACTS)}.")
        if act == "undo":
            return ("undo",)
        verb = "resolve" if ACTS[act] else act
        return (*Given.of(given).words(verb, name), *ACTS[act])


def _files(files: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """Unified diffs by path, as a list that keeps its order."""
    return [{"path": path, "diff": list(lines)} for path, lines in files.items()]
