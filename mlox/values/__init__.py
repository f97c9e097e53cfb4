"""What verbs hand back: values that know their text and their JSON, and no screen.

The text without detail is the same on every run: no ports, times, sizes or ids. Detail is for terminals and HTML.
``{mlox}`` in a line stands for how a front end is called: ``mlox`` in a shell, ``%mlox`` in a notebook; see
:func:`addressed`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mlox.plan import Plan, Reason, goes

if TYPE_CHECKING:
    from mlox.alerts import Alerts
    from mlox.components import ComponentWord

Front = Literal["shell", "notebook", "script"]
StatusWord = Literal["running", "starting", "unhealthy", "stopped", "absent", "ready", "unreachable"]


class Value:
    """A result of a verb. ``verbatim`` is set where its text is somebody else's, and nothing in it is ours to fill.

    ``waits``: all was done, and its exit code tells of what is left for a person; in a notebook that is no error.
    """

    verbatim: bool = False
    waits: bool = False

    def text(self, *, detail: bool = False) -> str:
        """The lines for a reader."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        raise NotImplementedError

    @property
    def exit_code(self) -> int:
        """What the shell returns."""
        return 0

    def __str__(self) -> str:
        return shown(self, "shell", detail=False)

    def __repr__(self) -> str:
        first, _, more = str(self).partition("\n")
        return f"<{type(self).__name__}: {first}{' ...' if more else ''}>"


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service as it is now. Sizes are bytes, ``since`` is seconds since the epoch."""

    name: str
    service: str
    server: str
    backend: str
    status: StatusWord
    url: str | None = None
    ports: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    since: float | None = None
    data_path: str | None = None
    note: str = ""
    edge: str = ""  # of a forwarder: which addresses it joins

    def cells(self, detail: bool) -> tuple[str, ...]:
        """The cells of a table's row."""
        cells = (self.name, self.status, self.server, self.version)
        memory = f"{self.memory_bytes / 1e6:.0f} MB" if self.memory_bytes else ""
        return (*cells, self.url or self.edge, memory, self.note) if detail else cells


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """One component of the workspace as it is now; ``files`` is how many it has."""

    name: str
    version: str
    state: ComponentWord
    files: int
    paths: tuple[str, ...] = ()
    note: str = ""

    def cells(self, detail: bool) -> tuple[str, ...]:
        """The cells of a table's row, the kind among them."""
        counted = f"{self.files} file{'' if self.files == 1 else 's'}"
        return (self.name, "component", self.state, counted, *((self.version,) if detail else ()))


@dataclass(frozen=True, slots=True, repr=False)
class Status(Value):
    """The services and components of a stack, the number of its secrets, and what a reader should know."""

    stack: str
    services: tuple[ServiceRow, ...]
    secrets: int = 0
    notes: tuple[str, ...] = ()
    differs_is: int = 0
    components: tuple[ComponentRow, ...] = ()
    alerts: Alerts | None = None

    def rows(self, detail: bool) -> list[tuple[str, ...]]:
        """The cells of every row; where there are components too, the second cell says which is what."""
        services = [row.cells(detail) for row in self.services]
        if self.components:
            services = [(name, "service", *cells) for name, *cells in services]
        return [*services, *(row.cells(detail) for row in self.components)]

    def text(self, *, detail: bool = False) -> str:
        """A row for each service and each component, then the notes."""
        rows = columns(self.rows(detail)) or ["no services yet: {mlox} up mlflow"]
        rows += [f"  {row.name}: {row.note}" for row in self.services if row.note and not detail]
        rows += [f"  {row.name}: {row.note}" for row in self.components if row.note]
        return "\n".join([*rows, *self.told(detail), *self.notes])

    def told(self, detail: bool) -> list[str]:
        """The lines about secrets and alerts."""
        counted = [f"secrets: {self.secrets}, hidden in outputs"] if self.secrets else []
        return [*counted, *(self.alerts.lines(detail=detail) if self.alerts else ())]

    def to_json(self) -> dict[str, Any]:
        """The object of INTERFACE: services, components, alerts."""
        return {
            "services": [asdict(row) for row in self.services],
            "components": [asdict(row) for row in self.components],
            "alerts": self.alerts.to_json() if self.alerts else None,
        }

    @property
    def exit_code(self) -> int:
        """``differs_is``: 0, since looking is no failure, or 4 where it was asked for."""
        return self.differs_is


