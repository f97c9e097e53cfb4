"""The surroundings of somebody who goes on looking while a server is away: what is there, and who does not answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

from mlox.errors import MloxError, UnknownNameError
from mlox.protocols import Backend, Observed
from mlox.stack.surroundings import Surroundings


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

    def backend_of(self, seen: Observed) -> Backend:
        """The back end that a unit is on."""
        return self.backends[seen.unit.server]

    def check_names(self, names: tuple[str, ...]) -> None:
        """Refuse a name that nothing has.

        Raises:
            UnknownNameError: there is no service of a name.
        """
        known = {*self.spec.services, *(o.service for o in self.observed.values())}
        for name in names:
            if name not in known:
                raise UnknownNameError.among("service", name, known, where=f"{self.spec.name}: ")
