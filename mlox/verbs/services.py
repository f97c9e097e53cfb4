"""Verbs about services that run: status, open, use, env, run."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from mlox.errors import CommandError, UsageError
from mlox.secret import MASK, Secret
from mlox.values import Notice, Status, Value
from mlox.verbs.commands import run_to_end
from mlox.verbs.context import Context
from mlox.verbs.table import Rest, verb
from mlox.verbs.watching import Interval, Watch, watched

if TYPE_CHECKING:
    from mlox.stack import Components, Environment, Stack

MEANT = {
    "native": "this machine only; services wait for `{mlox} up` after a reboot",
    "docker": "containers; their engine starts them again after a reboot",
}
"""What to know of a server, by its back end."""


@verb("status", group="both")
def status(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services and components; none means all"] = (),
    *,
    exit_code: Annotated[bool, "exit with 4 where what runs differs from what is written"] = False,
    watch: Watch = False,
    interval: Interval = None,
) -> Value:
    """Show what is written and how it stands: healthy, starting, stopped, absent."""
    if watch and exit_code:
        raise UsageError("--watch goes on, and --exit-code asks how it ends", hint="Leave one of them out.")
    return watched(lambda: _status(ctx, names, exit_code, watch), interval, watch=watch, changes=True)


def _status(ctx: Context, names: tuple[str, ...], exit_code: bool, watch: bool) -> Status:
    stack = ctx.stack()
    stack.workspace.read()
    components = _components(stack)
    services = tuple(name for name in names if components is None or name not in components.added())
    for name in () if watch else services:
        stack.service(name)
    look = stack.look if watch else stack.status
    rows = components.rows(*names) if components and (not names or len(services) < len(names)) else ()
    seen = replace(look(*services) if services or not names else Status(stack.name, ()), components=rows)
    if not names:
        seen = replace(seen, alerts=stack.alerts())
    differs = exit_code and any(row.status != "running" for row in seen.services)
    sick = (row.name for row in seen.services if row.status == "unhealthy" or (row.note and row.status != "running"))
    asking = tuple(f"what is wrong: {{mlox}} why {name}" for name in sick)
    places = dict.fromkeys((row.server, row.backend) for row in seen.services)
    notes = tuple(f"{server} = {MEANT[backend]}" for server, backend in places if backend in MEANT)
    return replace(seen, notes=(*seen.notes, *asking, *notes), differs_is=4 if differs else 0)


def _components(stack: Stack) -> Components | None:
    """The components of the workspace; nothing of theirs is loaded where it has none."""
    if not stack.workspace.has_components:
        return None
    from mlox.stack import Components

    return Components(stack)


@verb("open", group="stack")
def open_(ctx: Context, name: Annotated[str, "the service"]) -> Value:
    """Tell where a service's page is and who logs in; in a terminal, open it in the browser."""
    service = ctx.stack().service(name)
    url = service.url
    user, secret = service.login()
    who = (f"user: {user}",) if user else ()
    password = (f"password: the secret {secret} (mlox secrets get {secret} --reveal in a terminal)",) if secret else ()
    if ctx.interactive and url.startswith("http") and not ctx.dry_run:
        import webbrowser

        webbrowser.open(url)
    return Notice(
        (f"{name}: open its page", *who, *password), {"url": url, "user": user, "secret": secret}, details=(url,)
    )


@verb("use", group="stack")
def use(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services"] = (),
    *,
    off: Annotated[bool, "undo: take out again what use has set"] = False,
) -> Value:
    """Set services' addresses and logins in this kernel's environment, and hand back the client."""
    from mlox.stack import use_off

    if ctx.front == "shell":
        hint = "In a shell: mlox run NAME -- COMMAND, or mlox env NAME; in a notebook: %mlox use NAME."
        raise UsageError("use sets the environment of a notebook kernel; this is a shell", hint=hint)
    stack = ctx.stack()
    if off:
        undone = tuple(v for name in names for v in stack.service(name).use_off()) if names else use_off()
        return Notice(
            (f"taken out of this kernel: {', '.join(undone)}" if undone else "nothing to undo",), {"undone": undone}
        )
    if not names:
        raise UsageError("use needs the name of a service", hint="For example: %mlox use mlflow.")
    return _used(stack, names)


