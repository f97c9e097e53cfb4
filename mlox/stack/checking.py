"""What is wrong with what is written in a workspace: all that a CI should ask. Touches nothing, asks no server."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from mlox.documents import line_of
from mlox.errors import MloxError, SpecError, UnknownNameError
from mlox.lockfile import LOCK
from mlox.protocols import Facts
from mlox.resolve import World, check_options, lock_key, order, programs, resolve
from mlox.specs import CatalogService, ServiceSpec, StackSpec
from mlox.stack.checking_alerts import alert_findings
from mlox.stack.checking_files import component_findings, component_names, file_findings, vault_findings
from mlox.stack.findings import Checked, Finding, Kind, as_table, each_found, found
from mlox.stack.joining import Asked, check_version
from mlox.stack.operations import starting
from mlox.stack.profiles import with_profile
from mlox.stack.server import known_servers
from mlox.stack.surroundings import Surroundings
from mlox.units import Unit
from mlox.workspace import SPEC, Workspace

PLENTY = 1 << 60
"""Room on a server that is not asked: whether a service fits there is for ``plan`` to say."""


def check(
    workspace: Workspace, names: Collection[str] = (), *, profile: str | None = None, differs_is: int = 0
) -> Checked:
    """Everything that is written in a workspace; ``names`` chooses services and components.

    Args:
        differs_is: the exit code where there is a finding.

    Raises:
        WorkspaceError: there is no workspace. UnknownNameError: it has nothing of a name.
    """
    findings: list[Finding] = []
    spec = StackSpec(name="unread")
    try:
        spec = with_profile(workspace.read(), profile)
    except SpecError as error:
        findings += each_found("stack", "", error, file=SPEC)
    around = Surroundings.of(workspace, spec)
    components = component_names(workspace)
    for name in names if not findings else ():
        if name not in spec.services and name not in components:
            raise UnknownNameError.among("service or component", name, {*spec.services, *components})
    if not names:
        findings += [*catalog_findings(around), *file_findings(workspace), *vault_findings(around)]
    text = workspace.path.read_text("utf-8", errors="replace")
    if spec.services or spec.profiles:
        written = Written(around, spec, file=SPEC, text=text)
        findings += [*written.findings(names), *written.profiles()]
    if not names:
        findings += alert_findings(around, text)
    findings += component_findings(workspace, names)
    chosen = [name for name in (*spec.services, *components) if not names or name in names]
    told = ", ".join(chosen) or f"{SPEC}, no services yet"
    return as_table(findings, looked_at=told, differs_is=differs_is)


def check_asked(around: Surroundings, asked: Sequence[Asked], *, file: str, text: str) -> Iterator[Finding]:
    """What is wrong with services that somebody asks for in a text, beside what is written; nothing is written."""
    spec, names = starting(around, (), asked)
    written = Written(around, spec, file=file, text=text)
    yield from (finding for finding in written.findings(names) if finding.kind != "pins")


def catalog_findings(around: Surroundings) -> Iterator[Finding]:
    """What is wrong with the files below ``services/``, and with those of installed packages."""
    folder = around.workspace.root / "services"
    for path in sorted(folder.glob("*.yaml")):
        file = f"services/{path.name}"
        try:
            around.catalog.get(path.stem)
        except MloxError as error:
            yield from each_found("catalog", path.stem, error, file=file)
            continue
        if around.catalog.path(path.stem) != path:
            problem = f"mlox has a service {path.stem!r} of its own, which counts; this file is not read"
            yield Finding("catalog", path.stem, problem, "Give it another name.", file)
    foreign = [error for error in around.catalog.faults() if not error.problem.startswith(str(folder))]
    yield from (finding for error in foreign for finding in each_found("catalog", "", error, file=""))


class Written:
    """The services of a stack as they are written, in a file with a text, or in a cell."""

    def __init__(self, around: Surroundings, spec: StackSpec, *, file: str, text: str) -> None:
        self.around = around
        self.spec = spec
        self.file = file
        self.text = text
        self.entries: dict[str, CatalogService] = {}

    def findings(self, names: Collection[str] = ()) -> Iterator[Finding]:
        """What is wrong with them, and with what they need; ``names`` chooses."""
        yield from self._entries(names)
        sound = self._sound()
        pinned = self._pins()
        if isinstance(pinned, Finding):
            yield pinned
            pinned = {}
        try:
            order({name: service.needs for name, service in sound.services.items()})
        except MloxError as error:
            yield found("service", "", error, file=self.file, line=line_of(self.text, ("services",)))
            return
        world = self._world(sound, pinned)
        for name, service in sound.services.items():
            if names and name not in names:
                continue
            if service.version is None:
                hint = f"The next `mlox up {name}` writes it, or write it: version: '{self.entries[name].version}'."
                yield self._finding(name, "the version is not pinned", hint)
            try:
                if service.version is not None:
                    check_version(self.entries[name], service.version)
                units = resolve(sound, (name,), world)
            except MloxError as error:
                yield self._error(name, error)
            else:
                yield from self._unpinned(name, units, pinned)

    def profiles(self) -> Iterator[Finding]:
        """What is wrong with the profiles."""
        for profile in self.spec.profiles:
            line = line_of(self.text, ("profiles", profile))
            try:
                laid = with_profile(self.spec, profile)
                for name, service in laid.services.items():
                    self._check_server(service)
                    if name in self.entries:
                        check_options(self.entries[name], service.options, where=f"profile {profile}: {name}")
            except MloxError as error:
                yield found("stack", profile, error, file=self.file, line=line)

    def _entries(self, names: Collection[str]) -> Iterator[Finding]:
        """Read the catalog's entries; what is wrong with those of ``names``."""
        for name, service in self.spec.services.items():
            wrong = None
            try:
                self._check_server(service)
                self.entries[name] = self.around.catalog.get(service.service, service.version).service
            except MloxError as error:
                wrong = self._error(name, error)
            if wrong is not None and (not names or name in names):
                yield wrong

    def _check_server(self, service: ServiceSpec) -> None:
        known = known_servers(self.spec.servers)
        if service.server not in known:
            raise UnknownNameError.among("server", service.server, known)

    def _sound(self) -> StackSpec:
        """The stack without services that cannot be read, and without those that need one of these."""
        services = {name: service for name, service in self.spec.services.items() if name in self.entries}
        while True:
            lost = set(self.spec.services) - set(services)
            kept = {name: s for name, s in services.items() if not lost & set(s.needs.values())}
            if len(kept) == len(services):
                return self.spec.model_copy(update={"services": kept})
            services = kept

    def _world(self, spec: StackSpec, pins: Mapping[str, tuple[str, ...]]) -> World:
        """Servers that have all that is needed, and nothing that runs."""
        services = {name: self.entries[name] for name in spec.services}
        there = {program.name: "" for service in services.values() for program in programs(service)}
        facts = Facts("/", PLENTY, PLENTY, PLENTY, programs=there)
        known = known_servers(spec.servers)
        return World(
            services=services,
            sources={},
            facts=dict.fromkeys(known, facts),
            pins=pins,
            versions=dict.fromkeys(self.around.secrets.names() if spec.id else (), "set"),
            backends={name: server.backend for name, server in known.items()},
            root=str(self.around.workspace.root),
            here=self.around.local_servers(),
        )

    def _pins(self) -> dict[str, tuple[str, ...]] | Finding:
        try:
            return self.around.workspace.lock.pins()
        except MloxError as error:
            return found("pins", "", error, file=LOCK)

    def _unpinned(self, name: str, units: tuple[Unit, ...], pinned: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
        own = (unit.software for unit in units if unit.service == name and not unit.software.build)
        for software in dict.fromkeys(own):
            key = lock_key(software.packages) or software.image
            if key and key not in pinned:
                what = "digest" if software.image else "exact versions"
                hint = f"The next `mlox up {name}` writes {'it' if software.image else 'them'}; commit {LOCK}."
                yield Finding("pins", name, f"{name}: no {what} for {key}", hint, LOCK)

    def _error(self, name: str, error: MloxError) -> Finding:
        """An error about a service, at the key that it names."""
        service = self.spec.services[name]
        keys: Mapping[str, Mapping[str, object]] = {
            "needs": service.needs,
            "options": service.options,
            "ports": service.ports,
        }
        said = set(re.findall(r"'([^']+)'", error.problem)) | set(
            re.findall(rf"{re.escape(name)}\.(\w+)", error.problem)
        )
        location = next(([section, key] for section, known in keys.items() for key in known if key in said), [])
        line = line_of(self.text, ("services", name, *location))
        kind: Kind = "secrets" if re.search("the secret .* is not set", error.problem) else "service"
        finding = found(kind, name, error, file=self.file, line=line)
        if name in finding.problem or f"'{service.service}'" in finding.problem:
            return finding
        return replace(finding, problem=f"{name}: {finding.problem}")

    def _finding(self, name: str, problem: str, hint: str) -> Finding:
        line = line_of(self.text, ("services", name))
        return Finding("service", name, f"{name}: {problem}", hint, self.file, line)
