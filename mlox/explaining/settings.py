"""Where each value of a service comes from: the catalog, a line of ``mlox.yaml``, a profile, what ran before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from mlox.specs import CONFIG, EMBEDDED, CatalogService, ServiceSpec
from mlox.specs.model import Scalar
from mlox.units import Unit

Line = Callable[..., int | None]
"""Which line of a text a key stands in, by its path; None where it does not stand there."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value and where it comes from. ``varies``: it is another one on the next machine; ``note`` says more."""

    name: str
    value: str
    origin: str
    note: str = ""
    varies: bool = False

    @property
    def stable(self) -> str:
        """The value, where it is the same on every run."""
        return "" if self.varies else self.value

    @property
    def exact(self) -> str:
        """What is left out of :attr:`stable`, and the note."""
        return ": ".join(filter(None, (self.value if self.varies else "", self.note)))


@dataclass(frozen=True, slots=True)
class Records:
    """Where values can come from.

    Attributes:
        written: the service as ``mlox.yaml`` has it; ``used``: with the profile laid over it; None: it is not there.
        line: where a key stands in ``mlox.yaml``, by its path below the service; ``catalog_line`` in ``catalog_file``.
        profile: the profile's name and how it was chosen; ``over`` the options and the server that it sets.
        units: what there is of it. ``found``: the program's version on the server. ``pinned``: by the lock file.
        home: how the folder for data was chosen.
        stored: newest versions of secrets, by name, and ``store``, where these are, but for those in ``shared``.
    """

    name: str
    entry: CatalogService
    written: ServiceSpec | None
    used: ServiceSpec | None
    line: Line
    catalog_line: Line
    catalog_file: str
    profile: str = ""
    over: frozenset[str] = frozenset()
    units: tuple[Unit, ...] = ()
    found: str | None = None
    pinned: bool = False
    store: str = ""
    shared: tuple[str, frozenset[str]] = ("", frozenset())
    home: str = "the data home of this machine"
    stored: Mapping[str, str] = field(default_factory=dict)

    @property
    def intent(self) -> dict[str, str]:
        """What people had decided of what there is."""
        return dict(self.units[0].intent) if self.units else {}

    def in_spec(self, *path: str) -> str | None:
        """``mlox.yaml, line 7``, where the key stands there."""
        line = self.line(*path)
        return f"mlox.yaml, line {line}" if line else None

    def in_catalog(self, *path: str) -> str:
        """``the catalog's redis.yaml, line 7``."""
        line = self.catalog_line(*path)
        return f"the catalog's {self.catalog_file}{f', line {line}' if line else ''}"


def settings(records: Records) -> tuple[Setting, ...]:
    """Every value of the service, with its origin."""
    return tuple(
        setting
        for part in (_place, _version, _options, _needs, _ports, _secrets, _software, _folders)
        for setting in part(records)
    )


def _place(records: Records) -> Iterator[Setting]:
    yield Setting("service", records.entry.name, records.in_spec("service") or "what runs")
    if records.used is None:
        yield Setting("server", records.units[0].server, "what runs")
    elif "server" in records.over:
        yield Setting("server", records.used.server, records.profile)
    else:
        yield Setting("server", records.used.server, records.in_spec("server") or "the default: this machine")


def _version(records: Records) -> Iterator[Setting]:
    written = records.written.version if records.written else None
    if written:
        yield Setting("version", written, f"{records.in_spec('version') or 'mlox.yaml'}, pinned")
    elif records.units:
        yield Setting("version", records.units[0].version, "what runs; kept")
    elif records.found:
        yield Setting("version", records.found, "found on the PATH; the first up pins it")
    else:
        yield Setting("version", records.entry.version, f"{records.in_catalog('version')}; the first up pins it")


