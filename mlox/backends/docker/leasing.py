"""The lease of a stack on an engine: a container that never runs.

Its name is unique, so creating it is the step that only one can do. Its labels tell the holder; a file in it, which
only counts, is the heartbeat. Nobody compares clocks: whoever waits looks whether the count changes, on a clock of its
own. Everything after the creation goes by the container's id, so that who was robbed cannot touch what came after.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mlox.backends.docker import archives, naming
from mlox.backends.docker.beats import Clock, Watch
from mlox.backends.docker.engine import Engine
from mlox.errors import LockedError, MloxError, RequirementError
from mlox.leases import Holder, Lease

if TYPE_CHECKING:
    from docker import APIClient

EXPIRES_S = 20.0
"""How long a lease lasts that is not renewed."""

BEAT_S = 1.0
"""How often the heartbeat is written at most: each costs the engine a process, and renewing is asked for often."""

ALONE_S = EXPIRES_S / 2
"""How long a holder goes on that cannot reach the engine: nobody can have taken over before ``EXPIRES_S``."""

IMAGE = "mlox-lease:1"
BEAT = "beat"
NOT_YET = ""
"""What the heartbeat is at before the first one."""

GOING_S, POLL_S = 5.0, 0.05


class EngineLeases:
    """Grants leases on an engine; implements :class:`mlox.leases.Leasing`.

    Args:
        clock: monotonic; this process' own.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._watch = Watch(clock)

    def lease(self, stack: str, holder: Holder) -> Lease | Holder:
        """The lease, or who holds it; see :meth:`mlox.leases.Leasing.lease`.

        Raises:
            RequirementError: no engine answers, or something that is not ours has the name.
        """
        deadline = time.monotonic() + EXPIRES_S
        while time.monotonic() < deadline:
            began = self._watch.clock()
            made = self._create(stack, holder)
            if made is not None:
                try:
                    return self._granted(stack, made, since=began)
                except MloxError:
                    with contextlib.suppress(MloxError):
                        self._remove(stack, made)
                    raise
            there = self._there(stack)
            if there is None:  # let go just now; or an engine reserves the name before there is anything to see
                time.sleep(POLL_S)
                continue
            if there.holder is not None and there.holder.token == holder.token:
                return self._granted(stack, there.container)
            if there.holder is not None and not self._ended(there):
                return there.holder
            self._remove(stack, there.container)
        raise LockedError(
            f"the lease of {stack} changes hands all the time", hint="Wait for the others, then run it again."
        )

    def holder(self, stack: str) -> Holder | None:
        """Who holds the lease, as far as this process has seen; see :meth:`mlox.leases.Leasing.holder`."""
        there = self._there(stack)
        return None if there is None or there.holder is None or self._ended(there) else there.holder

    def is_free(self, stack: str, holder: Holder) -> bool:
        """Whether no lease is there but that of ``holder``, also none that has ended; only looks."""
        there = self._there(stack)
        return there is None or (there.holder is not None and there.holder.token == holder.token)

    def _granted(self, stack: str, container: str, since: float | None = None) -> EngineLease:
        lease = EngineLease(self._engine, self._watch, stack, container, since)
        lease.renew()
        if since is not None:
            self._watch.silent_s(container, NOT_YET)
        return lease

    def _ended(self, there: _There) -> bool:
        if there.holder is not None and there.holder.gone:
            return True
        count = _count(self._engine, there)
        return count is None or self._watch.silent_s(there.container, count) >= EXPIRES_S

    def _create(self, stack: str, holder: Holder) -> str | None:
        """The id of a new container; None where its name is taken."""
        from docker.errors import APIError, ImageNotFound

        labels = {naming.STACK: stack, naming.LEASE: json.dumps(asdict(holder))}
        with self._engine.asked(f"hold {stack}") as api:
            for attempt in range(2):
                try:
                    made = api.create_container(IMAGE, command=["held"], name=naming.lease(stack), labels=labels)
                except ImageNotFound:
                    if attempt:
                        raise
                    deque(api.load_image(archives.empty_image(IMAGE, naming.LEASE)), maxlen=0)  # type: ignore[no-untyped-call]
                except APIError as error:
                    if error.status_code != 409:
                        raise
                    return None
                else:
                    return str(made["Id"])
        return None

    def _there(self, stack: str) -> _There | None:
        from docker.errors import NotFound

        name = naming.lease(stack)
        with self._engine.asked(f"see who holds {stack}") as api:
            try:
                found = api.inspect_container(name)
            except NotFound:
                return None
        labels = found["Config"]["Labels"] or {}
        naming.check_ours("container", name, labels if naming.LEASE in labels else None, naming.Labels(stack))
        return _There(str(found["Id"]), _holder(labels[naming.LEASE]))

    def _remove(self, stack: str, container: str) -> None:
        _remove(self._engine, stack, container)
        self._watch.forget(container)


