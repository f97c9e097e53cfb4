"""How the data of a service gets from one server to another: what each side does, and what it notes meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from mlox.units import Unit


@dataclass(frozen=True, slots=True)
class Passage:
    """A service between two servers, as one of them has noted it.

    Attributes:
        role: what it does here: it is ``leaving``; it is ``arriving``, and may be incomplete; it has ``arrived``,
            complete and seen to be well; or its data is ``restoring`` from a backup, and may be incomplete.
        other: the server at the other end, by its name; of a restore ``kept`` where what was there is kept, else empty.
        stopped: the services that were stopped meanwhile.
    """

    service: str
    role: Literal["leaving", "arriving", "arrived", "restoring"]
    other: str
    stopped: tuple[str, ...] = ()


class Carrying(Protocol):
    """What hands data over and takes it in: a part of every back end. Every call may be made again after a kill."""

    def note_passage(self, stack: str, passage: Passage) -> None:
        """Note that a service is on its way, in place of what was noted of it before; a purge forgets it too."""

    def passages(self, stack: str) -> tuple[Passage, ...]:
        """What is noted, in the order of names."""

    def forget_passage(self, stack: str, service: str) -> None:
        """Forget what is noted of a service; does nothing where nothing is."""

    def data_size(self, units: Sequence[Unit]) -> int:
        """How many bytes the data of ``units``, all of one service, takes; counts all of it."""

    def data_out(self, units: Sequence[Unit]) -> Iterator[bytes]:
        """The data of ``units``, all of a service that is stopped or was never started, as an archive, part by part.

        See :mod:`mlox.archives`. It has a folder for each folder of data by its name, also where several units share
        it; names in bytes, modes, times, links. Sockets are left out.

        Raises:
            ServiceError: a unit of it runs, or something in it cannot be carried.
        """

    def data_in(self, units: Sequence[Unit], chunks: Iterable[bytes], *, done: Collection[str]) -> None:
        """Put the data of an archive where ``units``, all of one service, find it when they start.

        It belongs to the account that they run as, and lies safely on the disk afterwards; nothing runs. It is data of
        the service like any other: a purge of its units removes it, also before they were ever started.

        Args:
            done: the names of their ``init`` jobs that were done where the data comes from.

        Raises:
            ServiceError: the archive is cut off, or there is data of the service here already; that stays as it is.
            RequirementError: there is no room.
        """

    def data_gone(self, units: Sequence[Unit]) -> None:
        """Remove the data of ``units``, all of one service that does not run; which jobs were done is forgotten too.

        What :meth:`Undoing.keep` has kept stays, and so do volumes that belong to somebody else.

        Raises:
            ServiceError: a unit of it runs.
        """
