"""The panel of the catalog: what can be deployed, with a form, a plan and what it takes before it is up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import mlox
from mlox.values import Planned
from mlox_jupyter.panels.given import Given
from mlox_jupyter.panels.panel import Answer, Panel
from mlox_jupyter.panels.plans import plan_of

READ_S = 10.0
"""How often the catalog is read again: it changes where somebody writes a file of their own."""


class CatalogPanel(Panel):
    """Services that can be deployed, with those of the stack that were made of each.

    Example:
        >>> CatalogPanel.name
        'catalog'
    """

    name = "catalog"
    parts = ("forms", "catalog")
    as_text = "catalog"
    _offered: tuple[Mapping[str, Any], ...] = ()
    _broken: tuple[str, ...] = ()
    _read = 0.0

    def look(self) -> dict[str, Any]:
        """The services as ``catalog`` tells them, and what ``status`` tells of those that there are."""
        self._read_catalog()
        there: dict[str, list[dict[str, Any]]] = {}
        for row in self.caller.call("status").to_json()["services"]:
            told = {key: row[key] for key in ("name", "status", "url")}
            there.setdefault(row["service"], []).append(told)
        services = [{**one, "there": there.get(one["name"], [])} for one in self._offered]
        return {"services": services, "alerts": list(self._broken), "problem": ""}

    def answers(self) -> Mapping[str, Answer]:
        """What a card and its form ask."""
        return {"form": self._form, "plan": self._plan, "up": self._up}

    def _read_catalog(self) -> None:
        if self._offered and time.monotonic() < self._read + READ_S:
            return
        found = self.caller.call("catalog", "--services").to_json()
        self._offered = tuple(found["services"])
        self._broken = tuple(f"not in the catalog: {one['problem'].splitlines()[0]}" for one in found["broken"])
        self._read = time.monotonic()

    def _form(self, name: str) -> dict[str, Any]:
        """What can be said of a service: its options, its servers, what meets its needs, and what it takes."""
        info = self.caller.call("info", name).to_json()
        spec = mlox.Stack(path=self.caller.folder, profile=self.caller.profile).spec()
        provides = {one["name"]: one["provides"] for one in self._offered}
        needs = {}
        for need, asked in info["needs"].items():
            capability = asked["capability"]
            fitting = [own for own, one in spec.services.items() if capability in provides.get(one.service, ())]
            embedded = asked["embedded"] is not None
            needs[need] = {"help": asked["help"], "services": fitting, "embedded": embedded}
        facts = {key: info[key] for key in ("version", "supports", "summary", "homepage", "options", "estimate")}
        servers = list(dict.fromkeys(("local", "docker", *spec.servers)))
        return {**facts, "name": name, "needs": needs, "servers": servers}

    def _plan(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What ``up`` would do, and what all that it makes takes."""
        value = self.caller.call(*Given.of(given).words("up", name), "--dry-run")
        return {**plan_of(value), "estimate": self._estimate(value)}

    def _estimate(self, value: object) -> dict[str, int]:
        """The memory and the disk, in bytes, that new services take by the catalog."""
        if not isinstance(value, Planned):
            return {}
        made = {action.service for action in value.plan.actions if action.kind == "create"}
        kinds = {row["name"]: row["service"] for row in value.to_json()["services"]}
        found = [self.caller.call("info", kinds[name]).to_json()["estimate"] for name in sorted(made & kinds.keys())]
        return {key: sum(one[key] for one in found) for key in ("memory_bytes", "disk_bytes")}

    def _up(self, name: str, given: Mapping[str, Any], digest: str) -> None:
        """Do it: the plan that was shown and no other."""
        self.do(f"up {name}", *Given.of(given).words("up", name), "--plan", digest, "-y")
