"""Verbs that save services, bring them back, and change their versions: backup, restore, upgrade, rollback."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

from mlox.errors import Cancelled, LockedError, MloxError, PartialError, UsageError
from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.specs import StackSpec
    from mlox.stack.restoring import RestorePlan
    from mlox.values.saved import Restored

Place = Annotated[str | None, "where backups are: a folder, or s3://BUCKET/PREFIX; else as mlox.yaml says"]


@verb("backup", group="stack")
def backup(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services; none means all that keep data"] = (),
    *,
    to: Place = None,
    keep: Annotated[int | None, "how many backups of each service stay; older ones are removed"] = None,
    list_: Annotated[bool, "list the backups that there are, and make none"] = False,
) -> Value:
    """Save the data and the passwords of services, sealed for everybody who can read the vault.

    A service that cannot be saved while it runs stops meanwhile, and so does what needs it. Each backup is read back
    before it counts.
    """
    from mlox.values.saved import SavingPlanned

    stack = ctx.stack()
    stack.workspace.read()
    if list_:
        if keep is not None:
            raise UsageError("--list makes no backup, and removes none", hint="Leave --keep out.")
        return stack.backups(*names, place=to)
    if keep is not None and keep < 1:
        raise UsageError(f"--keep takes a number from 1 on, not {keep}", hint="Leave it out to keep all.")
    planned = stack.plan_backup(*names, place=to)
    if ctx.dry_run:
        return SavingPlanned(planned)
    return stack.backup(*names, place=to, keep=keep, emit=ctx.emit)


@verb("restore", group="stack")
def restore(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services, NAME or NAME@BACKUP: an id or its beginning; else the latest"] = (),
    *,
    from_: Place = None,
    as_: Annotated[str | None, "bring it back under this name, beside what is there"] = None,
    unverified: Annotated[bool, "do not ask the service whether it holds what it held when it was saved"] = False,
) -> Value:
    """Bring services back as they were when they were saved, with their passwords.

    What is there now is kept until the other runs and holds what it held; where that fails, it is as it was. Several
    are brought back one after the other, those that others need first.
    """
    from mlox.values.saved import RestoredAll

    if not names:
        raise UsageError("restore needs the name of a service", hint="What there is: mlox backup --list.")
    chosen = dict(_split(name, "BACKUP", "mlox restore postgres") for name in names)
    if as_ is not None and len(chosen) > 1:
        raise UsageError("--as is the name of one service", hint="Restore one after the other.")
    stack = ctx.stack()
    spec = stack.workspace.read()
    planned = [
        stack.plan_restore(name, backup=chosen[name], place=from_, as_=as_) for name in _providers_first(spec, chosen)
    ]
    if ctx.dry_run:
        return planned[0].value if len(planned) == 1 else RestoredAll(tuple(one.value for one in planned))
    _confirm(ctx, planned, spec.name)
    done: list[Restored] = []
    for one in planned:
        name, identity = one.backup.service, one.backup.id
        try:
            again = stack.restore(name, backup=identity, place=from_, as_=as_, verify=not unverified, emit=ctx.emit)
        except (Cancelled, LockedError):
            raise
        except MloxError as error:
            if not done:
                raise
            told = f"reached: {', '.join(each.name for each in done)}; failed: {name}\n{error.problem}"
            raise PartialError(told, hint=error.hint, failures=[(name, error)]) from error
        done.append(again)
    return done[0] if len(done) == 1 else RestoredAll(tuple(done))


def _confirm(ctx: Context, planned: Sequence[RestorePlan], answer: str) -> None:
    """Ask before data is replaced."""
    sizes = {one.name: one.replaces for one in planned if one.replaces is not None}
    if sizes:
        ids = ", ".join(one.backup.id for one in planned if one.name in sizes)
        told = ", ".join(f"{name} ({size / 1e6:.1f} MB)" for name, size in sizes.items())
        by = "that of the backup" if len(sizes) == 1 else "those of the backups"
        ctx.confirm(f"This replaces the data of {told} by {by} {ids}.", answer=answer)


def _providers_first(spec: StackSpec, names: Iterable[str]) -> list[str]:
    """The names, those that others of them need first; what is not written any more comes last."""
    from mlox.resolve import order

    written = order({name: service.needs for name, service in spec.services.items()})
    return sorted(names, key=lambda name: written.index(name) if name in written else len(written))


@verb("upgrade", group="stack")
def upgrade(
    ctx: Context,
    name: Annotated[str, "the service, NAME or NAME@VERSION; else the version of the catalog"],
    *,
    to: Place = None,
    no_backup: Annotated[bool, "do not save it first"] = False,
) -> Value:
    """Give a service a newer version, with the data that it has; where that fails, it goes back by itself.

    It is saved first. Data that another major version cannot read goes by the service's own dump, and is compared.
    """
    from mlox.stack.changing_versions import told

    service, version = _split(name, "VERSION", "mlox upgrade postgres@17")
    stack = ctx.stack()
    stack.workspace.read()
    planned = stack.plan_upgrade(service, version)
    if ctx.dry_run or planned.before == planned.after:
        return told(planned)
    size = f"{planned.size_bytes / 1e6:.1f} MB of data" if planned.size_bytes else "it"
    stops = ", ".join(planned.stops)
    ctx.confirm(f"This stops {stops} while {size} of {service} go from {planned.before} to {planned.after}.")
    return stack.upgrade(service, planned.after, backup=not no_backup, place=to, emit=ctx.emit)


@verb("rollback", group="stack")
def rollback(ctx: Context, name: Annotated[str, "the service"], *, from_: Place = None) -> Value:
    """Go back to the version before, with the data of then: the latest backup of another version.

    What the service holds now is saved first.
    """
    from mlox.stack.changing_versions import told

    stack = ctx.stack()
    spec = stack.workspace.read()
    planned = stack.plan_rollback(name, place=from_)
    if ctx.dry_run:
        return told(planned)
    ctx.confirm(
        f"This puts {name} back from {planned.before} to {planned.after}, with the data of then; "
        "what was written since is only in a backup.",
        answer=spec.name,
    )
    return stack.rollback(name, place=from_, emit=ctx.emit)


def _split(word: str, what: str, example: str) -> tuple[str, str | None]:
    """``NAME`` or ``NAME@WHAT``.

    Raises:
        UsageError: one of them is empty.
    """
    name, at, rest = word.partition("@")
    if not name or (at and not rest):
        raise UsageError(f"{word!r} is not NAME or NAME@{what}", hint=f"For example: {example}.")
    return name, rest or None
