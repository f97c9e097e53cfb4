"""Verbs about secrets: set, get, list, remove. A value is never typed on the line and never shown in a notebook."""

from __future__ import annotations

import secrets as randomness
import time
from typing import TYPE_CHECKING, Annotated

from mlox.errors import SecretError, UsageError
from mlox.secret import Secret
from mlox.values import Notice, Table, Value
from mlox.verbs.context import Context
from mlox.verbs.sharing import agree_to_others, surroundings
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.protocols import SecretChain


@verb("secrets set", group="secrets")
def set_secret(
    ctx: Context,
    name: Annotated[str, "the secret's name"],
    value: Annotated[tuple[str, ...], "refused: a value on the line is in a history already"] = (),
    *,
    generate: Annotated[int | None, "make a random value of that many characters"] = None,
    store: Annotated[str | None, "vault (in the repository) or user (on this machine)"] = None,
) -> Value:
    """Keep a secret: asked for without an echo, read from standard input, or generated."""
    if value:
        Secret(" ".join(value))  # made, so that what is known to be one is kept out of outputs and the history
        raise UsageError(
            "a value typed on the line stands in a history or a notebook already; nothing was kept",
            hint=f"Change that value where it is used, then: mlox secrets set {name}.",
        )
    if generate is not None and not 8 <= generate <= 4096:
        raise UsageError(f"--generate takes 8 to 4096 characters, not {generate}", hint="For example: --generate 32.")
    around = surroundings(ctx)
    target = around.secrets.target(name, store)
    if ctx.dry_run:
        return Notice((f"{name} would be set",), {"name": name, "version": None, "store": target.name})
    if target.name == around.vault.name:
        agree_to_others(ctx, around.vault.sharing)
    before = next((row for row in target.describe() if row.name == name), None)
    version = target.set(name, _value(ctx, name, generate))
    after = next((row for row in target.describe() if row.name == name), None)
    lines = [f"{name} set, readable by: {', '.join(after.readers if after else ('you',))}"]
    if before is not None and before.heads:
        lines.append(f"it replaces {len(before.heads)} values that branches had set; they stay readable by --version")
    json = {"name": name, "version": version, "store": target.name, "replaces": list(before.heads if before else ())}
    return Notice((*lines, *_shadows(around.secrets, name, target.name)), json, (f"version {version}",))


@verb("secrets get", group="secrets")
def get_secret(
    ctx: Context,
    name: Annotated[str, "the secret's name"],
    *,
    version: Annotated[str | None, "an older version"] = None,
    store: Annotated[str | None, "ask this store alone"] = None,
    reveal: Annotated[bool, "show the value; in a terminal only"] = False,
) -> Value:
    """Tell the version and the store of a secret; the value only with --reveal, never in a notebook."""
    if reveal and not ctx.may_reveal:
        raise UsageError("secrets are not shown in a notebook", hint=f'Use mlox.secrets.get("{name}"), or a terminal.')
    found, secret = surroundings(ctx).secrets.find(name, version, store=store)
    json = {"name": name, "version": secret.version, "store": found}
    if reveal:
        return Notice((secret.reveal(),), {**json, "value": secret.reveal()}, verbatim=True)
    return Notice((f"{name}  store: {found}",), json, (f"version {secret.version}",))


@verb("secrets list", group="secrets")
def list_secrets(ctx: Context) -> Value:
    """List the names of secrets, without values."""
    found = sorted(surroundings(ctx).secrets.rows(), key=lambda row: row[1].name)
    rows = tuple((s.name, store, ", ".join(s.readers), s.version, _day(s.updated)) for store, s in found)
    json = [
        {
            "name": s.name,
            "version": s.version,
            "store": store,
            "updated": s.updated,
            "readers": list(s.readers),
            "heads": list(s.heads),
        }
        for store, s in found
    ]
    return Table(
        ("name", "store", "readers", "version", "updated"),
        rows,
        {"secrets": json},
        detailed=frozenset({"version", "updated"}),
        notes=tuple(
            f"{s.name} was set on two branches; choose: {{mlox}} secrets get {s.name}" for _, s in found if s.heads
        ),
        empty="no secrets yet: {mlox} secrets set NAME",
    )


@verb("secrets remove", group="secrets")
def remove_secret(
    ctx: Context,
    name: Annotated[str, "the secret's name"],
    *,
    store: Annotated[str | None, "vault or user, where both have it"] = None,
) -> Value:
    """Remove every version of a secret, after a question."""
    holder = surroundings(ctx).secrets.holder(name, store)
    for version in [row.version for row in holder.describe() if row.name == name]:
        holder.get(name, version)  # what you cannot read is not yours to remove
    json = {"name": name, "removed": not ctx.dry_run, "store": holder.name}
    if ctx.dry_run:
        return Notice((f"{name} would be removed",), json)
    ctx.confirm(f"This removes every version of {name} for good.")
    holder.delete(name)
    return Notice((f"{name} removed",), json)


def _shadows(secrets: SecretChain, name: str, store: str) -> tuple[str, ...]:
    """What a reader gets in place of what was just set, if anything."""
    try:
        return tuple(
            f"but {first} comes before {store}: its {name} is what is read" for first in secrets.before(name, store)
        )
    except SecretError as error:
        return (f"but it cannot be read back: {error.problem}",)


def _value(ctx: Context, name: str, generate: int | None) -> Secret:
    if generate is not None:
        from mlox.apply import ALPHABET

        return Secret("".join(randomness.choice(ALPHABET) for _ in range(generate)))
    if ctx.read_secret is None:
        raise UsageError(
            f"there is nobody to ask for {name} here", hint="Send it on standard input, or use --generate 32."
        )
    return ctx.read_secret(name)


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
