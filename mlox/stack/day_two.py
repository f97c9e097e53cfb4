"""What a stack answers once it runs: a part of :class:`~mlox.stack.stack.Stack`.

Each call loads what it alone needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlox.protocols import Emit, Write, silent
from mlox.stack.watchable import Watchable

if TYPE_CHECKING:
    from mlox.backups import BackupPlan
    from mlox.moves import Move
    from mlox.stack.adopting import Adoption
    from mlox.stack.drifting import Drifted
    from mlox.stack.findings import Checked
    from mlox.stack.moved import Moved
    from mlox.stack.remembering import History
    from mlox.stack.restoring import RestorePlan
    from mlox.stack.server import Server
    from mlox.stack.upgrading import UpgradePlan
    from mlox.values.saved import Restored, Saved, Upgraded


class DayTwo(Watchable):
    """The calls for a stack that is in use; each reads what is there."""

    @property
    def id(self) -> str | None:
        """What identifies it on servers."""
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

    def backups(self, *names: str, place: str | None = None) -> Saved:
        """The backups that there are, the latest first; ``.backups`` are a record each.

        Args:
            names: of these services; none means all. ``place``: a folder, or ``s3://BUCKET/PREFIX``.

        Raises:
            BackupError: the place cannot be read.
        """
        from mlox.stack.shelves import listed

        return listed(self.surroundings(), names, place)

    def plan_backup(self, *names: str, place: str | None = None) -> BackupPlan:
        """What :meth:`backup` would do; touches nothing.

        Raises:
            UsageError: there is nothing to save.
        """
        from mlox.stack.saving import plan_backup
        from mlox.stack.shelves import shelf_of

        around = self.surroundings()
        return plan_backup(around, names, shelf_of(around, place))

    def backup(self, *names: str, place: str | None = None, keep: int | None = None, emit: Emit = silent) -> Saved:
        """Save the data and the passwords of services, sealed for everybody who can read the vault.

        Args:
            names: none means all that keep data. ``keep``: how many of each stay; older ones are removed.

        Raises:
            MloxError: it could not be saved; what ran runs again, and nothing half is left.
        """
        from mlox.stack.saving import back_up
        from mlox.stack.shelves import shelf_of
        from mlox.values.saved import Saved

        with self._held(emit=emit) as around:
            shelf = shelf_of(around, place)
            made = back_up(around, names, shelf, keep=keep or around.spec.backups.keep, emit=emit)
        return Saved(made, shelf.store.where, made=True)

    def plan_restore(
        self, name: str, *, backup: str | None = None, place: str | None = None, as_: str | None = None
    ) -> RestorePlan:
        """What :meth:`restore` would do; touches nothing.

        Raises:
            BackupError: there is no backup. UsageError, RequirementError: it cannot be brought back there.
        """
        from mlox.stack.restoring import plan_restore
        from mlox.stack.shelves import chosen, shelf_of

        around = self.surroundings()
        shelf = shelf_of(around, place)
        return plan_restore(around, chosen(shelf.store, self.id or "", name, backup), as_ or name, shelf)

    def restore(
        self,
        name: str,
        *,
        backup: str | None = None,
        place: str | None = None,
        as_: str | None = None,
        verify: bool = True,
        emit: Emit = silent,
    ) -> Restored:
        """Bring a service back as it was when it was saved, with its passwords.

        Args:
            backup: an id, or its beginning; by default the latest. ``as_``: another name, beside what is there.
            verify: whether it has to hold what it held when it was saved.

        Raises:
            RolledBackError: it failed; the service is as it was, with its data.
            MloxError: it could not begin, or nothing was there before.
        """
        from mlox.stack.restoring import plan_restore, restore_service
        from mlox.stack.shelves import chosen, shelf_of

        with self._held(emit=emit) as around:
            shelf = shelf_of(around, place)
            plan = plan_restore(around, chosen(shelf.store, self.id or "", name, backup), as_ or name, shelf)
            return restore_service(around, plan, shelf, verify=verify, emit=emit)

    def plan_upgrade(self, name: str, version: str | None = None) -> UpgradePlan:
        """What :meth:`upgrade` would do; touches nothing.

        Raises:
            UsageError, RequirementError, SpecError: it cannot get that version.
        """
        from mlox.stack.upgrading import plan_upgrade

        return plan_upgrade(self.surroundings(), name, version)

    def upgrade(
        self,
        name: str,
        version: str | None = None,
        *,
        backup: bool = True,
        place: str | None = None,
        emit: Emit = silent,
    ) -> Upgraded:
        """Give a service another version, with the data that it has; on failure it goes back by itself.

        Args:
            version: by default the one of the catalog, or of the program that the server has.
            backup: whether it is saved first. ``place``: where to.

        Raises:
            RolledBackError: it failed; the service runs in its old version, with its data.
            MloxError: it could not begin.
        """
        from mlox.stack.changing_versions import upgrade
        from mlox.stack.shelves import shelf_of

        with self._held(emit=emit) as around:
            return upgrade(around, name, version, shelf_of(around, place), backup=backup, emit=emit)

    def plan_rollback(self, name: str, *, place: str | None = None) -> UpgradePlan:
        """What :meth:`rollback` would do; touches nothing.

        Raises:
            BackupError: there is no backup of another version.
        """
        from mlox.stack.shelves import shelf_of
        from mlox.stack.upgrading import plan_rollback

        around = self.surroundings()
        return plan_rollback(around, name, shelf_of(around, place).store)

    def rollback(self, name: str, *, place: str | None = None, emit: Emit = silent) -> Upgraded:
        """Save what a service holds, then bring back the version before, with the data of then.

        Raises:
            RolledBackError: it failed; the service is as it was. MloxError: it could not begin.
        """
        from mlox.stack.changing_versions import rollback
        from mlox.stack.shelves import shelf_of

        with self._held(emit=emit) as around:
            return rollback(around, name, shelf_of(around, place), emit=emit)
