"""What an explanation is made from, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mlox.errors import MloxError
from mlox.protocols import Ending, Findings, Health, Observed


@dataclass(frozen=True, slots=True)
class Sight:
    """One unit, closely looked at. ``log`` are its last lines, secrets masked."""

    seen: Observed
    health: Health
    findings: Findings = field(default_factory=Findings)
    log: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether it runs and answers."""
        return self.seen.state in ("running", "starting") and self.health.healthy

    @property
    def last(self) -> Ending | None:
        """How its process ended last."""
        return self.findings.endings[-1] if self.findings.endings else None


@dataclass(frozen=True, slots=True)
class Wire:
    """A need of the service: who meets it, how that one stands, since which line of ``mlox.yaml``.

    ``others`` are services of the stack that offer the same and are not used; ``through`` is a forwarder on the way.
    """

    need: str
    provider: str
    status: str = ""
    line: int | None = None
    others: tuple[str, ...] = ()
    through: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of one service.

    Attributes:
        service: its name in the catalog. ``server``: where it runs, or would.
        listed: it stands in ``mlox.yaml``. ``refusal``: what planning its start says against it.
        differs: what ``mlox.yaml`` says otherwise than what runs, as reasons of a plan.
        wires: its needs. ``users``: who needs it, as ``name (need)``.
        lost: secrets that it was started with and that no store has any more.
        unread: why its log cannot be shown.
    """

    name: str
    sights: tuple[Sight, ...] = ()
    service: str = ""
    server: str = "local"
    listed: bool = True
    refusal: MloxError | None = None
    differs: tuple[str, ...] = ()
    wires: tuple[Wire, ...] = ()
    users: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    unread: str = ""
    disk_free_bytes: int | None = None
    now: float = 0.0

    @property
    def forwards(self) -> tuple[str, ...]:
        """Of a forwarder: the provider, and the server whose containers reach it by this way."""
        return self.sights[0].seen.unit.forwards if self.sights else ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is the matter.

    Attributes:
        cause: one word for tools. ``problem``: the failure in sentences that are the same on every run.
        detail: ports, processes, times. ``evidence``: lines of the log. ``step``: the one next thing to do.
    """

    cause: str
    problem: str
    detail: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    step: str = ""
    well: bool = field(default=False, kw_only=True)

    def noting(self, *sentences: str) -> Diagnosis:
        """The same with more sentences."""
        return replace(self, problem=" ".join((self.problem, *sentences)))
