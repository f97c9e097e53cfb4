"""How a change of a service is undone: what a server keeps of it meanwhile, and what it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mlox.leases import Holder
from mlox.units import Unit


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a service while it is changed, or was brought back.

    Attributes:
        units: as they ran.
        data: whether its data is among it; ``note`` says why not, where it should be.
        aside: where the data of what failed lies now.
    """

    units: tuple[Unit, ...] = ()
    data: bool = False
    note: str = ""
    aside: str = ""


class Undoing(Protocol):
    """What takes a service back to how it was: a part of every back end. Every call may be made again after a kill."""

    def keep(self, stack: str, service: str, *, data: bool) -> Kept:
        """Stop a service, and keep its units and, with ``data``, a copy of its data, where there is room for one.

        What an earlier change that was not settled has kept stays, since that is what ran well.

        Raises:
            ServiceError: a process cannot be ended.
        """

    def take_back(self, stack: str, service: str) -> Kept:
        """Stop a service and put what was kept in its place, ready to be started; the data of what failed is put aside.

        Does nothing where nothing was kept. That it came back has to be settled as well.
        """

    def settle(self, stack: str, service: str) -> None:
        """Forget what was kept: the change, or the way back, has succeeded; a change also ends what was put aside."""

    def recover(self, stack: str) -> None:
        """Finish what a killed process left half done here, and remove what it was just writing; it starts nothing."""

    def at_rest(self, stack: str, holder: Holder) -> bool:
        """Whether nobody but ``holder`` has the stack, and nothing of it is kept, on its way, or half done; only looks.

        Then :meth:`recover` has nothing to do. Where it is not certain, False.
        """
