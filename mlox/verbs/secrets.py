"""Verbs about secrets: set, get, list, remove. A value is never typed on the line and never shown in a notebook."""

from __future__ import annotations

import secrets as randomness
import time
from typing import TYPE_CHECKING, Annotated

from mlox.errors import UsageError
from mlox.secret import Secret
from mlox.values import Notice, Table, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.protocols import WritableStore


@verb("secrets set", group="secrets")
def set_secret(
    ctx: Context,
    name: Annotated[str, "the secret's name"],
    value: Annotated[tuple[str, ...], "refused: a value on the line is in a history already"] = (),
    *,
    generate: Annotated[int | None, "make a random value of that many characters"] = None,
) -> Value:
    """Keep a secret: asked for without an echo, read from standard input, or generated."""
    if value:
        raise UsageError(
            "a value typed on the line stands in a history or a notebook already; nothing was kept",
            hint=f"Change that value where it is used, then: mlox secrets set {name}.",
        )
    if generate is not None and not 8 <= generate <= 4096:
        raise UsageError(f"--generate takes 8 to 4096 characters, not {generate}", hint="For example: --generate 32.")
    store = _store(ctx)
    if ctx.dry_run:
        return Notice((f"{name} would be set",), {"name": name, "version": None})
    secret = _value(ctx, name, generate)
    version = store.set(name, secret)
    return Notice(
        (f"{name} set, readable by: you",),
        {"name": name, "version": version, "store": store.name},
        (f"version {version}",),
    )


@verb("secrets get", group="secrets")
def get_secret(
    ctx: Context,
    name: Annotated[str, "the secret's name"],
    *,
    version: Annotated[str | None, "an older version"] = None,
    reveal: Annotated[bool, "show the value; in a terminal only"] = False,
) -> Value:
    """Tell the version and the store of a secret; the value only with --reveal, never in a notebook."""
    if reveal and not ctx.may_reveal:
        raise UsageError("secrets are not shown in a notebook", hint=f'Use mlox.secrets.get("{name}"), or a terminal.')
    store = _store(ctx)
    secret = store.get(name, version)
    json = {"name": name, "version": secret.version, "store": store.name}
    if reveal:
        return Notice((secret.reveal(),), {**json, "value": secret.reveal()}, verbatim=True)
    return Notice((f"{name}  store: {store.name}",), json, (f"version {secret.version}",))


@verb("secrets list", group="secrets")
def list_secrets(ctx: Context) -> Value:
    """List the names of secrets, without values."""
    store = _store(ctx)
    found = store.describe()
    rows = tuple((s.name, store.name, ", ".join(s.readers), s.version, _day(s.updated)) for s in found)
    json = [
        {"name": s.name, "version": s.version, "store": store.name, "updated": s.updated, "readers": list(s.readers)}
        for s in found
    ]
    return Table(
        ("name", "store", "readers", "version", "updated"),
        rows,
        {"secrets": json},
        detailed=frozenset({"version", "updated"}),
        empty="no secrets yet: {mlox} secrets set NAME",
    )


@verb("secrets remove", group="secrets")
def remove_secret(ctx: Context, name: Annotated[str, "the secret's name"]) -> Value:
    """Remove every version of a secret, after a question."""
    store = _store(ctx)
    store.get(name)
    if ctx.dry_run:
        return Notice((f"{name} would be removed",), {"name": name, "removed": False})
    ctx.confirm(f"This removes every version of {name} for good.")
    store.delete(name)
    return Notice((f"{name} removed",), {"name": name, "removed": True})


def _store(ctx: Context) -> WritableStore:
    stack = ctx.stack()
    stack.workspace.read()
    stack.identify()
    return stack.surroundings().store


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
