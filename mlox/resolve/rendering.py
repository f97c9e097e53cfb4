"""How a service becomes units: every value decided, every text rendered, secrets left open. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from mlox.resolve.forms import environment, form
from mlox.resolve.forwarding import forwarders
from mlox.resolve.options import render_option
from mlox.resolve.placing import check_programs, check_reach, check_room, check_version
from mlox.resolve.service import LOOPBACK, Decided
from mlox.resolve.texts import Texts
from mlox.resolve.wiring import check_needs, order, with_providers
from mlox.resolve.world import World
from mlox.specs import CONFIG, EMBEDDED, BackupSpec, CatalogService, JobSpec, ProbeSpec, StackSpec, UnitSpec, VerifySpec
from mlox.units import File, Job, PortBinding, Probe, Rotation, Software, Unit
from mlox.variables import finish


def resolve(stack: StackSpec, names: Iterable[str], world: World) -> tuple[Unit, ...]:
    """The units of ``names`` and of all that they need, providers first.

    Raises:
        SpecError, WiringError, UnknownNameError: what is written cannot be.
        RequirementError: a server lacks a port, memory, disk or a program.
    """
    needs = {name: {**spec.needs, **_begun_before(world.services[name])} for name, spec in stack.services.items()}
    wanted = set(with_providers(names, needs))
    provides = {name: tuple(service.provides) for name, service in world.services.items()}
    taken = _taken(stack, world)
    ready: dict[str, Decided] = {}
    units: dict[str, Unit] = {}
    for name in order(needs):
        if name in wanted:
            check_needs(name, world.services[name], stack.services[name].needs, provides)
            ready[name] = Decided(stack, name, world, ready, taken[stack.services[name].server])
            units |= {unit.key: unit for unit in (*forwarders(ready[name]), *_units(ready[name]))}
    return tuple(units.values())


def _units(service: Decided) -> list[Unit]:
    if not service.contained:
        check_programs(service.name, service.catalog, service.facts)
    if not service.seen:
        if not service.contained:
            check_version(service.name, service.catalog, service.version, service.facts)
        check_reach(service.name, service.catalog, service.spec.server, service.facts)
        check_room(service.name, service.catalog, service.spec.server, service.facts)
    return [_unit(service, unit_name, unit) for unit_name, unit in service.catalog.units.items()]


def _unit(service: Decided, unit_name: str, spec: UnitSpec) -> Unit:
    texts = Texts(service)
    files = [
        File(
            finish(texts.render(file.path)) if file.path else f"{service.directory(CONFIG)}/{name}",
            texts.render(file.content),
            int(file.mode, 8),
        )
        for name, file in spec.files.items()
    ]
    rendered = environment(service, texts, spec)
    runs = form(service, texts, unit_name, spec)
    listens = spec.listens if spec.listens is not None else list(service.ports)
    jobs = [
        _job(service, n, j, texts)
        for n, j in service.catalog.jobs.items()
        if j.unit == unit_name and (not j.backends or service.backend in j.backends)
    ]
    probe = _probe(spec.probe, texts) if spec.probe else None
    files += [File(service.secret_file(key), f"${{secret.{key}}}") for key in sorted(texts.secret_files)]
    return Unit(
        stack=service.stack_id,
        service=service.name,
        name=unit_name,
        catalog=service.catalog.name,
        version=service.version,
        server=service.spec.server,
        backend=service.backend,
        command=runs.command,
        software=runs.software,
        environment=tuple(sorted(rendered.items())),
        files=tuple(files),
        ports=tuple(_port(service, name) for name in listens),
        directories=tuple((name, service.directory(name)) for name in (CONFIG, *service.catalog.data)),
        secrets=tuple(texts.refs[key] for key in sorted(texts.refs)),
        probe=probe,
        jobs=tuple(jobs),
        grants=tuple(texts.grants[need] for need in sorted(texts.grants)),
        rotations=_rotations(service, unit_name, texts),
        verify=_inside(service.catalog.verify, unit_name, texts),
        dump=_inside(service.catalog.backup, unit_name, texts),
        load=_inside(service.catalog.restore, unit_name, texts),
        after=_after(service, spec),
        stateful=spec.stateful,
        stop_signal=spec.stop_signal,
        stop_grace_s=spec.stop_grace_period_s,
        restart=spec.restart,
        completes=spec.completes,
        container=runs.container,
        intent=_intent(service, texts, runs.software),
    )


def _job(service: Decided, name: str, spec: JobSpec, texts: Texts) -> Job:
    """A job; one for each version bears that in its name, and so is to be done once under each."""
    argv = tuple(texts.argument(word) for word in spec.argv)
    if spec.when != "upgrade":
        return Job(name, argv, spec.when, spec.timeout_s)
    version = re.sub(r"[^a-z0-9]+", "-", service.version.lower()).strip("-")
    return Job(f"{name}-{version}", argv, "init", spec.timeout_s)


def _after(service: Decided, spec: UnitSpec) -> tuple[str, ...]:
    """The services that run before it: its providers, what it reaches them by, and those that its author names."""
    providers = {provider for provider in service.spec.needs.values() if provider != EMBEDDED}
    return tuple(sorted(providers | {unit.service for unit in forwarders(service)} | set(spec.depends_on)))


def _rotations(service: Decided, unit_name: str, texts: Texts) -> tuple[Rotation, ...]:
    """How its secrets are changed while it runs: inside the first unit of the service."""
    if unit_name != next(iter(service.catalog.units)):
        return ()
    rotating = {key: secret.rotate for key, secret in service.catalog.secrets.items() if secret.rotate}
    return tuple(Rotation(key, tuple(texts.argument(word) for word in argv)) for key, argv in rotating.items())


def _inside(spec: VerifySpec | BackupSpec | None, unit_name: str, texts: Texts) -> tuple[str, ...]:
    """A command that runs inside one unit of the service; none where there is none, or in another."""
    return tuple(map(texts.argument, spec.argv)) if spec is not None and spec.unit == unit_name else ()


def _port(service: Decided, name: str) -> PortBinding:
    spec = service.catalog.ports[name]
    return PortBinding(
        name, service.ports[name], spec.protocol, spec.scheme or "", service.listens(name) if service.contained else 0
    )


def _taken(stack: StackSpec, world: World) -> dict[str, set[int]]:
    """The ports that other stacks keep, by server: one set for all servers that are this machine."""
    here = {port for server in world.here for port in world.reserved.get(server, ())}
    servers = {spec.server for spec in stack.services.values()}
    return {server: here if server in world.here else set(world.reserved.get(server, ())) for server in servers}


def _begun_before(service: CatalogService) -> dict[str, str]:
    """The services that its units name in ``depends_on``, as needs that nothing is asked of but that they run."""
    names = {name for unit in service.units.values() for name in unit.depends_on}
    return {f"depends_on.{name}": name for name in sorted(names)}


def _intent(service: Decided, texts: Texts, software: Software) -> tuple[tuple[str, str], ...]:
    """What people decided, flat: the one thing that a running unit is compared by."""
    fields = {
        "catalog": service.catalog.name,
        "version": service.version,
        "server": service.spec.server,
        "backend": service.backend,
    }
    fields |= {f"options.{key}": render_option(value) for key, value in service.options.items()}
    fields |= {f"needs.{key}": _wired(service, key, provider) for key, provider in service.spec.needs.items()}
    fields |= {f"secrets.{ref.key}": str(ref.state) for ref in texts.refs.values()}
    fields |= {f"grants.{need}": str(grant) for need, grant in texts.grants.items()}
    fields |= {f"ports.{key}": str(port) for key, port in service.spec.ports.items()}
    if digest := dict(software.build).get("digest"):
        fields["build"] = digest
    if service.world.sources.get(service.name):
        fields["source"] = service.world.sources[service.name]
    return tuple(sorted(fields.items()))


def _wired(service: Decided, need: str, provider: str) -> str:
    if provider == EMBEDDED:
        return EMBEDDED
    offer = service.ready[provider].catalog.provides[service.catalog.needs[need].capability]
    if offer.url is None:
        return provider
    there = service.reaches(service.ready[provider], offer.url)
    return f"{provider} at {'port ' if there.host == LOOPBACK else f'{there.host}:'}{there.port}"


def _probe(spec: ProbeSpec, texts: Texts) -> Probe:
    if spec.http is not None:
        probe = Probe("http", spec.http.port, spec.http.path, tuple(spec.http.status))
    elif spec.tcp is not None:
        probe = Probe("tcp", spec.tcp.port)
    elif spec.container:
        probe = Probe("container")
    else:
        probe = Probe("exec", argv=tuple(texts.argument(part) for part in spec.exec or ()))
    return replace(probe, timeout_s=spec.timeout_s, start_timeout_s=spec.start_timeout_s)