@dataclass(frozen=True, slots=True, repr=False)
class Planned(Value):
    """A plan that was only made. ``by`` are the words that carry it out with its digest; empty where none do."""

    plan: Plan
    differs_is: int = 0
    notes: tuple[str, ...] = ()
    by: str = "up"

    def text(self, *, detail: bool = False) -> str:
        """The actions, a line each, and in detail the digest for ``up --plan``."""
        lines = [*_plan_lines(self.plan, detail), *self.notes]
        if detail and self.plan and self.by:
            lines.append(f"carry it out: {{mlox}} {self.by} --plan {self.plan.digest}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The plan's own object."""
        return self.plan.to_json()

    @property
    def exit_code(self) -> int:
        """``differs_is`` where there is something to do."""
        return self.differs_is if self.plan else 0


@dataclass(frozen=True, slots=True, repr=False)
class Deployed(Value):
    """What ``up`` or ``down`` did: the plan, and the services afterwards."""

    plan: Plan
    services: tuple[ServiceRow, ...]
    notes: tuple[str, ...] = ()

    def text(self, *, detail: bool = False) -> str:
        """The services, a line each, then what was written and what comes next."""
        first = [] if self.plan.actions else ["nothing to do"]
        rows = columns([row.cells(detail) for row in self.services]) if self.services else []
        return "\n".join([*first, *rows, *self.notes])

    def to_json(self) -> dict[str, Any]:
        """The object of INTERFACE: digest, actions, services."""
        return {**self.plan.to_json(), "services": [asdict(row) for row in self.services]}


@dataclass(frozen=True, slots=True, repr=False)
class Table(Value):
    """Rows of text below a heading. ``detailed`` names columns that are only for a terminal or HTML."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    json: Mapping[str, Any]
    detailed: frozenset[str] = frozenset()
    empty: str = "none"
    notes: tuple[str, ...] = ()
    code: int = 0

    def text(self, *, detail: bool = False) -> str:
        """Aligned columns."""
        kept = [i for i, name in enumerate(self.heading) if detail or name not in self.detailed]
        body = columns([[row[i] for i in kept] for row in self.rows]) if self.rows else [self.empty]
        return "\n".join([*body, *self.notes])

    def to_json(self) -> dict[str, Any]:
        """As it was given."""
        return dict(self.json)

    @property
    def exit_code(self) -> int:
        """As it was given."""
        return self.code


@dataclass(frozen=True, slots=True, repr=False)
class Notice(Value):
    """Some lines, further lines in detail, and a JSON object. ``code`` is the exit code."""

    lines: tuple[str, ...]
    json: Mapping[str, Any]
    details: tuple[str, ...] = ()
    code: int = 0
    verbatim: bool = False
    waits: bool = False

    def text(self, *, detail: bool = False) -> str:
        """The lines."""
        return "\n".join((*self.lines, *(self.details if detail else ())))

    def to_json(self) -> dict[str, Any]:
        """As it was given."""
        return dict(self.json)

    @property
    def exit_code(self) -> int:
        """As it was given."""
        return self.code


def shown(value: Value, front: Front, *, detail: bool) -> str:
    """The text of a value in the words of a front end."""
    text = value.text(detail=detail)
    return text if value.verbatim else addressed(text, front)


def addressed(text: str, front: Front) -> str:
    """``text`` in the words of a front end.

    Example:
        >>> addressed("next: {use:tracking:mlflow}", "notebook")
        'next: tracking = %mlox use mlflow'
        >>> addressed("again: {mlox} up", "shell")
        'again: mlox up'
    """
    use = r"\1 = %mlox use \2" if front == "notebook" else r"mlox run \2 -- COMMAND    in a notebook: \1 = %mlox use \2"
    text = re.sub(r"\{use:([a-z_]+):([a-z0-9-]+)\}", use, text)
    return text.replace("{mlox}", "%mlox" if front == "notebook" else "mlox")


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with aligned columns, two spaces apart.

    Example:
        >>> columns([["a", "running"], ["longer", "stopped"]])
        ['a       running', 'longer  stopped']
    """
    width = max((len(row) for row in rows), default=0)
    widths = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(width)]
    return ["  ".join(cell.ljust(widths[i]) for i, cell in enumerate(row)).rstrip() for row in rows]


def plan_rows(plan: Plan, *, detail: bool) -> list[tuple[str, str, str, str]]:
    """For each action what happens, to what, where and why; without detail also without ports and secret versions."""
    rows: list[tuple[str, str, str, str]] = []
    for action in plan.actions:
        label = action.service if action.unit == "server" else f"{action.service}.{action.unit}"
        told = [*action.reasons] if detail else [r for r in map(steady, action.reasons) if r.before != r.after]
        why = ", ".join(map(str, told)) or goes(action) or action.about.version
        rows.append((action.kind, label, action.server, why))
    return rows


def steady(reason: Reason) -> Reason:
    """A reason as it is on every run: ``postgres`` for ``postgres at port 5432``, no ports, no versions of secrets."""
    if reason.field.startswith("ports."):
        return Reason(reason.field, None, None)
    if reason.field.startswith("secrets."):
        both = reason.before and reason.after
        return Reason(reason.field, "old" if both else None, "new" if both else None)
    before, after = ((side or "").partition(" at port ")[0] or None for side in (reason.before, reason.after))
    return Reason(reason.field, before, after) if reason.field.startswith("needs.") else reason


def _plan_lines(plan: Plan, detail: bool) -> list[str]:
    """The plan's own lines in detail; else without the ports that its reasons name."""
    if detail:
        return str(plan).splitlines()
    rows = columns(plan_rows(plan, detail=False)) if plan else ["nothing to do"]
    return [*rows, *(f"{name} runs but is not in mlox.yaml (stop it: {{mlox}} up --prune)" for name in plan.unlisted)]
