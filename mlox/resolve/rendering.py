"""How a service becomes units: every value decided, every text rendered, secrets left open. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from mlox.errors import SpecError
from mlox.protocols import Endpoint, Facts, Observed
from mlox.resolve.addresses import offer_url
from mlox.resolve.options import check_options, render_option
from mlox.resolve.placing import check_programs, check_room, choose_ports
from mlox.resolve.wiring import check_needs, order, with_providers
from mlox.specs import CONFIG, EMBEDDED, CatalogService, ProbeSpec, ProvideSpec, ServiceSpec, StackSpec, UnitSpec
from mlox.specs.model import Scalar
from mlox.units import File, Job, PortBinding, Probe, SecretRef, Software, Unit
from mlox.variables import Variable, finish, literal, references, substitute


@dataclass(frozen=True, slots=True)
class World:
    """All that the answer depends on.

    Attributes:
        services: catalog services by the name that they have in the stack; ``sources`` says whether a file is foreign.
        facts: by server. ``observed``: the units of this stack. ``reserved``: ports of other stacks, by server.
        pins: exact package versions from the lock file, by :func:`lock_key`.
        versions: the newest version of each secret in the store, by name.
    """

    services: Mapping[str, CatalogService]
    sources: Mapping[str, str]
    facts: Mapping[str, Facts]
    observed: Mapping[str, Observed] = field(default_factory=dict)
    reserved: Mapping[str, frozenset[int]] = field(default_factory=dict)
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    backends: Mapping[str, str] = field(default_factory=dict)


def lock_key(packages: Iterable[str]) -> str:
    """The key of a set of packages in the lock file.

    Example:
        >>> lock_key(["b", "a[x]==1"])
        'a[x]==1, b'
    """
    return ", ".join(sorted(packages))


def resolve(stack: StackSpec, names: Iterable[str], world: World) -> tuple[Unit, ...]:
    """The units of ``names`` and of all that they need, providers first.

    Raises:
        SpecError, WiringError, UnknownNameError: what is written cannot be.
        RequirementError: a server lacks a port, memory, disk or a program.
    """
    needs = {name: spec.needs for name, spec in stack.services.items()}
    wanted = set(with_providers(names, needs))
    provides = {name: tuple(service.provides) for name, service in world.services.items()}
    taken: dict[str, set[int]] = {server: set(ports) for server, ports in world.reserved.items()}
    ready: dict[str, _Service] = {}
    units: list[Unit] = []
    for name in order(needs):
        if name in wanted:
            check_needs(name, world.services[name], stack.services[name].needs, provides)
            ready[name] = _Service(stack, name, world, ready, taken.setdefault(stack.services[name].server, set()))
            units += ready[name].units()
    return tuple(units)


class _Service:
    """One service on its way to units: its values, from which every text is rendered."""

    def __init__(
        self, stack: StackSpec, name: str, world: World, ready: Mapping[str, _Service], taken: set[int]
    ) -> None:
        self.name = name
        self.spec: ServiceSpec = stack.services[name]
        self.catalog = world.services[name]
        self.world = world
        self.ready = ready
        self.stack_id = stack.id or ""
        self.version = self.spec.version or self.catalog.version
        self.backend = world.backends.get(self.spec.server, "native")
        self.facts = world.facts[self.spec.server]
        if self.backend not in self.catalog.backends:
            raise SpecError(
                f"{name}: {self.catalog.name} does not run on {self.backend}",
                hint=f"Put it on a server with: {', '.join(self.catalog.backends)}.",
            )
        self.options: Mapping[str, Scalar] = check_options(self.catalog, self.spec.options, where=name)
        self.seen = tuple(o.unit for o in world.observed.values() if o.service == name)
        had = {port.name: port.number for unit in self.seen for port in unit.ports}
        busy = taken | self.facts.ports_taken
        self.ports = choose_ports(name, self.catalog, self.spec.ports, had, self._held(), busy, self._kept(stack))
        taken.update(self.ports.values())
        self.folder = f"{self.facts.home}/{self.stack_id}/services/{name}"

    def _held(self) -> set[str]:
        """The names of the ports that the service listens on right now."""
        alive = [o for o in self.world.observed.values() if o.state in ("running", "starting", "orphaned")]
        return {port.name for o in alive if o.service == self.name for port in o.unit.ports}

    def _kept(self, stack: StackSpec) -> set[int]:
        """Ports that other services of the stack had, also stopped ones, or ask for."""
        had = {p.number for o in self.world.observed.values() if o.service != self.name for p in o.unit.ports}
        asked = {name: spec.ports for name, spec in stack.services.items() if name != self.name}
        return had | {port for ports in asked.values() for port in ports.values()}

    def units(self) -> list[Unit]:
        check_programs(self.name, self.catalog, self.facts)
        if not self.seen:
            check_room(self.name, self.catalog, self.spec.server, self.facts)
        return [self._unit(unit_name, unit) for unit_name, unit in self.catalog.units.items()]

    def secret(self, key: str, *, ref: str = "") -> SecretRef:
        """The reference to one of the service's own secrets, under ``ref`` in somebody else's texts."""
        full = f"{self.name}.{key}"
        known = next((s for unit in self.seen for s in unit.secrets if s.name == full and s.version), None)
        generate = self.catalog.secrets[key].generate or 0
        newest = self.world.versions.get(full, "")
        version = known.version if known and generate else newest
        if not version and not generate:
            raise SpecError(f"{self.name}: the secret {full!r} is not set", hint=f"Set it: mlox secrets set {full}.")
        return SecretRef(ref or key, full, version, generate)

    def value(self, variable: Variable) -> str | None:
        """What stands for a variable in this service's own texts; None leaves it for the back end."""
        if variable.kind == "version":
            return literal(self.version)
        if variable.kind == "option":
            return literal(render_option(self.options[variable.name]))
        if variable.kind == "port":
            return str(self.ports[variable.name])
        if variable.kind == "dir":
            return literal(f"{self.folder}/{variable.name}")
        if variable.kind == "secretfile":
            return literal(f"{self.folder}/secrets/{variable.name}")
        return None

    def _unit(self, unit_name: str, spec: UnitSpec) -> Unit:
        if spec.native is None:
            raise SpecError(f"{self.name}: the unit {unit_name!r} has no native form", hint="Put it on another server.")
        texts = _Texts(self)
        files = [
            File(
                finish(texts.render(file.path)) if file.path else f"{self.folder}/{CONFIG}/{name}",
                texts.render(file.content),
                int(file.mode, 8),
            )
            for name, file in spec.files.items()
        ]
        environment = {**spec.environment, **spec.native.environment}
        packages = list(spec.native.python.packages) if spec.native.python else []
        for need, provider in self.spec.needs.items():
            if provider != EMBEDDED:
                packages += self.catalog.needs[need].packages if packages else []
                environment |= self.catalog.needs[need].environment
        rendered = {key: texts.render(text) for key, text in environment.items()}
        command = tuple(texts.argument(part) for part in spec.native.command)
        listens = spec.listens if spec.listens is not None else list(self.ports)
        jobs = [
            Job(n, tuple(texts.argument(a) for a in j.argv), j.when, j.timeout_s)
            for n, j in self.catalog.jobs.items()
            if j.unit == unit_name
        ]
        probe = _probe(spec.probe, texts) if spec.probe else None
        files += [File(f"{self.folder}/secrets/{key}", f"${{secret.{key}}}") for key in sorted(texts.secret_files)]
        return Unit(
            stack=self.stack_id,
            service=self.name,
            name=unit_name,
            catalog=self.catalog.name,
            version=self.version,
            server=self.spec.server,
            backend=self.backend,
            command=command,
            software=self._software(spec, [substitute(p, self.value) for p in packages]),
            environment=tuple(sorted(rendered.items())),
            files=tuple(files),
            ports=tuple(
                PortBinding(n, self.ports[n], self.catalog.ports[n].protocol, self.catalog.ports[n].scheme or "")
                for n in listens
            ),
            directories=((CONFIG, f"{self.folder}/{CONFIG}"), *((d, f"{self.folder}/{d}") for d in self.catalog.data)),
            secrets=tuple(texts.refs[key] for key in sorted(texts.refs)),
            probe=probe,
            jobs=tuple(jobs),
            after=tuple(sorted({p for p in self.spec.needs.values() if p != EMBEDDED})),
            stateful=spec.stateful,
            stop_signal=spec.stop_signal,
            stop_grace_s=spec.stop_grace_period_s,
            restart=spec.restart,
            intent=self._intent(texts),
        )

    def _software(self, spec: UnitSpec, packages: list[str]) -> Software:
        if spec.native is None or spec.native.python is None:
            return Software(binary=spec.native.binary.name if spec.native and spec.native.binary else "")
        wanted = tuple(sorted(set(packages)))
        running = next((unit.software for unit in self.seen if unit.software.packages == wanted), None)
        pins = self.world.pins.get(lock_key(wanted)) or (running.pins if running else ())
        return Software(packages=wanted, pins=pins)

    def _intent(self, texts: _Texts) -> tuple[tuple[str, str], ...]:
        """What people decided, flat: the one thing that a running unit is compared by."""
        fields = {
            "catalog": self.catalog.name,
            "version": self.version,
            "server": self.spec.server,
            "backend": self.backend,
        }
        fields |= {f"options.{key}": render_option(value) for key, value in self.options.items()}
        fields |= {f"needs.{key}": self._wired(key, provider) for key, provider in self.spec.needs.items()}
        fields |= {f"secrets.{ref.key}": str(ref.state) for ref in texts.refs.values()}
        fields |= {f"ports.{key}": str(port) for key, port in self.spec.ports.items()}
        if self.world.sources.get(self.name):
            fields["source"] = self.world.sources[self.name]
        return tuple(sorted(fields.items()))

    def _wired(self, need: str, provider: str) -> str:
        if provider == EMBEDDED:
            return EMBEDDED
        offer = self.ready[provider].catalog.provides[self.catalog.needs[need].capability]
        return f"{provider} at port {self.ready[provider].ports[offer.url.port]}"


