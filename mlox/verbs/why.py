"""The verb why: the failure first, then why a service runs as it does; and where each of its values comes from."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from mlox.values import Table, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.explaining import Case, Diagnosis

_CALL = re.compile(r"(?<![\w%./{-])mlox (?=[a-z-])")


@verb("why", group="stack")
def why(
    ctx: Context,
    name: Annotated[str, "a service of the stack"],
    *,
    settings: Annotated[bool, "instead, tell where each of its values comes from"] = False,
) -> Value:
    """Explain why a service fails, or why it runs as it does; --settings: where each value comes from."""
    from mlox.explaining import diagnose
    from mlox.stack import case_of

    stack = ctx.stack()
    stack.workspace.read()
    if settings:
        return _settings(ctx, name)
    case = case_of(stack.surroundings(), name)
    return Explained(case, diagnose(case))


@dataclass(frozen=True, slots=True, repr=False)
class Explained(Value):
    """An explanation: what is the matter, the evidence, what to do next, and why it runs as it does."""

    case: Case
    diagnosis: Diagnosis

    def text(self, *, detail: bool = False) -> str:
        """The failure, in detail with ports and times, then the lines that matter, the next step, and the reasons."""
        found = self.diagnosis
        lines = [_addressed(found.problem), *(f"  {_addressed(line)}" for line in found.detail if detail)]
        if found.evidence:
            lines += ["the lines of its log that matter:", *(f"  {line}" for line in found.evidence)]
        elif self.case.unread and not found.well:
            lines.append(f"its log is not shown, since the secrets in it cannot be masked: {self.case.unread}")
        if found.step:
            lines.append(_addressed(f"next: {found.step}"))
        return "\n".join([*lines, *self._reasons()])

    def to_json(self) -> dict[str, Any]:
        """The service, the cause as one word, and the parts of the explanation."""
        from mlox.explaining import status

        case = self.case
        about = {"name": case.name, "service": case.service, "server": case.server}
        word = {"status": status(case, self.diagnosis)}
        return about | word | asdict(self.diagnosis) | {"reasons": list(self._reasons())}

    def _reasons(self) -> tuple[str, ...]:
        from mlox.explaining import reasons

        return reasons(self.case)


def _settings(ctx: Context, name: str) -> Value:
    """The table of all values with their origins."""
    from dataclasses import replace

    from mlox.stack import origins

    chosen = "MLOX_PROFILE" if os.environ.get("MLOX_PROFILE") == ctx.profile else "--profile"
    profile = (ctx.profile, chosen) if ctx.profile else ("", "")
    plain = replace(ctx, profile=None).stack().surroundings()
    found = origins(ctx.stack().surroundings(), name, unprofiled=plain, profile=profile)
    rows = tuple((s.name, s.stable, s.origin, s.exact) for s in found)
    heading = ("setting", "value", "where it comes from", "exactly")
    json = {"name": name, "settings": [asdict(setting) for setting in found]}
    return Table(heading, rows, json, detailed=frozenset({"exactly"}))


def _addressed(text: str) -> str:
    """``mlox up`` as every front end calls it."""
    return _CALL.sub("{mlox} ", text)
