"""How the services of a compose file reach each other and are reached: ports, networks, links, who begins first."""

from __future__ import annotations

from mlox.compose.forms import Port, ports
from mlox.compose.loading import Raw, scalar
from mlox.compose.parts import DEFAULT_NETWORK, Part, Project, identifier

_LOOPBACK = ("127.", "::1")
_CONDITIONS = frozenset({"service_started", "service_healthy", "service_completed_successfully"})
_NO_MEANING = "has no meaning where a stack has one network"


def read_ports(project: Project, part: Part) -> None:
    """Named ports of the service, and the numbers that they had on the host; all are published on loopback."""
    findings, path = project.forms.findings, f"{part.path}.ports"
    found = ports(project.forms, part.raw.get("ports"), path)
    if found and scalar(part.raw.get("network_mode")) in ("host", "none"):
        findings.warn(path, "no port is published where the network is not its own, as in docker compose")
        found = []
    for port in found:
        name = _port_name(port, part.ports)
        part.ports[name] = {"port": port.inside, **({"protocol": "udp"} if port.protocol == "udp" else {})}
        if (port.published, port.protocol) in _published(project):
            findings.warn(path, f"{port.published} is asked for twice", "this one gets another number on the host")
        elif port.published is not None:
            part.published[name] = port.published
        if not port.address.startswith(_LOOPBACK):
            where = f"on {port.address}" if port.address not in ("", "0.0.0.0", "::") else "on every interface"  # noqa: S104
            host = f"127.0.0.1:{port.published or ''}:{port.inside}"
            findings.warn(path, f"{port.published or port.inside} was published {where}", f"now on loopback: {host}")


def _published(project: Project) -> set[tuple[int, str]]:
    parts = project.parts.values()
    return {(at, scalar(part.ports[n].get("protocol", "tcp"))) for part in parts for n, at in part.published.items()}


def _port_name(port: Port, taken: dict[str, Raw]) -> str:
    plain = f"p{port.inside}" + ("_udp" if port.protocol == "udp" else "")
    return identifier(port.name or plain, taken)


def read_networks(project: Project, part: Part) -> None:
    """The networks that a service is on, and the names that it has there."""
    forms, raw, path = project.forms, part.raw.get("networks"), f"{part.path}.networks"
    mode = scalar(part.raw.get("network_mode"))
    if mode:
        part.unit["network_mode"] = _of_service(project, mode, f"{part.path}.network_mode")
        if raw:
            raise forms.findings.wrong(f"{part.path}.network_mode", "stands beside networks", "Take one of them out.")
        if mode == "host":
            forms.findings.warn(
                f"{part.path}.network_mode",
                "all that it listens on is open on the machine's own network",
                "leave it out and name its ports",
            )
    if "pid" in part.unit:
        part.unit["pid"] = _of_service(project, part.unit["pid"], f"{part.path}.pid")
    written = {name: {} for name in forms.texts(raw, path)} if not isinstance(raw, dict) else raw
    networks: dict[str, Raw] = {}
    for name, one in written.items():
        _check_network(project, name, f"{path}.{name}")
        options = one or {}
        aliases = forms.texts(options.get("aliases"), f"{path}.{name}.aliases")
        networks[name] = {"aliases": list(dict.fromkeys(aliases))} if aliases else {}
        for key in options.keys() - {"aliases", "priority", "gw_priority"}:
            if not key.startswith("x-"):
                forms.findings.unsupported(f"{path}.{name}.{key}")
        for key in options.keys() & {"priority", "gw_priority"}:
            forms.findings.warn(f"{path}.{name}.{key}", _NO_MEANING)
    if networks and networks != {DEFAULT_NETWORK: {}}:
        part.unit["networks"] = networks
    if not networks and not mode:
        _check_network(project, DEFAULT_NETWORK, f"networks.{DEFAULT_NETWORK}")
    if not mode and part.written != part.name:
        part.add_alias(part.written)


