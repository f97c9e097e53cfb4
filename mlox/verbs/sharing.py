"""Verbs about who can read the vault: share, unshare, join, and the user's own key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlox.errors import UsageError
from mlox.secret import Secret
from mlox.values import Notice, Table, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.protocols import Recipient, Sharing
    from mlox.stack.surroundings import Surroundings


@verb("secrets share", group="secrets")
def share(
    ctx: Context,
    recipient: Annotated[tuple[str, ...], "a public key, or the name of somebody who asked; none: list them"] = (),
    *,
    name: Annotated[str | None, "what to call a public key"] = None,
) -> Value:
    """Let somebody read the secrets of the vault, those that are there and those to come."""
    around = surroundings(ctx)
    sharing = around.vault.sharing
    if not recipient:
        return _listed(sharing)
    found = sharing.find(" ".join(recipient), name)
    called = found.name or found.short
    if ctx.dry_run:
        would = sharing.share(found, dry_run=True)
        line = f"{called} would read: {_told(would.names)}"
        return Notice((line, *_not_read(would.unreadable)), _shared_json(found, would.names, would.unreadable, False))
    agree_to_others(ctx, sharing, besides=found)
    ctx.confirm(f"{called} with the key {found.key} will read every secret of {around.spec.name}'s vault.")
    done = sharing.share(found)
    lines = [f"{called} can read what is in the vault, and what is set from now on"]
    lines += [f"sealed again: {_told(done.names)}"] if done.names else []
    json = _shared_json(found, done.names, done.unreadable, True)
    lines += ["commit .mlox/ for it to reach others", *_not_read(done.unreadable)]
    return Notice(tuple(lines), json, (found.key,), code=3 if done.unreadable else 0)


@verb("secrets unshare", group="secrets")
def unshare(ctx: Context, recipient: Annotated[str, "the name of a recipient, or the public key"]) -> Value:
    """Seal no more secrets for somebody, and tell which ones they could read."""
    around = surroundings(ctx)
    sharing = around.vault.sharing
    found = sharing.find(recipient)
    called = found.name or found.short
    if not ctx.dry_run:
        agree_to_others(ctx, sharing, besides=found)
        ctx.confirm(f"{called} with the key {found.key} will read no secret that is set from now on.")
    leaver = sharing.unshare(found, dry_run=ctx.dry_run)
    lines = [f"{called} {'would be' if ctx.dry_run else 'is'} no recipient any more"]
    if leaver.could_read:
        lines.append(f"{called} could read, and may have kept: {_told(leaver.could_read)}")
    if leaver.newest:
        lines.append(f"change these where they are used, then set them anew: {_told(leaver.newest)}")
    json = {
        "recipient": {"name": found.name, "key": found.key},
        "removed": not ctx.dry_run,
        "could_read": list(leaver.could_read),
        "to_change": list(leaver.newest),
    }
    return Notice(tuple(lines), json, (found.key,))


@verb("secrets join", group="secrets")
def join(
    ctx: Context, *, name: Annotated[str | None, "what to be called; by default the account's name"] = None
) -> Value:
    """Ask to be let into the vault, by a file in the repository."""
    around = surroundings(ctx)
    me, path = around.vault.sharing.join(name, dry_run=ctx.dry_run)
    json = {
        "name": me.name,
        "key": me.key,
        "path": str(path) if path else None,
        "asked": bool(path) and not ctx.dry_run,
    }
    if path is None:
        return Notice((f"you can read this vault already, as {me.name or me.short}",), json)
    where = path.relative_to(around.workspace.root)
    if ctx.dry_run:
        return Notice((f"would write {where}, asking as {me.name}; nothing was written",), json)
    lines = (
        f"{me.name} asks to read the secrets of {around.spec.name}: commit {where}",
        f"then somebody who can read them runs: {{mlox}} secrets share {me.name}",
    )
    return Notice(lines, json, (me.key,))


@verb("secrets key save", group="secrets")
def save_key(ctx: Context, path: Annotated[str, "the file to write"]) -> Value:
    """Save your key to a file that a passphrase opens; age opens it too."""
    sharing = surroundings(ctx).vault.sharing
    json = {"path": path, "saved": not ctx.dry_run}
    if ctx.dry_run:
        return Notice((f"would save your key to {path}; nothing was written",), json)
    passphrase = _passphrase(ctx, "the passphrase")
    if ctx.ask is not None and _passphrase(ctx, "the passphrase again") != passphrase:
        raise UsageError("the two passphrases differ; nothing was written", hint="Run the same command again.")
    sharing.save_key(_path(ctx, path), passphrase)
    return Notice((f"saved your key to {path}", f"on another machine: {{mlox}} secrets key load {path}"), json)


@verb("secrets key load", group="secrets")
def load_key(
    ctx: Context,
    path: Annotated[str, "the file that `secrets key save` wrote"],
    *,
    ssh: Annotated[bool, "it is an ed25519 SSH key, to be used where it is"] = False,
) -> Value:
    """Take your key from a file, beside those that you have."""
    sharing = surroundings(ctx).vault.sharing
    if ctx.dry_run:
        return Notice((f"would take the key from {path}; nothing was written",), {"path": path, "keys": []})
    if ssh:
        public = sharing.load_ssh_key(_path(ctx, path))
        lines: tuple[str, ...] = (f"the SSH key {path} opens what is sealed for it", f"its public half: {public}")
        return Notice(lines, {"path": path, "keys": [public]})
    new = sharing.load_key(_path(ctx, path), lambda: _passphrase(ctx, "the passphrase"))
    line = f"took the key from {path}" if new else f"the key in {path} is there already"
    return Notice((line,), {"path": path, "keys": list(new)}, new)


def surroundings(ctx: Context) -> Surroundings:
    """What is around a stack that has an id, which the places of its secrets are named by."""
    stack = ctx.stack()
    stack.identify()
    return stack.surroundings()


def agree_to_others(ctx: Context, sharing: Sharing, *, besides: Recipient | None = None) -> None:
    """Ask about recipients that changed since the user agreed; ``-y`` alone agrees to nobody new.

    Where nobody can be asked the vault itself refuses the write.

    Raises:
        UsageError: the person does not agree.
    """
    listed, changes = sharing.recipients(), sharing.changes()
    skipped = besides.key if besides else None
    added = [each for each in changes.added if each.key != skipped]
    removed = [each for each in changes.removed if each.key != skipped]
    if not listed or not (added or removed) or (ctx.ask is None and (added or not ctx.yes)):
        return
    for each in added:
        answer = each.name or each.key[-8:]
        other = next((" in place of another key" for old in changes.removed if old.name and old.name == each.name), "")
        question = (
            f"{each.name or 'Somebody'} with the key {each.key} was added to .mlox/recipients{other}, and would read"
        )
        asked = ctx.ask(f"{question} what is set from now on. Type {answer!r} to agree: ") if ctx.ask else ""
        if asked.strip() != answer:
            raise UsageError(
                "nothing was done", hint=f"Take them out: mlox secrets unshare {each.name or repr(each.key)}."
            )
    if removed:
        ctx.confirm(f"{', '.join(map(str, removed))} was taken out of .mlox/recipients.")
    sharing.agree([each for each in listed if each.key != skipped or each not in changes.added])


def _listed(sharing: Sharing) -> Value:
    recipients, requests, own = sharing.recipients(), sharing.requests(), sharing.own()
    rows = [(each.name or each.short, "reads (you)" if each.key in own else "reads", each.key) for each in recipients]
    rows += [(each.name, "asks", each.key) for each in requests]
    notes = tuple(f"let them in: {{mlox}} secrets share {each.name}" for each in requests)
    json = {
        "recipients": [{"name": each.name, "key": each.key, "you": each.key in own} for each in recipients],
        "requests": [{"name": each.name, "key": each.key} for each in requests],
    }
    empty = "nobody yet: {mlox} secrets set NAME makes the vault"
    return Table(("name", "what", "key"), tuple(rows), json, frozenset({"key"}), notes=notes, empty=empty)


def _passphrase(ctx: Context, what: str) -> Secret:
    """Asked for without an echo, or read from standard input."""
    hint = "Send it on standard input, or run this in a terminal."
    if ctx.read_secret is None:
        raise UsageError(f"there is nobody to ask for {what} here", hint=hint)
    try:
        return ctx.read_secret(what)
    except UsageError as error:
        raise UsageError(error.problem, hint=hint) from None


def _path(ctx: Context, path: str) -> Path:
    return (ctx.folder or Path()) / Path(path).expanduser()


def _told(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing yet"


def _not_read(names: tuple[str, ...]) -> tuple[str, ...]:
    return (f"not shared, since you cannot read them yourself: {', '.join(names)}",) if names else ()


def _shared_json(
    recipient: Recipient, names: tuple[str, ...], unreadable: tuple[str, ...], shared: bool
) -> dict[str, object]:
    who = {"name": recipient.name, "key": recipient.key}
    return {"recipient": who, "shared": shared, "sealed": list(names), "unreadable": list(unreadable)}
