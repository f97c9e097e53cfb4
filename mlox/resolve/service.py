"""One service with all decided that its texts hold: version, options, ports, folder, versions of secrets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from os.path import normpath
from pathlib import Path, PurePosixPath

from mlox.errors import SpecError
from mlox.protocols import Endpoint
from mlox.resolve.options import check_options, render_option
from mlox.resolve.placing import choose_ports
from mlox.resolve.world import World
from mlox.specs import CONFIG, SecretSpec, ServiceSpec, StackSpec, UrlSpec
from mlox.specs.model import Scalar
from mlox.units import SecretRef
from mlox.variables import Variable, literal

LOOPBACK = "127.0.0.1"
GATEWAY = "host.docker.internal"
"""What a container calls the machine that it runs on."""

INSIDE = "/mlox"
"""Where a container's files are: configuration and secrets. Data is where the catalog says."""


class Decided:
    """One service of the stack, decided: the values from which its texts, and those of its consumers, are rendered."""

    def __init__(
        self, stack: StackSpec, name: str, world: World, ready: Mapping[str, Decided], taken: set[int]
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

    @property
    def contained(self) -> bool:
        """Whether its units are containers."""
        return self.backend != "native"

    def directory(self, name: str) -> str:
        """Where a folder of it is, for its own units."""
        if not self.contained:
            return f"{self.folder}/{name}"
        return f"{INSIDE}/{CONFIG}" if name == CONFIG else self.catalog.data[name].path or f"{INSIDE}/{name}"

    def path(self, option: str) -> str:
        """Where the file or folder is that an option names, for its own units."""
        return self.catalog.options[option].target or "" if self.contained else self.there(str(self.options[option]))

    def there(self, path: str) -> str:
        """A path of this machine, which is meant from the workspace, in full; ``~/`` is the user's home."""
        at_home = f"{Path.home()}{path[1:]}" if path == "~" or path.startswith("~/") else path
        return normpath(PurePosixPath(self.world.root) / at_home)

    def secret_file(self, key: str) -> str:
        """Where a file with one of its secrets is, for its own units."""
        return f"{INSIDE if self.contained else self.folder}/secrets/{key}"

    def listens(self, port: str) -> int:
        """The number on which a unit listens."""
        return self.catalog.ports[port].port if self.contained else self.ports[port]

    def alias(self, unit: str) -> str:
        """What other containers call one of its units: the first one by the name of the service alone."""
        return self.name if unit == next(iter(self.catalog.units)) else f"{self.name}-{unit}"

    def sees(self, provider: Decided, port: str = "") -> str:
        """The host at which its units reach a port of another service; without a port, the first unit's."""
        if not self.contained:
            return LOOPBACK
        if self.spec.server != provider.spec.server:
            return GATEWAY
        units = provider.catalog.units.items()
        own = (name for name, unit in units if unit.listens is None or port in unit.listens)
        return provider.alias(next(own, next(iter(provider.catalog.units))))

    def reaches(self, provider: Decided, url: UrlSpec) -> Endpoint:
        """Where its units reach what another service offers."""
        port = self.asks(url)
        host = self.sees(provider, port)
        return Endpoint(host, provider.ports[port] if host in (LOOPBACK, GATEWAY) else provider.listens(port))

    def shares_folders(self, other: Decided) -> bool:
        """Whether its units see a folder of another service under the same path."""
        return not self.contained and not other.contained and self.spec.server == other.spec.server

    def asks(self, url: UrlSpec) -> str:
        """The port of an offer that is for its units."""
        return url.containers if self.contained and url.containers is not None else url.port

    def _held(self) -> set[str]:
        """The names of the ports that the service listens on right now."""
        alive = [o for o in self.world.observed.values() if o.state in ("running", "starting", "orphaned")]
        return {port.name for o in alive if o.service == self.name for port in o.unit.ports}

    def _kept(self, stack: StackSpec) -> set[int]:
        """Ports that other services of the stack had, also stopped ones, or ask for."""
        others = [o.unit for o in self.world.observed.values() if o.service != self.name and not o.unit.forwards]
        had = {port.number for unit in others for port in unit.ports}
        asked = {name: spec.ports for name, spec in stack.services.items() if name != self.name}
        return had | {port for ports in asked.values() for port in ports.values()}

    def secret(self, key: str, *, ref: str = "") -> SecretRef:
        """The reference to one of the service's own secrets, under ``ref`` in somebody else's texts.

        A generated one stays at the version that runs, since a restart would not change a password that lives in a
        database; one that can be rotated follows the store.
        """
        full = f"{self.name}.{key}"
        known = next((s for unit in self.seen for s in unit.secrets if s.name == full and s.version), None)
        spec = self.catalog.secrets[key]
        generate = spec.generate or 0
        newest = self.world.versions.get(full, "")
        version = known.version if known and generate and not (spec.rotate and newest) else newest
        if not version and not generate:
            raise SpecError(f"{self.name}: the secret {full!r} is not set", hint=f"Set it: mlox secrets set {full}.")
        return SecretRef(ref or key, full, version, generate)

    def lacks(self, key: str) -> bool:
        """Whether nobody has set one of its secrets that need not be set."""
        return self.catalog.secrets[key].optional and not self.world.versions.get(f"{self.name}.{key}")

    def granted(self, need: str, key: str, spec: SecretSpec) -> SecretRef:
        """The reference to a secret that a provider's grant makes for this service; its newest version is granted."""
        full = f"{self.name}.{need}_{key}"
        return SecretRef(f"need_{need}_{key}", full, self.world.versions.get(full, ""), spec.generate or 0)

    def value(self, variable: Variable) -> str | None:
        """What stands for a variable in this service's own texts; None leaves it for the back end."""
        if variable.kind == "version":
            return literal(self.version)
        if variable.kind == "name":
            return literal(self.name)
        if variable.kind == "option":
            option = self.catalog.options[variable.name]
            return literal(self.path(variable.name) if option.target else render_option(self.options[variable.name]))
        if variable.kind == "port":
            return str(self.listens(variable.name))
        if variable.kind == "published":
            return str(self.ports[variable.name])
        if variable.kind == "bind":
            return "0.0.0.0" if self.contained else LOOPBACK  # noqa: S104
        if variable.kind == "dir":
            return literal(self.directory(variable.name))
        if variable.kind == "secretfile":
            return literal(self.secret_file(variable.name))
        return None
