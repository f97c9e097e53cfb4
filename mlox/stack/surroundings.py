"""What a plan depends on, gathered: catalog, back ends, what runs, facts of servers, secrets' versions, pins."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlox.catalog import Catalog
from mlox.errors import MloxError, UnknownNameError
from mlox.leases import Holder
from mlox.lockfile import LockFile
from mlox.locks import Hold
from mlox.plugins import find, installed_services
from mlox.protocols import (
    Backend,
    Facts,
    Observed,
    Program,
    Question,
    SecretChain,
    SecretStore,
    ServiceSecrets,
    SharedStore,
    WritableStore,
)
from mlox.resolve import World, build_contexts, candidate_ports, lock_key, own_program, programs
from mlox.specs import CatalogService, ServerSpec, StackSpec
from mlox.stack.server import connect, known_servers
from mlox.units import Software
from mlox.workspace import ATTRIBUTES, IGNORED, Workspace, data_home

if TYPE_CHECKING:
    from mlox.apply import Seams


@dataclass(frozen=True)
class Surroundings:
    """Everything around one reading of ``mlox.yaml``; made anew for each verb, so that nothing is held in memory.

    ``hold`` is set where the stack is held, and what is there may be changed. ``also`` are servers that are looked at
    although no service is written there; ``stopped`` services that a move which was cut off had stopped.
    """

    workspace: Workspace
    spec: StackSpec
    home: Path
    hold: Hold | None = None
    also: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()

    @classmethod
    def of(cls, workspace: Workspace, spec: StackSpec) -> Surroundings:
        """With the data home of this process."""
        return cls(workspace, spec, data_home())

    def with_spec(self, spec: StackSpec) -> Surroundings:
        """The same of another ``mlox.yaml``; what was seen is asked for anew where that says something else."""
        return self if spec == self.spec else replace(self, spec=spec)

    @cached_property
    def catalog(self) -> Catalog:
        """mlox's services, those below ``services/`` in the workspace, and those that installed packages bring."""
        return Catalog([self.workspace.root / "services"], installed_services)

    @cached_property
    def backends(self) -> Mapping[str, Backend]:
        """The back end of this machine and of every server that a service is on, by the server's name."""
        names = {"local", *self.also, *(service.server for service in self.spec.services.values())}
        known = known_servers(self.spec.servers)
        for name, service in self.spec.services.items():
            if service.server not in known:
                where = f"mlox.yaml: services.{name}.server: "
                raise UnknownNameError.among("server", service.server, known, where=where)
        return {name: connect(name, self.spec.servers, self.home) for name in sorted(names)}

    def backend(self, server: str) -> Backend:
        """The back end of a server, also of one that no service is on yet.

        Raises:
            UnknownNameError: there is no such server.
            RequirementError: this version of mlox cannot reach it.
        """
        return self.backends.get(server) or connect(server, self.spec.servers, self.home)

    @cached_property
    def store(self) -> ServiceSecrets:
        """Where services on this machine find their secrets: in the user's own store, then in the vault."""
        made: ServiceSecrets = find("secret_stores", "service")(self.own, self.vault)
        return made

    @cached_property
    def own(self) -> WritableStore:
        """The user's own store of this stack: what is generated for services on this machine."""
        made: WritableStore = find("secret_stores", "user")(
            self.folder / "secrets",
            self.home / "identity",
            lambda: self._agreed.exists() and bool(self.vault.names()),
        )
        return made

    @cached_property
    def vault(self) -> SharedStore:
        """The secrets in the repository."""
        made: SharedStore = find("secret_stores", "vault")(
            self.workspace.root / ".mlox",
            self.home / "identity",
            self._agreed,
            given=os.environ.get("MLOX_IDENTITY"),
            used_elsewhere=lambda: bool(self.own.names()),
            beside={".gitignore": IGNORED, ".gitattributes": ATTRIBUTES},
        )
        return made

    @cached_property
    def secrets(self) -> SecretChain:
        """All stores of this stack in the order in which they are asked: environment, .env, vault, the user's own.

        Of the last two, the one that a new version of a secret goes to is asked first.
        """
        made: SecretChain = find("secret_stores", "chain")(self.stores, lambda name: self.store_of(name).name)
        return made

    @cached_property
    def stores(self) -> tuple[SecretStore, ...]:
        """The same, each by itself."""
        environment = find("secret_stores", "env")()
        env_file = find("secret_stores", "env_file")(self.workspace.root / ".env")
        return environment, env_file, self.vault, self.own

    def store_of(self, name: str) -> WritableStore:
        """Where a new version of a secret goes: of a service, by its server; else the vault, which people share.

        A service of the catalog that has not joined yet will be on this machine, unless somebody says otherwise.
        """
        service, dot, _ = name.partition(".")
        joined = self.spec.services.get(service)
        if dot and (joined is not None or service in self.catalog.names()):
            return self.store_for(joined.server if joined else "local")
        return self.vault

    def store_for(self, server: str) -> WritableStore:
        """Where passwords of services on a server are kept: in the user's own store, unless people share the server."""
        return self.own if server in self.local_servers() else self.vault

    @property
    def _agreed(self) -> Path:
        return self.folder / "recipients"

    @property
    def folder(self) -> Path:
        """Where this machine keeps what belongs to the stack."""
        return self.home / (self.spec.id or "")

    @cached_property
    def everything(self) -> tuple[Observed, ...]:
        """What there is of this stack on the servers that are looked at, each unit once; a watcher is no part of it."""
        if self.spec.id is None:
            return ()
        seen = [o for backend in self.backends.values() for o in backend.observe(self.spec.id)]
        return tuple({(o.unit.server, o.key): o for o in seen if not o.unit.watches}.values())

    @cached_property
    def observed(self) -> Mapping[str, Observed]:
        """What there is of this stack, by ``service.unit``; of two of a name the one where ``mlox.yaml`` puts it."""
        written = {name: service.server for name, service in self.spec.services.items()}
        later = sorted(self.everything, key=lambda o: o.unit.server == written.get(o.service))
        return {o.key: o for o in later if not o.unit.watches}

    def everywhere(self) -> Surroundings:
        """The same; where nothing is of a service, also with the servers that somebody may have moved it from by hand.

        A server that cannot be reached is none of them.
        """
        if set(self.spec.services) <= {o.service for o in self.everything}:
            return self
        found = [name for name in known_servers(self.spec.servers) if name not in self.backends and self._has(name)]
        return replace(self, also=(*self.also, *found)) if found else self

    def _has(self, server: str) -> bool:
        """Whether something of this stack is on a server that can be reached."""
        try:
            return bool(self.spec.id and self.backend(server).observe(self.spec.id))
        except MloxError:
            return False

    @property
    def holder(self) -> Holder | None:
        """Who works on this stack right now, on this machine's word."""
        return self.backends["local"].holder(self.spec.id) if self.spec.id is not None else None

    def intent(self, name: str) -> Mapping[str, str]:
        """What people had decided of a service that there is, flat; empty where there is none."""
        return next((dict(o.unit.intent) for o in self.observed.values() if o.service == name), {})

    def local_servers(self) -> frozenset[str]:
        """The names of the servers that are this machine."""
        return frozenset(name for name, server in known_servers(self.spec.servers).items() if server.local)

    def service(self, name: str) -> CatalogService:
        """The catalog entry of a service of the stack."""
        written = self.spec.services[name]
        return self.catalog.get(written.service, written.version).service

    def spec_of(self, server: str) -> ServerSpec:
        """What is written of a server.

        Raises:
            UnknownNameError: there is no such server.
        """
        servers = known_servers(self.spec.servers)
        if server not in servers:
            raise UnknownNameError.among("server", server, servers)
        return servers[server]

    def found_version(self, server: str, service: CatalogService) -> str | None:
        """The version of the program that the server has, for a service that is a program."""
        wanted = own_program(service)
        if wanted is None or self.spec_of(server).backend != "native":
            return None
        return self.backend(server).facts(Question(programs=(wanted,))).programs.get(wanted.name)

    def world(self, spec: StackSpec) -> World:
        """What ``resolve`` asks for, for all services of ``spec``."""
        entries = {name: self.catalog.get(one.service, one.version) for name, one in spec.services.items()}
        services = {name: entry.service for name, entry in entries.items()}
        known = {o.service for o in self.observed.values()}
        return World(
            services=services,
            sources={name: entry.source for name, entry in entries.items()},
            facts=self._facts(spec, services),
            observed=self.observed,
            reserved=self._reserved() if set(services) - known else {},
            pins=self.workspace.lock.pins(),
            versions=self._versions(spec),
            backends={name: server.backend for name, server in known_servers(spec.servers).items()},
            root=str(self.workspace.root),
            here=self.local_servers(),
        )

    def seams(self) -> Seams:
        """What ``apply`` acts through."""
        from mlox.apply import Seams

        holder = self.hold.holder if self.hold is not None else None
        return Seams(self.backends, self.store, _Pins(self.workspace.lock), self._check, holder)

    def _check(self) -> None:
        if self.hold is not None:
            self.hold.check()

    def _versions(self, spec: StackSpec) -> dict[str, str]:
        """The newest versions of secrets, by name.

        Raises:
            SecretConflictError: two branches set one of a service of ``spec``.
        """
        rows = self.store.describe()
        for row in rows:
            if row.heads and row.name.partition(".")[0] in spec.services:
                self.store.get(row.name)
        return {row.name: row.version for row in rows}

    def _facts(self, spec: StackSpec, services: Mapping[str, CatalogService]) -> dict[str, Facts]:
        facts = {}
        for server, backend in self.backends.items():
            here = [name for name, service in spec.services.items() if service.server == server]
            had = (p.number for o in self.observed.values() if o.unit.server == server for p in o.unit.ports)
            ports = frozenset(had).union(*(candidate_ports(services[name], spec.services[name].ports) for name in here))
            wanted: Iterable[Program] = {program for name in here for program in programs(services[name])}
            known = tuple(sorted(wanted, key=lambda program: program.name))
            contexts = build_contexts([services[name] for name in here], str(self.workspace.root))
            facts[server] = backend.facts(Question(ports, known, contexts))
        return facts

    def _reserved(self) -> dict[str, frozenset[int]]:
        """Ports that other stacks keep, also while they are stopped."""
        return {
            name: frozenset(p.number for o in backend.observe(None) if o.stack != self.spec.id for p in o.unit.ports)
            for name, backend in self.backends.items()
        }


class _Pins:
    """The lock file as ``apply`` sees it."""

    def __init__(self, lock: LockFile) -> None:
        self._lock = lock

    def put(self, software: Software) -> None:
        if software.build:
            return  # what is built here is nowhere else
        if software.image:
            self._lock.put_image(software.image, software.pins[0])
        else:
            self._lock.put(lock_key(software.packages), software.pins)
