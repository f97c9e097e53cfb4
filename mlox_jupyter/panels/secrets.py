"""The panel of secrets: names, readers and ages; set and rotated without a value in a trait, an output or an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlox.secret import Secret
from mlox_jupyter.panels.panel import Answer, Panel


class SecretsPanel(Panel):
    """Secrets by name. A value comes from the browser by a message of its own, and none ever goes there.

    Example:
        >>> SecretsPanel.name
        'secrets'
    """

    name = "secrets"
    parts = ("forms", "secrets")
    as_text = "secrets list"

    def look(self) -> dict[str, Any]:
        """The secrets as ``secrets list`` tells them."""
        return {**self.caller.call("secrets", "list").to_json(), "problem": ""}

    def answers(self) -> Mapping[str, Answer]:
        """What the form and the rows ask."""
        rotating = {"rotates": self._rotates, "rotate": self._rotate}
        return {"set": self._set, "generate": self._generate, "remove": self._remove, **rotating}

    def _set(self, name: str, value: str) -> str:
        """Keep a value that somebody has typed; what is told of it names no value."""
        secret = Secret(value)
        told = self.caller.call("secrets", "set", name, read_secret=lambda _: secret)
        self.refresh()
        return told.text()

    def _generate(self, name: str, length: int) -> str:
        told = self.caller.call("secrets", "set", name, "--generate", str(length))
        self.refresh()
        return told.text()

    def _rotates(self, name: str) -> str:
        """What a rotation would start again."""
        return self.caller.call("secrets", "rotate", name, "--dry-run").text()

    def _rotate(self, name: str) -> None:
        self.do(f"rotate {name}", "secrets", "rotate", name, "-y")

    def _remove(self, name: str) -> str:
        told = self.caller.call("secrets", "remove", name, "-y")
        self.refresh()
        return told.text()
