"""What a stack answers once it runs: a part of :class:`~mlox.stack.stack.Stack`.

Each call loads what it alone needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mlox.protocols import Emit, Write, silent
from mlox.stack.surroundings import Surroundings
from mlox.workspace import Workspace

if TYPE_CHECKING:
    from mlox.moves import Move
    from mlox.stack.adopting import Adoption
    from mlox.stack.drifting import Drifted
    from mlox.stack.findings import Checked
    from mlox.stack.moved import Moved
    from mlox.stack.remembering import History
    from mlox.stack.server import Server


class DayTwo:
    """The calls for a stack that is in use; each reads what is there."""

    workspace: Workspace

    @property
    def id(self) -> str | None:
        """What identifies it on servers."""
        raise NotImplementedError

    _profile: str | None

    def surroundings(self) -> Surroundings:
        """What a plan depends on, read now."""
        raise NotImplementedError

    def check(self, *names: str) -> Checked:
        """What is wrong with what is written; ``.findings`` are a record each. Touches nothing, asks no server."""
        from mlox.stack.checking import check

        return check(self.workspace, names, profile=self._profile)

    def drift(self, *names: str) -> Drifted:
        """How what runs differs from what is written, and from how it was made; ``.differences`` are a record each.

        Raises:
            UnknownNameError: there is no service of a name.
        """
        from mlox.stack.drifting import drift

        return drift(self.surroundings(), names)

    def adopt(self, *names: str, dry_run: bool = False, emit: Emit = silent) -> Adoption:
        """Write into ``mlox.yaml`` what runs, so that ``plan`` has nothing to do; touches no machine.

        Args:
            names: services, also stopped ones; none means all that run.

        Raises:
            UnknownNameError: there is no such service, or the catalog does not know what it is.
            MloxError: what runs cannot be written.
        """
        from mlox.locks import Hold
        from mlox.stack.adopting import adoption, write
        from mlox.stack.holding import hold_here

        found = adoption(self.surroundings(), names)
        if dry_run or not found:
            return found
        with Hold(self.id or "", emit=emit) as hold:
            hold_here(hold, self.workspace)
            found = adoption(self.surroundings(), names)
            write(self.workspace, found)
        return found

    def history(self, name: str | None = None, *, limit: int | None = None) -> History:
        """What was done to the stack, or to one service, the latest first; ``.entries`` are a record each.

        It is kept on the servers: a colleague sees the same.
        """
        from mlox.stack.remembering import history

        return history(self.surroundings(), name, limit=limit)

    def _held(self, *, emit: Emit = silent) -> AbstractContextManager[Surroundings]:
        raise NotImplementedError

    def exec(
        self,
        name: str,
        argv: Sequence[str],
        *,
        unit: str | None = None,
        input: int | None = None,
        write: Write | None,
    ) -> int:
        """Run a command inside a service, with its environment; returns the exit code.

        Args:
            unit: which one, where it has several. ``input``: the file descriptor that the command reads from.
            write: gets what it writes, secrets masked. None: it has the terminal of this process.

        Raises:
            UnknownNameError: there is no such service, or no such unit of it.
            UsageError: it has several units. ServiceError: it does not run.
        """
        from mlox.stack.executing import execute

        return execute(self.surroundings(), name, argv, unit=unit, input=input, write=write)

    def running_unit(self, name: str, unit: str | None = None) -> str:
        """The unit that :meth:`exec` means, as ``service.unit``."""
        from mlox.stack.executing import running_unit

        return running_unit(self.surroundings(), name, unit).key

    def plan_move(self, name: str, to: Server | str, *, version: str | None = None) -> Move | None:
        """What :meth:`move` would do; None where the service is there already. Touches nothing.

        Raises:
            UsageError, RequirementError, SpecError: it cannot move, or not there.
        """
        from mlox.stack.movable import looked, plan_move

        target = to if isinstance(to, str) else to.name
        return plan_move(looked(self.surroundings(), name, target), name, target, version)

    def move(self, name: str, to: Server | str, *, version: str | None = None, emit: Emit = silent) -> Moved:
        """Move a service with its data to another server of this machine, and wire its consumers anew.

        Args:
            version: the version that it has there; by default the one that is published, or installed, of its major.

        Raises:
            RolledBackError: it failed; the service runs where it was, with its data.
            MloxError: it could not begin; nothing was changed.
        """
        from mlox.stack.movable import looked
        from mlox.stack.moving import move_service

        target = to if isinstance(to, str) else to.name
        with self._held(emit=emit) as around:
            return move_service(looked(around, name, target), name, target, version, emit=emit)
