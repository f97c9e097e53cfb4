"""How units become a compose file: images, ports on loopback, secrets by the names of variables and never by value."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlox.compose.exported import Exported, container_of, duration, escaped, foreign, plain, service_of
from mlox.compose.exporting_mounts import add_files, volumes_of
from mlox.compose.loading import Raw
from mlox.compose.parts import DEFAULT_NETWORK
from mlox.grants import Grant
from mlox.specs import CatalogService
from mlox.units import Unit

AS_IT_IS = frozenset(
    {
        *("platform", "pull_policy", "group_add", "init", "tty", "stdin_open", "tmpfs", "read_only", "container_name"),
        *("hostname", "network_mode", "dns", "expose", "labels", "cap_add", "cap_drop", "security_opt", "privileged"),
        *("devices", "sysctls", "ulimits", "shm_size", "pid", "pids_limit", "runtime", "mem_limit", "memswap_limit"),
        *("mem_reservation", "cpus", "logging"),
    }
)
"""Settings of a container that stand in a compose file as they are."""

_TIMES = frozenset({"interval", "timeout", "start_period", "start_interval"})
_BASE = ("image", "build", "user", "working_dir", "environment", "volumes", "configs", "secrets")
_DONE = {"condition": "service_completed_successfully"}


def export_compose(
    units: Sequence[Unit], services: Mapping[str, CatalogService], *, project: str, root: str, notes: Sequence[str] = ()
) -> Exported:
    """The compose file of units that are containers; providers come before their consumers.

    Args:
        services: their catalog services, by the name in the stack. ``root``: the folder that paths are written from.
        notes: what is told above the file.
    """
    exported = Exported(project, root, notes=list(notes))
    first = {unit.service: unit for unit in reversed(units)}
    for unit in units:
        if unit.container is not None:
            _Writer(exported, unit, services[unit.service], first).write()
    return exported


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one unit, its jobs before it and its grants as services that end; ``units``: the first of each service."""

    exported: Exported
    unit: Unit
    catalog: CatalogService
    units: Mapping[str, Unit]

    def write(self) -> None:
        """Add the unit to the file."""
        service = self._base()
        service |= self._running()
        if self.unit.jobs:
            words = [*service.get("entrypoint", ()), *service.get("command", ())]
            service |= self._after_jobs(self.unit, words)
        before = self._waits()
        before |= {self._granting(grant): _DONE for grant in self.unit.grants}
        if before:
            service["depends_on"] = before
        self.exported.services[service_of(self.unit)] = service

    def _words(self, words: Sequence[str]) -> list[str]:
        return [self.exported.template(self.unit, word) for word in words]

    def _base(self) -> Raw:
        """What jobs share with the unit: image, mounts, files, variables."""
        unit, container = self.unit, container_of(self.unit)
        service: Raw = {}
        if unit.software.build:
            service["build"] = self._build()
        if not unit.software.image.startswith("mlox/"):
            service["image"] = escaped(unit.software.image)
        service |= {"user": escaped(container.user)} if container.user else {}
        service |= {"working_dir": escaped(container.working_dir)} if container.working_dir else {}
        if unit.environment:
            service["environment"] = {name: self.exported.template(unit, text) for name, text in unit.environment}
        if volumes := volumes_of(self.exported, unit):
            service["volumes"] = volumes
        add_files(self.exported, unit, service)
        if container.hosts:
            service["extra_hosts"] = [f"{name}={address}" for name, address in container.hosts]
        return service

    def _running(self) -> Raw:
        """What only the unit itself has."""
        unit, container = self.unit, container_of(self.unit)
        settings = container.settings
        service: Raw = {}
        if container.entrypoint is not None:
            service["entrypoint"] = self._words(container.entrypoint)
        if unit.command:
            service["command"] = self._words(unit.command)
        service |= {key: plain(settings[key]) for key in sorted(settings.keys() & AS_IT_IS)}
        if unit.ports:
            service["ports"] = [self._port(index) for index in range(len(unit.ports))]
        if settings.get("networks"):
            service["networks"] = {name: plain(one) or None for name, one in settings["networks"].items()}
            self.exported.networks.update({name: {} for name in settings["networks"] if name != DEFAULT_NETWORK})
        if settings.get("gpus"):
            reserved: Raw = {"devices": [_device(one) for one in settings["gpus"]]}
            if memory := service.pop("mem_reservation", None):
                reserved["memory"] = str(memory)
            service["deploy"] = {"resources": {"reservations": reserved}}
        if check := self._health():
            service["healthcheck"] = check
        service |= {"restart": unit.restart} if unit.restart != "no" else {}
        service |= {"stop_signal": unit.stop_signal} if unit.stop_signal != "SIGTERM" else {}
        service |= {"stop_grace_period": duration(unit.stop_grace_s)} if unit.stop_grace_s != 10 else {}
        return service

    def _build(self) -> Raw:
        values = dict(self.unit.software.build)
        args = {key.removeprefix("args."): escaped(value) for key, value in values.items() if key.startswith("args.")}
        build: Raw = {"context": self.exported.path(values["context"])}
        build |= {key: escaped(values[key]) for key in ("dockerfile", "target") if key in values}
        return {**build, **({"args": args} if args else {})}

    def _port(self, index: int) -> Raw:
        """A port on loopback; of a service of the workspace with a number where mlox.yaml asks for one."""
        port = self.unit.ports[index]
        asked = any(name == f"ports.{port.name}" for name, _ in self.unit.intent)
        inside = port.inside or port.number
        usual = f"p{inside}" + ("_udp" if port.protocol == "udp" else "")
        name = {} if re.fullmatch(rf"{usual}(_\d+)?", port.name) else {"name": port.name}
        published = {"published": str(port.number)} if asked or not foreign(self.unit) else {}
        return {**name, "target": inside, **published, "host_ip": "127.0.0.1", "protocol": port.protocol}

    def _waits(self) -> dict[str, Raw]:
        """What is there before it begins: as the catalog says, else healthy where health can be asked."""
        written = {name: spec for unit in self.catalog.units.values() for name, spec in unit.depends_on.items()}
        found: dict[str, Raw] = {}
        for name in self.unit.after:
            other = self.units.get(name)
            if other is None or other.container is None:
                continue
            spec = written.get(name)
            waits: Raw = {"condition": spec.condition if spec else _condition(other)}
            waits |= {"restart": True} if spec and spec.restart else {}
            waits |= {"required": False} if spec and not spec.required else {}
            found[service_of(other)] = waits
        return found

    def _health(self) -> Raw:
        """The health check that the engine makes: its own, else what mlox asks, by programs that images have."""
        check = container_of(self.unit).settings.get("healthcheck")
        if check:
            if check.get("test") == ["NONE"]:
                return {"disable": True}
            return {key: duration(value) if key in _TIMES else plain(value) for key, value in check.items()}
        probe = self.unit.probe
        if probe is None or probe.kind == "container":
            return {}
        port = self.unit.port(probe.port)
        number = (port.inside or port.number) if port else 0
        url = escaped(f"http://127.0.0.1:{number}{probe.path}")
        python = f"import urllib.request as r; r.urlopen('{url}')"
        http = f"wget -q -O /dev/null '{url}' || curl -fs -o /dev/null '{url}' || python3 -c \"{python}\""
        tests = {
            "exec": ["CMD", *self._words(probe.argv)],
            "http": ["CMD-SHELL", http],
            "tcp": ["CMD-SHELL", f"nc -z 127.0.0.1 {number} || bash -c '</dev/tcp/127.0.0.1/{number}'"],
        }
        retries = max(3, round(probe.start_timeout_s / 2))
        return {"test": tests[probe.kind], "interval": "2s", "timeout": duration(probe.timeout_s), "retries": retries}

    def _after_jobs(self, unit: Unit, words: Sequence[str]) -> Raw:
        """What runs ``words`` behind the jobs of a unit, in one container: they share what they write."""
        jobs = [shlex.join(self.exported.template(unit, word) for word in job.argv) for job in unit.jobs]
        script = "\n".join(["umask 077", *jobs, f"exec {shlex.join(words)}", ""])
        return {"entrypoint": ["/bin/sh", "-ec"], "command": [script]}

    def _granting(self, grant: Grant) -> str:
        """What makes the account of a consumer: the provider's image in the provider's network."""
        provider = self.units[grant.provider]
        there = service_of(provider)
        name = f"{service_of(self.unit)}-{grant.need.replace('_', '-')}-account"
        model = self.exported.services[there]
        values = {key: self.exported.template(self.unit, text) for key, text in grant.environment}
        self.exported.services[name] = {
            **{key: model[key] for key in _BASE if key in model},
            **self._after_jobs(provider, [self.exported.template(provider, word) for word in grant.argv]),
            "environment": {**model.get("environment", {}), **values},
            "network_mode": f"service:{there}",
            "depends_on": {there: {"condition": _condition(provider)}},
        }
        return name


def _condition(unit: Unit) -> str:
    """What can be awaited of a unit."""
    if unit.completes:
        return "service_completed_successfully"
    check = container_of(unit).settings.get("healthcheck", {})
    asked = bool(check) and check.get("test") != ["NONE"]
    return "service_healthy" if asked or (unit.probe and unit.probe.kind != "container") else "service_started"


def _device(written: Mapping[str, Any]) -> Raw:
    """A request of a device; ``all`` is -1 in the engine's words."""
    found = {"capabilities": ["gpu"], **written}
    return {**found, **({"count": "all"} if found.get("count") == -1 else {})}
