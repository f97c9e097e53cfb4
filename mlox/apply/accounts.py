"""What a service has in its accounts at others, such as tables in PostgreSQL: saved with it, brought back with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mlox.apply.granting import grant, running, there_is
from mlox.apply.running import Run
from mlox.apply.seams import Seams
from mlox.apply.streaming import into, out_of
from mlox.grants import Grant
from mlox.protocols import Event
from mlox.secret import Secret
from mlox.units import Unit
from mlox.variables import references


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a service, whose content can be saved.

    Attributes:
        unit: one of the service's. ``grant``: what it was given.
    """

    unit: Unit
    grant: Grant

    def __str__(self) -> str:
        return str(self.grant)

    def saved(self, seams: Seams) -> Iterator[bytes]:
        """What is in it, part by part, while its provider runs.

        Raises:
            ServiceError: the provider does not run, or refused.
        """
        there = running(self.unit, self.grant, seams)
        backend = seams.backends[there.server]
        return out_of(there, self._command(self.grant.copies.save if self.grant.copies else ()), backend, ())

    def give(self, data: Iterable[bytes], run: Run) -> None:
        """Open the account, and put what was saved in the place of what is in it.

        Raises:
            ServiceError: the provider does not run, or refused.
        """
        grant(self.unit, run.secrets_of(self.unit), run.seams, run.emit, cancel=run.cancel)
        there = running(self.unit, self.grant, run.seams)
        run.emit(Event(self.unit.service, f"bringing {self.grant} back"))
        command = self._command(self.grant.copies.load if self.grant.copies else ())

        def held() -> Sequence[Secret]:
            return [*run.secrets_of(self.unit).values(), *run.secrets_of(there).values()]

        into(there, command, data, run.seams.backends[there.server], held)

    def is_there(self, seams: Seams) -> bool:
        """Whether its provider runs, so that it can be saved."""
        there = there_is(self.unit, self.grant, seams)
        return there is not None and there.state != "stopped"

    def _command(self, argv: Sequence[str]) -> tuple[str, ...]:
        """The command with the names of the account in its environment; secrets are not among them."""
        names = [f"{key}={text}" for key, text in self.grant.environment if not list(references(text))]
        return ("env", *names, *argv)


def accounts_of(units: Iterable[Unit]) -> dict[str, Account]:
    """The accounts of a service whose content can be saved, by the need that each meets."""
    given = ((unit, grant) for unit in units for grant in unit.grants)
    return {grant.need: Account(unit, grant) for unit, grant in given if grant.copies and grant.copies.save}