def _options(records: Records) -> Iterator[Setting]:
    given: Mapping[str, Scalar] = records.used.options if records.used else {}
    for name, option in records.entry.options.items():
        if f"options.{name}" in records.over:
            value, origin = _shown(given[name]), records.profile
        elif name in given:
            value, origin = _shown(given[name]), records.in_spec("options", name) or "mlox.yaml"
        elif option.default is None:
            value, origin = "", "missing; it must be given (--set)"
        else:
            value, origin = _shown(option.default), f"default of {records.in_catalog('options', name, 'default')}"
        runs = records.intent.get(f"options.{name}")
        if runs is not None and records.used is None:
            value, origin = runs, "what runs"
        elif runs is not None and runs != value:
            origin += f"; what runs still has {runs}"
        yield Setting(f"options.{name}", value, origin)


def _needs(records: Records) -> Iterator[Setting]:
    for need, spec in records.entry.needs.items():
        written = records.written.needs.get(need) if records.written else None
        ran = records.intent.get(f"needs.{need}", "").partition(" ")[0]
        note = records.intent.get(f"needs.{need}", "") if ran == (written or ran) and ran != EMBEDDED else ""
        if written:
            again = f"; what runs still has {ran}" if ran and ran != written else ""
            yield Setting(f"needs.{need}", written, f"{records.in_spec('needs', need) or 'mlox.yaml'}{again}", note)
        elif ran:
            yield Setting(f"needs.{need}", ran, "what runs; kept", note)
        else:
            yield Setting(f"needs.{need}", "", f"open: the next up decides who provides {spec.capability}")


def _ports(records: Records) -> Iterator[Setting]:
    has = {port.name: port.number for unit in records.units for port in unit.ports}
    asked = records.used.ports if records.used else {}
    for name, spec in records.entry.ports.items():
        number = has.get(name)
        wish = f"wish of {records.in_catalog('ports', name, 'port')}"
        if name in asked:
            again = f"what runs still has {number}" if number not in (None, asked[name]) else ""
            yield Setting(f"ports.{name}", str(asked[name]), records.in_spec("ports", name) or "mlox.yaml", again)
        elif number is None:
            yield Setting(f"ports.{name}", str(spec.port), f"{wish}; another one where it is taken")
        else:
            why = "as wished" if number == spec.port else f"{spec.port} was taken then"
            yield Setting(f"ports.{name}", str(number), f"{wish}; chosen at the first start and kept", why, varies=True)


def _secrets(records: Records) -> Iterator[Setting]:
    used = {ref.name: ref for unit in records.units for ref in unit.secrets}
    own = {f"{records.name}.{key}": secret for key, secret in records.entry.secrets.items()}
    for name in dict.fromkeys((*own, *used)):
        ref = used.get(name)
        version = ref.version if ref else records.stored.get(name, "")
        spec = own.get(name)
        made = bool(ref and ref.generate) or bool(spec and spec.generate)
        if not version:
            need = ", and need not be" if spec and spec.optional else ""
            origin = "will be generated at the first start" if made else f"not set{need}: mlox secrets set {name}"
            yield Setting(f"secrets.{name}", "", origin)
            continue
        store = records.shared[0] if name in records.shared[1] else records.store
        how = "generated at the first start" if made and store == records.store else "set by a person"
        gone = "" if name in records.stored else "; NOT there any more"
        yield Setting(f"secrets.{name}", "***", f"{how}, store: {store}{gone}", f"version {version}")


def _software(records: Records) -> Iterator[Setting]:
    for unit in records.units:
        software = unit.software
        if software.packages:
            where = "mlox.lock.yaml" if records.pinned else "what runs; mlox.lock.yaml does not have them"
            yield Setting(f"packages.{unit.name}", ", ".join(software.packages), f"exact versions: {where}")
        elif software.binary:
            yield Setting(f"program.{unit.name}", software.binary, "found on the PATH of the server")


def _folders(records: Records) -> Iterator[Setting]:
    for name, path in dict(path for unit in records.units for path in unit.directories).items():
        what = "files that mlox writes" if name == CONFIG else records.entry.data[name].help
        yield Setting(f"data.{name}", path, records.home, what, varies=True)


def _shown(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
