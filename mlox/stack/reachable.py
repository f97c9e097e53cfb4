"""The surroundings of somebody who goes on looking while a server is away: what is there, and who does not answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property

from mlox.errors import MloxError, UnknownNameError
from mlox.protocols import Observed
from mlox.stack.operations import users_secrets
from mlox.stack.rows import service_rows
from mlox.stack.surroundings import Surroundings
from mlox.values import Status


@dataclass(frozen=True)
class Reachable(Surroundings):
    """The same surroundings; a server that does not answer has no units, and is in :attr:`away`."""

    @classmethod
    def within(cls, around: Surroundings) -> Reachable:
        """The same, looked at patiently."""
        return cls(**{field.name: getattr(around, field.name) for field in fields(around)})

    @cached_property
    def _looked(self) -> tuple[Mapping[str, tuple[Observed, ...]], Mapping[str, str]]:
        seen, away = {}, {}
        for server, backend in self.backends.items():
            try:
                seen[server] = backend.observe(self.spec.id) if self.spec.id is not None else ()
            except MloxError as error:
                away[server] = error.problem
        return seen, away

    @property
    def away(self) -> Mapping[str, str]:
        """Why a server does not answer, by its name."""
        return self._looked[1]

    @cached_property
    def everything(self) -> tuple[Observed, ...]:
        """What there is of this stack on the servers that answer, each unit once."""
        seen = [o for found in self._looked[0].values() for o in found]
        return tuple({(o.unit.server, o.key): o for o in seen}.values())

    def lost(self, name: str) -> str:
        """Why nothing is known of a service; empty where something is, or where its server answers."""
        written = self.spec.services.get(name)
        if written is None or any(o.service == name for o in self.observed.values()):
            return ""
        return self.away.get(written.server, "")

    def check_names(self, names: tuple[str, ...]) -> None:
        """Refuse a name that nothing has.

        Raises:
            UnknownNameError: there is no service of a name.
        """
        known = {*self.spec.services, *(o.service for o in self.observed.values())}
        for name in names:
            if name not in known:
                raise UnknownNameError.among("service", name, known, where=f"{self.spec.name}: ")


def patient_status(around: Surroundings, names: tuple[str, ...]) -> Status:
    """How services stand; without names, all.

    Raises:
        UnknownNameError: there is no service of a name.
    """
    there = Reachable.within(around)
    there.check_names(names)
    try:
        rows = service_rows(there, names or None)
    except MloxError:  # a server answered a moment ago: the next look knows that it is away
        there = Reachable.within(around)
        rows = service_rows(there, names or None)
    lost = {row.name: there.lost(row.name) for row in rows}
    told = (replace(row, status="unreachable", note=lost[row.name]) if lost[row.name] else row for row in rows)
    return Status(there.spec.name, tuple(told), len(users_secrets(there)) if there.spec.id else 0)