@dataclass(frozen=True, slots=True)
class _There:
    """A lease on the engine: its container's id, and its holder, None where that cannot be read."""

    container: str
    holder: Holder | None


class EngineLease:
    """A lease that was granted; implements :class:`mlox.leases.Lease`.

    Args:
        since: when a new one was asked for. It needs no heartbeat yet: nobody can have begun to count before that.
    """

    def __init__(self, engine: Engine, watch: Watch, stack: str, container: str, since: float | None = None) -> None:
        self.container = container
        self._engine = engine
        self._watch = watch
        self._stack = stack
        self._counts = (f"{secrets.token_hex(4)} {number}" for number in itertools.count(1))
        self._beaten = since
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Make sure that it is still ours, and count on; see :meth:`mlox.leases.Lease.renew`.

        While the engine restarts, it is ours for as long as nobody can have taken it over.

        Raises:
            LockedError: somebody else has taken it over.
            RequirementError: the engine has been away for too long.
        """
        with self._lock:
            now = self._watch.clock()
            try:
                if self._beaten is not None and 0 <= now - self._beaten < BEAT_S:
                    self._look()
                else:
                    self._beat(now)
            except RequirementError:
                if self._beaten is None or now - self._beaten >= ALONE_S:
                    raise

    def release(self) -> None:
        """Remove the container, where it is still there; see :meth:`mlox.leases.Lease.release`."""
        _remove(self._engine, self._stack, self.container)
        self._watch.forget(self.container)

    def _look(self) -> None:
        from docker.errors import NotFound

        with self._engine.asked(f"hold {self._stack}") as api:
            try:
                api.inspect_container(self.container)
            except NotFound as error:
                raise self._lost() from error

    def _beat(self, now: float) -> None:
        from docker.errors import APIError

        count = next(self._counts)
        with self._engine.asked(f"hold {self._stack}") as api:
            try:
                api.put_archive(self.container, "/", archives.packed({BEAT: count.encode()}))
            except APIError as error:
                if not _gone(api, self.container):
                    raise
                raise self._lost() from error
        self._beaten = now
        self._watch.silent_s(self.container, count)

    def _lost(self) -> LockedError:
        there = EngineLeases(self._engine, self._watch.clock).holder(self._stack)
        whose = f"was taken over by {there}" if there else "was taken over, and let go"
        return LockedError(
            f"this stack {whose}, since this process was silent for too long; it has stopped",
            hint="Run the same command again.",
        )


def _count(engine: Engine, there: _There) -> str | None:
    """What the heartbeat is at; None where the lease is gone."""
    from docker.errors import APIError

    with engine.asked("see who holds the stack") as api:
        try:
            parts, _ = api.get_archive(there.container, f"/{BEAT}")
            return archives.unpacked(b"".join(parts)).get(BEAT, b"").decode()
        except APIError as error:
            if _gone(api, there.container):
                return None
            if error.status_code != 404:
                raise
            return NOT_YET


def _remove(engine: Engine, stack: str, container: str) -> None:
    from docker.errors import APIError

    with engine.asked(f"let go of {stack}") as api:
        try:
            api.remove_container(container, v=True)
        except APIError:
            if not _gone(api, container):
                raise


def _gone(api: APIClient, container: str) -> bool:
    """Whether a container is gone; one that is just being removed is waited for, and answers in odd ways meanwhile."""
    from docker.errors import APIError, NotFound

    deadline = time.monotonic() + GOING_S
    while time.monotonic() < deadline:
        try:
            state = api.inspect_container(container)["State"]
        except NotFound:
            return True
        except APIError:  # moby: "RWLayer of container ... is unexpectedly nil"
            state = {"Dead": True}
        if not state.get("Dead") and state.get("Status") != "removing":
            return False
        time.sleep(POLL_S)
    return False


def _holder(text: str) -> Holder | None:
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return None
