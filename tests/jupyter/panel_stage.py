"""A browser that is none: what it sends to a panel, and what it hears from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlox_jupyter.panels.panel import Panel
from tests.live.support import until


class Browser:
    """What a browser sends to a panel and hears from it."""

    def __init__(self, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.panel = panel
        self.heard: list[dict[str, Any]] = []
        monkeypatch.setattr(panel, "send", self.heard.append)

    def ask(self, question: str, **rest: object) -> Any:
        """The answer, whether a value or an error."""
        self.panel._handle_custom_msg({"id": "1", "ask": question, **rest}, [])
        return json.loads(json.dumps(self.heard[-1]))

    def done(self) -> dict[str, Any]:
        """The work, once it has ended."""
        until(lambda: self.panel.work.get("running") is False)
        return dict(self.panel.work)
