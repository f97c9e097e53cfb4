"""One service of a stack, as a live handle: it asks every time, so it outlives kernels and restarts."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Sequence
from io import BytesIO
from typing import Literal, Protocol

from mlox.errors import ClientError, ServiceError, UnknownNameError
from mlox.protocols import Completed, Write
from mlox.secret import Secret
from mlox.stack.clients import client_of, entry_of
from mlox.stack.environment import Environment, Owner, Used, find_client, use, use_off
from mlox.stack.surroundings import Surroundings
from mlox.values import ServiceRow, Status
from mlox.values.logs import LogLine
from mlox.variables import REVEALED, finish, references


class Home(Protocol):
    """What a service asks of the stack that it belongs to."""

    @property
    def name(self) -> str:
        """The stack's name."""

    @property
    def id(self) -> str | None:
        """What identifies the stack on servers."""

    def names(self) -> tuple[str, ...]:
        """The names of its services."""

    def surroundings(self) -> Surroundings:
        """What is written and what runs, read now."""

    def status(self, *names: str) -> Status:
        """How services stand now."""

    def logs(self, name: str, *, lines: int) -> tuple[str, ...]:
        """The last lines that a service wrote."""

    def follow(self, *names: str) -> Generator[LogLine]:
        """Lines as services write them."""

    def exec(
        self, name: str, argv: Sequence[str], *, unit: str | None = None, input: int | None = None, write: Write | None
    ) -> int:
        """Run a command inside a service."""


class Service:
    """A service by its name in a stack.

    Example:
        >>> import mlox, tempfile
        >>> stack = mlox.Stack("churn", path=tempfile.mkdtemp())
        >>> stack.add("mlflow").status().status
        'absent'
    """

    def __init__(self, stack: Home, name: str) -> None:
        self._stack = stack
        self.name = name

    def __repr__(self) -> str:
        return f"Service({self.name!r})"

    @property
    def url(self) -> str:
        """The address for this process, without any credential.

        Raises:
            ServiceError: it does not run.
        """
        row = self.status()
        if row.url is None:
            raise ServiceError(f"{self.name} is {row.status}", hint=f"Start it: mlox up {self.name}.")
        return row.url

    def address(self, port: str | None = None) -> str:
        """``host:port`` of a named port, by default the first, for this process.

        Raises:
            ServiceError: it does not run. UnknownNameError: it has no such port.
        """
        ports = self.status().ports
        if not ports:
            raise ServiceError(f"{self.name} does not run", hint=f"Start it: mlox up {self.name}.")
        if port is not None and port not in ports:
            raise UnknownNameError.among("port", port, ports, where=f"{self.name}: ")
        return ports[port] if port is not None else next(iter(ports.values()))

    @property
    def env(self) -> Environment:
        """What a client process needs; secrets stay hidden until ``.reveal()``."""
        client = client_of(self._stack.surroundings(), self.name)
        texts = client.texts
        values: dict[str, str | Secret] = {}
        for name, text in {**texts.environment, **texts.preferences}.items():
            hidden = any(variable.kind in REVEALED for variable in references(text))
            values[name] = Secret(finish(text, client.secrets)) if hidden else finish(text)
        return Environment(values, frozenset(texts.preferences), client.write)

    @property
    def has_client(self) -> bool:
        """Whether the catalog names a client object."""
        return entry_of(self._stack.surroundings(), self.name).client.object is not None

    def use(self) -> Used:
        """Set the client's environment in this process; ``mlox.use`` says more."""
        return use(self.env, self._owner)

    def use_off(self) -> tuple[str, ...]:
        """Undo :meth:`use`, also after the service has stopped; returns the names of the variables."""
        return use_off(self._owner)

    def client(self) -> object:
        """The service's own client object, ready: this process takes on the environment that it reads.

        Raises:
            ClientError: the client is not installed; the hint names the package.
            UsageError: this process is set up for another service of the kind.
        """
        client = client_of(self._stack.surroundings(), self.name)
        known = client.entry.client
        if known.object is None or known.package is None:
            raise ClientError(f"{client.entry.name} has no client object", hint="Use its .url and .env.")
        make = find_client(known.object, known.package)
        self.use()
        return make(**{name: finish(text, client.secrets) for name, text in client.texts.arguments.items()})

    def status(self) -> ServiceRow:
        """How it stands now."""
        rows = self._stack.status(self.name).services
        if not rows:
            raise UnknownNameError.among("service", self.name, self._stack.names(), where=f"{self._stack.name}: ")
        return rows[0]

    def logs(self, lines: int = 100) -> str:
        """The last lines that it wrote, secrets masked."""
        return "\n".join(self._stack.logs(self.name, lines=lines))

    def follow(self) -> Generator[str]:
        """Lines as it writes them, secrets masked, until the caller stops."""
        with contextlib.closing(self._stack.follow(self.name)) as lines:
            yield from (line.text for line in lines)

    def exec(self, argv: Sequence[str], *, unit: str | None = None, input: bytes = b"") -> Completed:
        """Run a command inside it, with its own environment; exit code, and what it wrote, secrets masked.

        Args:
            argv: the program and its arguments. ``input``: what it reads. ``unit``: which one, where it has several.

        Raises:
            ServiceError: it does not run.
        """
        out, err = BytesIO(), BytesIO()

        def write(channel: Literal["out", "err"], chunk: bytes) -> None:
            (out if channel == "out" else err).write(chunk)

        with tempfile.TemporaryFile() as file:
            file.write(input)
            file.seek(0)
            code = self._stack.exec(self.name, argv, unit=unit, input=file.fileno(), write=write)
        return Completed(code, *(each.getvalue().decode("utf-8", errors="replace") for each in (out, err)))

    def login(self) -> tuple[str | None, str | None]:
        """The user of the service's own page and the name of the secret with the password, where it has these."""
        entry = entry_of(self._stack.surroundings(), self.name)
        password = entry.client.password
        return entry.client.user, f"{self.name}.{password}" if password else None

    @property
    def _owner(self) -> Owner:
        return self._stack.id or "", self.name