class _Texts:
    """The texts of one unit: renders them and remembers which secrets they use."""

    def __init__(self, service: _Service) -> None:
        self.service = service
        self.refs: dict[str, SecretRef] = {}
        self.secret_files: set[str] = set()

    def render(self, text: str) -> str:
        """The text with all but secrets filled in."""
        for variable in references(text):
            if variable.kind in ("secret", "secretfile"):
                self.refs[variable.name] = self.service.secret(variable.name)
            if variable.kind == "secretfile":
                self.secret_files.add(variable.name)
        return substitute(text, self._value)

    def argument(self, text: str) -> str:
        """A word of a command, rendered; commands are in process lists, so that no secret can be among them."""
        rendered = self.render(text)
        if any(variable.kind in ("secret", "quoted") for variable in references(rendered)):
            raise SpecError(
                f"{self.service.name}: a secret in the command: {text}",
                hint="Put it into environment or a file, or give the command ${secretfile.NAME}.",
            )
        return rendered

    def _value(self, variable: Variable) -> str | None:
        if variable.kind != "need":
            return self.service.value(variable)
        provider = self.service.spec.needs[variable.name]
        need = self.service.catalog.needs[variable.name]
        if provider == EMBEDDED:
            return self.render((need.embedded or {})[variable.value])
        return self._offered(self.service.ready[provider], variable, need.capability)

    def _offered(self, provider: _Service, variable: Variable, capability: str) -> str:
        offer: ProvideSpec = provider.catalog.provides[capability]
        endpoint = Endpoint("127.0.0.1", provider.ports[offer.url.port])
        url = offer_url(offer, endpoint, provider.value)
        values = {"url": url, "host": endpoint.host, "port": str(endpoint.port), **offer.values}
        text = values.get(variable.value)
        if text is None:
            raise SpecError(
                f"{self.service.name}: {provider.name} offers no {variable.value!r} with {capability}",
                hint=f"There are: {', '.join(sorted(values))}.",
            )

        def moved(inner: Variable) -> str | None:
            if inner.kind in ("secret", "quoted"):
                key = f"need_{variable.name}_{inner.name}"
                self.refs[key] = provider.secret(inner.name, ref=key)
                return f"${{{inner.kind}.{key}}}"
            return provider.value(inner)

        return substitute(text, moved)


def _probe(spec: ProbeSpec, texts: _Texts) -> Probe:
    if spec.http is not None:
        probe = Probe("http", spec.http.port, spec.http.path, tuple(spec.http.status))
    elif spec.tcp is not None:
        probe = Probe("tcp", spec.tcp.port)
    else:
        probe = Probe("exec", argv=tuple(texts.argument(part) for part in spec.exec or ()))
    return replace(probe, timeout_s=spec.timeout_s, start_timeout_s=spec.start_timeout_s)
