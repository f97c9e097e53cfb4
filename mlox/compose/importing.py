"""How a compose file becomes services: a file of the catalog and an entry of the stack for each."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlox.compose import container
from mlox.compose.container import read_container
from mlox.compose.findings import Finding
from mlox.compose.forms import Forms
from mlox.compose.loading import Document, Raw, read_document, scalar
from mlox.compose.mounts import read_mounts
from mlox.compose.neighbours import check_circles, read_links, read_networks, read_ports
from mlox.compose.parts import UNIT, Part, Project, service_name
from mlox.compose.secrecy import hide_secrets
from mlox.compose.writing import yaml_text
from mlox.documents import parse
from mlox.secret import Secret
from mlox.specs import CatalogService
from mlox.specs.compose import HealthcheckSpec

MAX_SERVICES = 500
SERVER = "docker"
START_S = 120
"""How long a container may take at least until the engine calls it healthy."""

CARRIED = frozenset(
    {
        *container.TEXTS,
        *container.FLAGS,
        *container.LISTS,
        *container.SIZES,
        *("labels", "sysctls", "command", "entrypoint", "cpus", "pids_limit", "stop_grace_period", "image", "build"),
        *("pull_policy", "extra_hosts", "ulimits", "logging", "devices", "healthcheck", "restart", "deploy", "gpus"),
        *("scale", "volumes", "configs", "secrets", "ports", "networks", "network_mode", "links", "depends_on"),
        *("environment", "env_file", "profiles"),
    }
)
"""The keys of a Compose service that are carried; any other is an error that names its path."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One service: its name in the stack, its file of the catalog, its entry, and the values of its secrets by key."""

    name: str
    written: str
    spec: CatalogService
    text: str
    entry: Mapping[str, object]
    volumes: tuple[str, ...]
    secrets: Mapping[str, Secret]


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a compose file says: its services, what a reader should know, and what was left out."""

    project: str
    services: tuple[Imported, ...]
    warnings: tuple[Finding, ...]
    left_out: tuple[Finding, ...]


def read_compose(
    path: Path,
    environment: Mapping[str, str],
    *,
    root: Path,
    reserved: Collection[str] = (),
    project: str | None = None,
    allow_unsupported: bool = False,
) -> Reading:
    """The services of a compose file.

    Args:
        environment: that of the process. ``root``: the workspace's folder, from which paths are written.
        reserved: names that a file of the catalog cannot have.
        project: the Compose project whose volumes are meant, where it is not as Compose finds it.
        allow_unsupported: leave out what cannot be carried, and name it.

    Raises:
        SpecError: something is wrong in it, or cannot be carried; every path is named.
        WorkspaceError: it cannot be read. RequirementError: a library is missing.
    """
    document = read_document(path, environment, project=project)
    found = _project(document, root)
    for part in found.parts.values():
        _check_keys(found, part)
        read_container(found, part)
        read_ports(found, part)
        read_mounts(found, part)
    for part in found.parts.values():
        read_networks(found, part)
    for part in found.parts.values():
        read_links(found, part)
    check_circles(found)
    hide_secrets(found)
    _warn(found)
    document.findings.check(allow_unsupported=allow_unsupported)
    services = tuple(_imported(part, reserved) for part in found.parts.values())
    return Reading(document.project, services, tuple(document.findings.warnings), tuple(document.findings.left_out))


def _project(document: Document, root: Path) -> Project:
    """The services that are awake, by the names that they get."""
    folder = os.path.relpath(document.folder.resolve(), root.resolve()).replace(os.sep, posixpath.sep)
    findings = document.findings
    for key in ("include", "models"):
        if document.data.get(key):
            findings.unsupported(key)
    services = document.section("services")
    if len(services) > MAX_SERVICES:
        raise findings.wrong("services", f"are {len(services)}, more than {MAX_SERVICES}", "Split the file.")
    active = {name.strip() for name in document.variables.get("COMPOSE_PROFILES", "").split(",")}
    found = Project(document, folder, Forms(findings))
    asleep = set()
    for written, raw in services.items():
        profiles = {scalar(name) for name in raw.get("profiles") or ()}
        if profiles and not profiles & active and "*" not in active:
            asleep.add(written)
            names = ", ".join(sorted(profiles))
            findings.warn(
                f"services.{written}.profiles", f"not imported: {names} is not active", "set COMPOSE_PROFILES"
            )
            continue
        found.parts[written] = Part(written, "", raw)
    # Names that are right as they are come first, so that no other service takes them.
    for exact in (True, False):
        for part in found.parts.values():
            taken = [other.name for other in found.parts.values()]
            if not part.name and (not exact or service_name(part.written, taken) == part.written):
                part.name = service_name(part.written, taken)
    found.asleep = frozenset(asleep)
    if not found.parts:
        raise findings.wrong("services", "none is active", "Set COMPOSE_PROFILES.")
    return found


def _check_keys(project: Project, part: Part) -> None:
    for key in part.raw:
        if key == "develop":
            project.forms.findings.warn(f"{part.path}.{key}", "is for docker compose watch alone")
        elif key not in CARRIED and not key.startswith("x-"):
            project.forms.findings.unsupported(f"{part.path}.{key}")


def _warn(project: Project) -> None:
    """What is dangerous in services, and what differs where there were several networks."""
    findings = project.forms.findings
    networks: dict[str, None] = {}
    for part in project.parts.values():
        networks |= dict.fromkeys(part.unit.get("networks", {}))
        if part.unit.get("privileged"):
            findings.warn(
                f"{part.path}.privileged",
                "it can do all that root can on the machine",
                "leave it out, and name what it needs: cap_add, devices",
            )
        if "container_name" in part.unit:
            name = part.unit["container_name"]
            findings.warn(
                f"{part.path}.container_name", "mlox names containers itself", f"others still find it as {name}"
            )
    if len(networks) > 1:
        names = ", ".join(sorted(networks))
        findings.warn("networks", f"{names} become the stack's one network", "all services can reach each other")


def _imported(part: Part, reserved: Collection[str]) -> Imported:
    """The service as a file of the catalog and an entry of the stack."""
    name = part.name if part.name not in reserved else service_name(f"{part.name}-compose", reserved)
    unit = dict(part.unit)
    if not unit.get("completes"):
        check = HealthcheckSpec.model_validate(unit.get("healthcheck", {}))
        unit["probe"] = {"container": True, "start_timeout_s": max(START_S, round(check.longest_s + 30))}
    told = scalar(part.raw.get("image")) or "an image of this workspace"
    values: dict[str, Any] = {
        "name": name,
        "version": part.version,
        "summary": f"{told}, as a compose file has it",
        "secrets": {key: {"help": "from a compose file"} for key in sorted(part.secrets)},
        "ports": part.ports,
        "data": part.data,
        "units": {UNIT: unit},
    }
    text = yaml_text({key: value for key, value in values.items() if value != {}})
    spec = parse(text, CatalogService, source=f"services.{part.written}")
    entry: Raw = {"service": name, "version": part.version, "server": SERVER}
    if part.published:
        entry["ports"] = dict(part.published)
    volumes = tuple(sorted(data["volume"] for data in part.data.values() if "volume" in data))
    return Imported(part.name, part.written, spec, text, entry, volumes, dict(part.secrets))
