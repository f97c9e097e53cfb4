"""What every part of the native back end works with: the data home, the transport, and as whom units run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mlox.backends.native.layout import Place
from mlox.protocols import Transport
from mlox.units import Unit

if TYPE_CHECKING:
    from mlox.backends.native.account import Account
    from mlox.backends.native.interpreter import Interpreter
    from mlox.backends.native.supervisor import Supervisor


class Site:
    """A machine as one user's native units see it. Making one touches nothing."""

    def __init__(self, home: Path, transport: Transport, server: str, clock: Callable[[], float]) -> None:
        self.home = home.absolute()
        self.transport = transport
        self.server = server
        self.clock = clock
        self.aborts = 0
        self._lock = threading.Lock()
        self._account: Account | None = None
        self._interpreter: Interpreter | None = None

    def place(self, stack: str) -> Place:
        """Where a stack's files lie."""
        return Place(self.home, stack)

    def supervisor(self, place: Place) -> Supervisor:
        """The supervisor of a stack."""
        from mlox.backends.native.supervisor import Supervisor

        return Supervisor(place, self.transport)

    def account(self) -> Account:
        """The account that units run as, created where it has to be."""
        from mlox.backends.native import account

        with self._lock:
            if self._account is None:
                self._account = account.ensure(self.transport)
            return self._account

    def runs_as(self, unit: Unit) -> Account:
        """The account that a unit runs as: a watcher is mlox itself, and does what its user may do."""
        from mlox.backends.native import account

        return account.ours() if unit.watches else self.account()

    def interpreter(self) -> Interpreter:
        """The Python that the account may execute."""
        from mlox.backends.native import interpreter

        runs_as = self.account()
        with self._lock:
            if self._interpreter is None:
                self._interpreter = interpreter.choose(self.transport, runs_as, self.home)
            return self._interpreter
