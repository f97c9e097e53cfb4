"""The panel of a stack: services as cards, what needs what, plans before anything is done, logs, addresses, logins."""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Mapping
from typing import Any

import traitlets

import mlox
from mlox.errors import MloxError, UsageError
from mlox.values import Status
from mlox_jupyter.panels.panel import Answer, Panel
from mlox_jupyter.panels.plans import plan_of

USAGE_S = 5.0
"""How often is measured what services use."""

LINES = 200
ACTS = ("up", "down", "restart")


class StackPanel(Panel):
    """Services as cards.

    Attributes:
        usage: what each service uses, by its name, as ``stats`` tells it.

    Example:
        >>> StackPanel.name
        'stack'
    """

    name = "stack"
    parts = ("drawing", "stack")
    usage = traitlets.Dict().tag(sync=True)
    _measured = -USAGE_S

    def look(self) -> dict[str, Any]:
        """The services as ``status`` tells them, with what each needs."""
        status = self.caller.call("status")
        found = status.to_json()
        alerts = status.alerts.lines(detail=True) if isinstance(status, Status) and status.alerts else ()
        spec = self._stack().spec()
        for row in found["services"]:
            written = spec.services.get(row["name"])
            needs = written.needs.values() if written is not None else ()
            row["needs"] = [name for name in needs if name in spec.services]
        return {"stack": spec.name, "services": found["services"], "alerts": list(alerts), "problem": ""}

    def besides(self) -> None:
        """What services use, now and then; where that cannot be measured, what was measured last stays."""
        if time.monotonic() < self._measured + USAGE_S:
            return
        with contextlib.suppress(MloxError):
            rows = self.caller.call("stats").to_json()["services"]
            self.usage = {row["name"]: row for row in rows}
        self._measured = time.monotonic()

    def answers(self) -> Mapping[str, Answer]:
        """What a card and the head of the panel ask."""
        return {"plan": self._plan, "act": self._act, "logs": self._logs, "login": self._login}

    def _stack(self) -> mlox.Stack:
        return mlox.Stack(path=self.caller.folder, profile=self.caller.profile)

    def _plan(self, act: str, names: list[str]) -> dict[str, Any]:
        """What an act would do: rows of its plan, and the digest to agree to."""
        return plan_of(self.caller.call(*self._words(act, names), "--dry-run"))

    def _act(self, act: str, names: list[str], digest: str = "") -> None:
        """Do it; of ``up``, the plan that was shown and no other."""
        agreed = ("--plan", digest) if act == "up" and digest else ()
        self.do(" ".join((act, *names)), *self._words(act, names), *agreed, "-y")

    @staticmethod
    def _words(act: str, names: list[str]) -> tuple[str, ...]:
        if act not in ACTS:
            raise UsageError(f"{act!r} is nothing that a panel of a stack does", hint=f"It does: {', '.join(ACTS)}.")
        return (act, *names)

    def _logs(self, name: str) -> str:
        return self.caller.call("logs", name, "--lines", str(LINES)).text(detail=True)

    def _login(self, name: str, pad: str) -> dict[str, str]:
        """Who logs in, and the password for the clipboard: XORed with what the browser has made up for it.

        So it is in no message as it is, where redaction would mask it and a log of messages would keep it.
        """
        user, secret = self._stack().service(name).login()
        if secret is None:
            raise UsageError(f"{name} has no password", hint="Open its page.")
        password = mlox.secrets.get(secret).reveal().encode()
        mask = base64.b64decode(pad)
        if len(mask) < len(password):
            raise UsageError("the password is longer than what hides it", hint="Use the secret in a terminal.")
        hidden = bytes(one ^ other for one, other in zip(password, mask, strict=False))
        return {"user": user or "", "hidden": base64.b64encode(hidden).decode()}
