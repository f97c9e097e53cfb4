"""The stack of a workspace, as a live handle: nothing is held in memory, every call reads what is there."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from mlox.errors import SpecError, UnknownNameError, UsageError
from mlox.locks import Hold
from mlox.plan import Plan, make_down_plan
from mlox.protocols import Backend, Emit, silent
from mlox.specs import StackSpec
from mlox.specs.model import Scalar
from mlox.stack.day_two import DayTwo
from mlox.stack.deploying import Wish, deploy
from mlox.stack.deployment import Deployment
from mlox.stack.forwarding import refuse_forwarders
from mlox.stack.holding import held, is_deployed_by
from mlox.stack.joining import Asked
from mlox.stack.looking import Looking
from mlox.stack.operations import (
    alive,
    joined,
    leaving,
    plan_up,
    save,
    secrets_of,
    starting,
    take_down,
    users_secrets,
)
from mlox.stack.profiles import with_profile
from mlox.stack.rows import service_rows
from mlox.stack.server import Server
from mlox.stack.service import Service
from mlox.stack.surroundings import Surroundings
from mlox.values import Deployed, Status
from mlox.workspace import Workspace, data_home


class Stack(DayTwo, Looking):
    """The services of a workspace.

    Args:
        name: the stack's name. Where the workspace has an ``mlox.yaml`` it must be the name in there.
        path: a folder of the workspace, by default the current one.
        profile: the profile of ``mlox.yaml`` that is laid over it.

    Raises:
        SpecError: the workspace belongs to a stack of another name, or its ``mlox.yaml`` is wrong.
        WorkspaceError: the folder cannot be a workspace.

    Example:
        >>> import tempfile
        >>> stack = Stack("churn", path=tempfile.mkdtemp())
        >>> stack.add("mlflow")
        Service('mlflow')
        >>> [action.kind for action in stack.plan().actions]
        ['create']
    """

    def __init__(self, name: str | None = None, path: str | Path | None = None, *, profile: str | None = None) -> None:
        self.workspace = Workspace.find(Path(path) if path is not None else None)
        self._name = name
        self._profile = profile
        if self.workspace.exists:
            written = self.workspace.read()
            if name is not None and name != written.name:
                raise SpecError(
                    f"{self.workspace.path} belongs to the stack {written.name!r}, not {name!r}",
                    hint=f"Leave the name out, or use another folder for {name!r}.",
                )

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.spec().name

    @property
    def id(self) -> str | None:
        """What identifies it on servers; None until the first ``add`` or ``up`` writes it."""
        return self.workspace.read().id if self.workspace.exists else None

    def __repr__(self) -> str:
        return f"Stack({self.name!r})"

    def spec(self) -> StackSpec:
        """What is written, with the profile laid over it; of a workspace that is not there yet, what would be."""
        if not self.workspace.exists:
            return self.workspace.draft(self._name, taken=_taken).model_copy(update={"id": None})
        return with_profile(self.workspace.read(), self._profile)

    def surroundings(self) -> Surroundings:
        """What a plan depends on, read now."""
        return Surroundings.of(self.workspace, self.spec())

    def names(self) -> tuple[str, ...]:
        """The names of its services."""
        return tuple(self.spec().services)

    def service(self, name: str) -> Service:
        """The service of that name, written or running.

        Raises:
            UnknownNameError: there is none.
        """
        around = self.surroundings()
        known = {*around.spec.services, *(o.service for o in around.observed.values())}
        if name not in known:
            raise UnknownNameError.among("service", name, known, where=f"{around.spec.name}: ")
        return Service(self, name)

    def init(self, *, dry_run: bool = False) -> bool:
        """Make the folder a workspace; False where it is one already."""
        if self.workspace.exists:
            return False
        self.workspace.check_place()
        if not dry_run:
            self.workspace.create(self._name, taken=_taken)
        return True

    def identify(self) -> str:
        """The stack's id, written into ``mlox.yaml`` where a person left it out."""
        return self.workspace.give_id(taken=_taken).id or ""

    def add(
        self,
        service: str,
        name: str | None = None,
        *,
        version: str | None = None,
        needs: Mapping[str, Service | str] | None = None,
        options: Mapping[str, Scalar] | None = None,
        server: Server | str | None = None,
    ) -> Service:
        """Write a service into ``mlox.yaml``, with its version and wiring; starts nothing.

        Args:
            service: its name in the catalog. ``name``: its name in the stack, by default the same.
            needs: for a need, the service of this stack that meets it, or ``"embedded"``.

        Raises:
            UnknownNameError, SpecError, WiringError: it cannot be.
            UsageError: it is there already and differs.
        """
        wired = {need: p.name if isinstance(p, Service) else p for need, p in (needs or {}).items()}
        on = server.name if isinstance(server, Server) else server
        asked = Asked(service, version, name, on, wired, dict(options or {}))
        return Service(self, self.write((asked,))[0])

    def write(self, asked: Sequence[Asked], *, dry_run: bool = False) -> tuple[str, ...]:
        """Write several services at once; returns their names in the stack."""
        joined(self.surroundings(), asked)
        with self._held(create=True, dry_run=dry_run) as around:
            spec, names = joined(around, asked)
            if not dry_run:
                save(self.workspace, around.spec, spec)
            return names

    def drop(self, name: str, *, dry_run: bool = False) -> None:
        """Take a service out of ``mlox.yaml``; its data stays.

        Raises:
            UsageError: it runs, or another service needs it.
        """
        with self._held(dry_run=dry_run) as around:
            if name not in around.spec.services:
                raise UnknownNameError.among("service", name, around.spec.services, where=f"{around.spec.name}: ")
            running = [o for o in around.observed.values() if o.service == name and o.state != "stopped"]
            if running:
                raise UsageError(f"{name} runs", hint=f"Stop it first: mlox down {name}.")
            users = sorted(n for n, s in around.spec.services.items() if name in s.needs.values())
            if users:
                raise UsageError(
                    f"{', '.join(users)} needs {name}", hint=f"Remove {users[0]} first, or wire it otherwise."
                )
            if not dry_run:
                self.workspace.drop_service(name)

    def plan(self, *names: str, asked: Sequence[Asked] = (), prune: bool = False) -> Plan:
        """What ``up`` would do; touches nothing."""
        around = self.surroundings()
        spec, chosen = starting(around, names, asked)
        return plan_up(around.with_spec(spec).everywhere(), spec, chosen, prune)

    def up(self, *names: str, prune: bool = False, plan: str | None = None, emit: Emit = silent) -> Deployed:
        """Start services, and what they need, and wait until they are healthy; without names, all.

        Args:
            prune: also stop what runs but is not in ``mlox.yaml``.
            plan: the digest of the plan that is agreed to; another one is refused.

        Raises:
            MloxError: see :mod:`mlox.errors`; ``up`` again converges.
        """
        return self.deploy(*names, prune=prune, digest=plan, emit=emit).wait()

    def deploy(
        self,
        *names: str,
        asked: Sequence[Asked] = (),
        prune: bool = False,
        digest: str | None = None,
        emit: Emit = silent,
    ) -> Deployment:
        """Like :meth:`up`, and of services that are yet to be added; returns at once."""
        spec, wanted = starting(self.surroundings(), names, asked)
        wish = Wish(names, asked, prune, digest)
        starts = wanted or tuple(spec.services)
        acting: list[Backend] = []

        def work(cancel: threading.Event) -> Deployed:
            hold = self._hold(emit=emit, create=True, cancel=cancel, starts=starts)
            return deploy(wish, hold, self.workspace, self.surroundings, acting, cancel)

        def abort() -> None:
            for backend in acting:
                backend.abort()

        return Deployment(work, abort)

    def plan_down(self, *names: str, purge: bool = False, all_servers: bool = False) -> Plan:
        """What ``down`` would do; touches nothing."""
        around = self.surroundings()
        leave = leaving(around, names, all_servers)
        return make_down_plan(around.spec.id or "", around.everything, leave, purge=purge)

    def down(self, *names: str, purge: bool = False, all_servers: bool = False, emit: Emit = silent) -> Deployed:
        """Stop services; without names, all that are on this machine. With ``purge`` their data goes too."""
        with self._held(emit=emit) as around:
            return take_down(around, leaving(around, names, all_servers), purge=purge, emit=emit)

    def rotate(self, name: str, *, emit: Emit = silent) -> Deployed:
        """Make a new value for a service's secret, and start again what knows it; the old one is back on failure.

        Raises:
            UsageError: nobody can rotate it, or what knows it does not run. ServiceError: it failed.
        """
        from mlox.stack.rotating import rotate

        with self._held(emit=emit) as around:
            return rotate(around, name, emit=emit)

    def restart(self, *names: str, emit: Emit = silent) -> Deployed:
        """Stop and start services as they are; without names, all that run."""
        return self.redeploy(*names, emit=emit).wait()

    def redeploy(self, *names: str, emit: Emit = silent) -> Deployment:
        """Like :meth:`restart`, but returns when they are stopped; what could not be started again is not stopped."""
        around = self.surroundings()
        chosen = names or alive(around)
        refuse_forwarders(around, names)
        for name in chosen:
            secrets_of(around, name)
        self.down(*chosen, emit=emit)
        return self.deploy(*chosen, emit=emit)

    def status(self, *names: str) -> Status:
        """How services stand now; without names, all."""
        around = self.surroundings()
        secrets = len(users_secrets(around)) if around.spec.id else 0
        return Status(around.spec.name, service_rows(around, names or None), secrets)

    def deploys(self, pid: int) -> bool:
        """Whether a process deploys this stack by now, and all that it is to start is written."""
        return self.workspace.exists and is_deployed_by(pid, self.surroundings())

    def _held(
        self, *, emit: Emit = silent, create: bool = False, dry_run: bool = False
    ) -> AbstractContextManager[Surroundings]:
        """The surroundings, with the stack held on each of its servers and what a killed process left mended."""
        if dry_run:
            return contextlib.nullcontext(self.surroundings())
        return held(self._hold(emit=emit, create=create), self.workspace, self.surroundings)

    def _hold(
        self, *, emit: Emit, create: bool, cancel: threading.Event | None = None, starts: Sequence[str] = ()
    ) -> Hold:
        """What holds the stack, which has an id then; nothing is held yet."""
        if create and not self.workspace.exists:
            self.workspace.create(self._name, taken=_taken)
        identity = self.workspace.give_id(taken=_taken).id or ""
        return Hold(identity, emit=emit, cancel=cancel, starts=starts)


def _taken(identity: str) -> bool:
    return (data_home() / identity).exists()
