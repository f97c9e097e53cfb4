"""The lines of several services as they are written: one thread a unit reads, and who comes later joins."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from mlox.errors import MloxError
from mlox.protocols import Backend, Lines
from mlox.secret import Secret, mask
from mlox.stack.logs import LINES, Wanted, in_order, named, time_of, timed
from mlox.stack.operations import secrets_of
from mlox.stack.reachable import Reachable
from mlox.stack.rows import chosen_names
from mlox.stack.surroundings import Surroundings
from mlox.values.logs import LogLine

JOIN_S = 1.0
"""How often is looked for units that came up, and a unit that could not be read is tried again."""

LOOK_S = 0.1
AHEAD = 1000
"""How many lines may wait for whoever reads slower."""

JOINED_S = 5.0

Key = tuple[str, str, str]
"""A server, a service, a unit."""


@dataclass
class _Followed:
    """One unit that is read."""

    backend: Backend
    lines: Lines
    thread: threading.Thread | None = None
    failed: bool = False


@dataclass
class Following:
    """Reads the logs of services together; one generator of :meth:`lines` at a time.

    Args:
        around: reads what there is, anew. ``names``: of these services; none means all, also those that come later.
    """

    around: Callable[[], Surroundings]
    names: tuple[str, ...]
    wanted: Wanted
    _units: dict[Key, _Followed] = field(default_factory=dict)
    _secrets: dict[str, list[Secret]] = field(default_factory=dict)
    _told: dict[Key, str] = field(default_factory=dict)
    _coming: queue.Queue[tuple[Key, str | MloxError, float | None]] = field(default_factory=lambda: queue.Queue(AHEAD))
    _begun: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)

    def labels(self) -> tuple[str, ...]:
        """Who may write, by what stands before the lines.

        Raises:
            UnknownNameError: there is no service of a name.
        """
        around = Reachable.within(self.around())
        named(around, self.names)
        return tuple(LogLine(service, unit, "").label for _, service, unit in self._keys(around))

    def lines(self) -> Generator[LogLine]:
        """The last lines that are wanted, then all that are written, until the generator is closed."""
        looked = float("-inf")
        last: dict[Key, float | None] = {}
        try:
            while True:
                if time.monotonic() >= looked + JOIN_S:
                    yield from self._join()
                    looked = time.monotonic()
                try:
                    key, what, at = self._coming.get(timeout=LOOK_S)
                except queue.Empty:
                    continue
                line = self._line(key, what, at)
                if isinstance(what, str):
                    last[key] = time_of(line, last.get(key))
                    if self.wanted.grep is None or self.wanted.grep.search(line.text):
                        yield replace(line, at=last[key])
                else:
                    yield from self._tell(key, line)
        finally:
            self._close()

    def _join(self) -> Iterator[LogLine]:
        """Begin to read who is not read yet; their last lines."""
        try:
            around = Reachable.within(self.around())
            keys = self._keys(around)
            self._secrets |= {service: secrets_of(around, service) for service in {key[1] for key in keys}}
        except MloxError:  # somebody is just writing mlox.yaml, or a server is away: those that are read go on
            return
        began: dict[str, list[LogLine]] = {}
        for key in keys:
            known = self._units.get(key)
            if known is not None and not known.failed:
                continue
            try:
                lines = self._open(around, key, again=known is not None)
            except MloxError as error:
                yield from self._tell(key, self._line(key, error, None))
                continue
            self._told.pop(key, None)
            before = timed(self._line(key, line, line.at) for line in lines.before)
            began[f"{key}"] = self._wished().of(before)
        self._begun = True
        yield from in_order(began)

    def _wished(self) -> Wanted:
        """Which lines of a unit come first; of one that came up after the others, those that it has written since."""
        return replace(self.wanted, lines=LINES) if self._begun else self.wanted

    def _tell(self, key: Key, line: LogLine) -> Iterator[LogLine]:
        """Say what is the matter with a unit, once."""
        if self._told.get(key) != line.text:
            self._told[key] = line.text
            yield line

    def _open(self, around: Reachable, key: Key, *, again: bool) -> Lines:
        """Follow a unit in a thread of its own; what a unit wrote while its server was away is not asked for."""
        server, service, unit = key
        backend = around.backends[server]
        count = 0 if again else self._wished().read
        lines = backend.follow(around.spec.id or "", service, unit, lines=count)
        followed = _Followed(backend, lines)
        followed.thread = threading.Thread(
            target=self._read, args=(key, followed), name=f"mlox-logs-{service}", daemon=True
        )
        self._units[key] = followed
        followed.thread.start()
        return lines

    def _read(self, key: Key, followed: _Followed) -> None:
        try:
            for line in followed.lines:
                self._hand(key, line, line.at)
        except MloxError as error:
            followed.failed = True
            self._hand(key, error, None)

    def _hand(self, key: Key, what: str | MloxError, at: float | None) -> None:
        while not self._ended.is_set():
            try:
                self._coming.put((key, what, at), timeout=LOOK_S)
            except queue.Full:
                continue
            return

    def _line(self, key: Key, what: str | MloxError, at: float | None) -> LogLine:
        _, service, unit = key
        if isinstance(what, MloxError):
            return LogLine(service, "", f"mlox: {what.problem}")
        return LogLine(service, unit, mask(what, self._secrets.get(service, ())), at)

    def _keys(self, around: Reachable) -> Sequence[Key]:
        """The units of the services: those that there are, else those that the catalog says will be."""
        found: dict[Key, None] = {}
        for name in self.names or chosen_names(around, None):
            there = [(o.unit.server, name, o.name) for o in around.observed.values() if o.service == name]
            written = around.spec.services.get(name)
            if not there and written is not None and around.spec.id is not None:
                there = [(written.server, name, unit) for unit in around.service(name).units]
            found |= dict.fromkeys(there)
        return tuple(found)

    def _close(self) -> None:
        self._ended.set()
        for followed in self._units.values():
            followed.lines.close()
        deadline = time.monotonic() + JOINED_S
        for followed in self._units.values():
            if followed.thread is not None:
                followed.thread.join(max(deadline - time.monotonic(), 0))