def _of_service(project: Project, mode: str, path: str) -> str:
    """``service:NAME`` with the name that the service gets."""
    kind, _, name = mode.partition(":")
    if kind == "service":
        if name not in project.parts:
            raise project.forms.findings.wrong(path, f"there is no service {name!r}")
        return f"service:{project.parts[name].name}"
    return mode


def _check_network(project: Project, name: str, path: str) -> None:
    """Whether the stack's own network can stand for one of the file's."""
    findings, declared = project.forms.findings, project.document.section("networks")
    if name not in declared and name != DEFAULT_NETWORK:
        raise findings.wrong(path, f"there is no network {name!r} below networks", "Declare it there.")
    written = declared.get(name, {})
    if scalar(written.get("driver")) not in ("", "bridge"):
        findings.unsupported(f"networks.{name}.driver", "a stack has one network of the kind bridge")
    for key in ("external", "internal", "ipam", "driver_opts", "enable_ipv6"):
        if written.get(key) and scalar(written[key]) not in ("false", "no"):
            findings.unsupported(f"networks.{name}.{key}", "a stack has one network of its own")


def read_links(project: Project, part: Part) -> None:
    """``depends_on`` and ``links``: who begins first, and by which further names it is found."""
    forms, depends = project.forms, dict[str, Raw]()
    raw = part.raw.get("depends_on") or {}
    written = {name: {} for name in forms.texts(raw, "")} if isinstance(raw, list) else raw
    for name, one in written.items():
        _add_dependency(project, depends, name, one or {}, f"{part.path}.depends_on.{name}")
    for index, link in enumerate(forms.texts(part.raw.get("links"), f"{part.path}.links")):
        name, _, alias = link.partition(":")
        path = f"{part.path}.links.{index}"
        if name not in project.parts or project.parts[name].name not in depends:
            _add_dependency(project, depends, name, {"restart": True}, path)
        if alias and name in project.parts and alias != name:
            target = project.parts[name]
            if "network_mode" in target.unit:
                forms.findings.unsupported(path, f"{name} is on no network of its own")
            else:
                target.add_alias(alias)
    for mode in (part.unit.get("network_mode", ""), part.unit.get("pid", "")):
        kind, _, name = mode.partition(":")
        if kind == "service":
            depends.setdefault(name, {"restart": True})
    if depends:
        part.unit["depends_on"] = depends


def _add_dependency(project: Project, depends: dict[str, Raw], name: str, written: Raw, path: str) -> None:
    forms = project.forms
    required = forms.flag(written.get("required", True), f"{path}.required")
    if name not in project.parts:
        if required and name in project.asleep:
            raise forms.findings.wrong(path, f"{name} is of a profile that is not active", "Set COMPOSE_PROFILES.")
        if required:
            raise forms.findings.wrong(path, f"there is no service {name!r}")
        return
    condition = scalar(written.get("condition")) or "service_started"
    if condition not in _CONDITIONS:
        raise forms.findings.wrong(f"{path}.condition", f"{condition!r} is none that there is")
    target = project.parts[name]
    if condition == "service_completed_successfully":
        target.unit["completes"] = True
    found: Raw = {} if condition == "service_started" else {"condition": condition}
    found |= {"restart": True} if forms.flag(written.get("restart"), f"{path}.restart") else {}
    found |= {} if required else {"required": False}
    depends[target.name] = found


def check_circles(project: Project) -> None:
    """Raise a :class:`SpecError` where services wait for each other."""
    waits = {part.name: set(part.unit.get("depends_on", ())) for part in project.parts.values()}
    while waits:
        free = {name for name, others in waits.items() if not others & waits.keys()}
        if not free:
            names = ", ".join(sorted(waits)[:5])
            raise project.forms.findings.wrong("services", f"wait for each other in a circle: {names}")
        waits = {name: others for name, others in waits.items() if name not in free}
