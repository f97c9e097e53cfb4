"""Verbs that save services, bring them back, and change their versions: backup, restore, upgrade, rollback."""

from __future__ import annotations

from typing import Annotated

from mlox.errors import UsageError
from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

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
    name: Annotated[str, "the service, NAME or NAME@BACKUP: an id or its beginning; else the latest"],
    *,
    from_: Place = None,
    as_: Annotated[str | None, "bring it back under this name, beside what is there"] = None,
    unverified: Annotated[bool, "do not ask the service whether it holds what it held when it was saved"] = False,
) -> Value:
    """Bring a service back as it was when it was saved, with its passwords.

    What is there now is kept until the other runs and holds what it held; where that fails, it is as it was.
    """
    service, identity = _split(name, "BACKUP", "mlox restore postgres")
    stack = ctx.stack()
    spec = stack.workspace.read()
    planned = stack.plan_restore(service, backup=identity, place=from_, as_=as_)
    if ctx.dry_run:
        return planned.value
    if planned.replaces is not None:
        size = f"{planned.replaces / 1e6:.1f} MB"
        question = f"This replaces the data of {planned.name} ({size}) by that of the backup {planned.backup.id}."
        ctx.confirm(question, answer=spec.name)
    return stack.restore(service, backup=planned.backup.id, place=from_, as_=as_, verify=not unverified, emit=ctx.emit)


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