class InUse(Value):
    """What ``use`` set, and the clients that it hands back."""

    def __init__(self, lines: tuple[str, ...], names: tuple[str, ...], clients: tuple[object, ...]) -> None:
        self.lines = lines
        self.names = names
        self.clients = clients

    @property
    def handed_back(self) -> object:
        """The client, or a tuple of clients, or None where a service has none."""
        return self.clients[0] if len(self.clients) == 1 else self.clients

    def text(self, *, detail: bool = False) -> str:
        """Which variables were set; those that hold a secret are marked."""
        return "\n".join(self.lines)

    def to_json(self) -> dict[str, Any]:
        """The names of the variables."""
        return {"set": list(self.names)}


def _used(stack: Stack, names: tuple[str, ...]) -> InUse:
    lines: list[str] = []
    variables: list[str] = []
    clients: list[object] = []
    for name in names:
        service = stack.service(name)
        clients.append(service.client() if service.has_client else None)  # first: it may not be installed
        told = service.use()
        quiet = service.env.preferences
        shown = [f"{v} (hidden)" if v in told.hidden else v for v in told.set if v not in quiet]
        if shown:
            lines.append(f"set in this kernel: {', '.join(shown)}")
        if told.kept:
            lines.append(f"left as you set it: {', '.join(told.kept)}")
        variables += told.set
    return InUse(tuple(lines), tuple(variables), tuple(clients))


@verb("env", group="stack")
def env(
    ctx: Context,
    name: Annotated[str, "the service"],
    *,
    reveal: Annotated[bool, "show secrets too; in a terminal only"] = False,
) -> Value:
    """Print the environment that a client reads, secrets masked."""
    if reveal and not ctx.may_reveal:
        raise UsageError("secrets are not shown here", hint="Use `mlox run NAME -- COMMAND`, or a terminal.")
    values = ctx.stack().service(name).env
    shown = values.reveal() if reveal else {key: str(value) for key, value in values.items()}
    lines = [
        f"# {key}={MASK} (secret)"
        if isinstance(values[key], Secret) and not reveal
        else f"export {key}={shlex.quote(text)}"
        for key, text in shown.items()
    ]
    return Notice(tuple(lines), {"env": shown}, verbatim=True)


@verb("run", group="stack")
def run(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services; none means all that run"] = (),
    command: Rest = (),
) -> Value:
    """Run a command with the services' environment: mlox run mlflow -- python train.py."""
    if not command:
        raise UsageError("run needs a command after --", hint="For example: mlox run mlflow -- python train.py.")
    stack = ctx.stack()
    rows = () if names else stack.status().services
    chosen = names or tuple(row.name for row in rows if row.status not in ("stopped", "absent") and not row.edge)
    environments = {name: stack.service(name).env for name in chosen}
    merged = _merged(environments)
    if ctx.dry_run:
        return Notice((f"would run {shlex.join(command)} with: {', '.join(sorted(merged))}",), {"set": sorted(merged)})
    for environment in environments.values():
        environment.reveal()
    began = time.monotonic()
    try:
        code = run_to_end(command, {**os.environ, **merged}, printed=ctx.front == "notebook")
    except FileNotFoundError as error:
        raise CommandError(f"there is no program {command[0]!r}", hint="Check its name, or give its path.") from error
    except PermissionError as error:
        raise CommandError(f"{command[0]!r} cannot be run", hint="Make it executable.") from error
    code = code if code >= 0 else 128 - code
    return Notice((), {"code": code, "seconds": round(time.monotonic() - began, 3)}, code=code)


def _merged(environments: Mapping[str, Environment]) -> dict[str, str]:
    """All environments together; two services of one kind would contradict each other."""
    merged: dict[str, str] = {}
    owner: dict[str, str] = {}
    for name, environment in environments.items():
        for key, value in environment.plain().items():
            if merged.get(key, value) != value:
                raise UsageError(f"{owner[key]} and {name} both set {key}", hint="Name one of them.")
            merged[key] = value
            owner[key] = name
    return merged
