"""What is wrong with the alert rules that are written: services that there are not, secrets that nobody has set."""

from __future__ import annotations

from collections.abc import Iterator

from mlox.documents import line_of
from mlox.errors import UnknownNameError
from mlox.stack.findings import Finding, found
from mlox.stack.surroundings import Surroundings
from mlox.stack.telling import secrets_named
from mlox.workspace import SPEC


def alert_findings(around: Surroundings, text: str) -> Iterator[Finding]:
    """Each of them, with its line in ``text``, the content of ``mlox.yaml``."""
    spec = around.spec
    for name, rule in spec.alerts.rules.items():
        if rule.service is not None and rule.service not in spec.services:
            error = UnknownNameError.among("service", rule.service, spec.services, where=f"the alert rule {name}: ")
            line = line_of(text, ("alerts", "rules", name, "service"))
            yield found("stack", name, error, file=SPEC, line=line)
    needed = secrets_named(spec.alerts.tell)
    known = set(around.secrets.names()) if needed and spec.id else set()
    for name in needed:
        if name not in known:
            problem = f"alerts are told with the secret {name}, which is not set"
            line = line_of(text, ("alerts", "tell"))
            yield Finding("secrets", name, problem, f"Set it: mlox secrets set {name}.", SPEC, line)
