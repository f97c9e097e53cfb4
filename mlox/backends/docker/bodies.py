"""What the engine is asked to make of a unit: image, command, environment, mounts, ports, limits, labels.

Source: Docker Engine API v1.41, ``ContainerCreate``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlox.backends.docker import naming
from mlox.backends.docker.files import PLACE, Environment, through
from mlox.backends.docker.labels import Name, beside, labels_of
from mlox.backends.docker.settings import Json, Wishes, wishes
from mlox.backends.sockets import HOST
from mlox.units import Job, Launch, Unit, Volume
from mlox.variables import finish

SERVER = "server"

DEFAULT_SIGNAL = "SIGTERM"
"""What every image has unless it says otherwise; a unit that has it leaves the image its own."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is decided of a container before it is made.

    ``image`` is what the engine says of the image at ``pin``; with ``scripted`` its secrets come by the script.
    """

    unit: Unit
    launched: Launch
    environment: Environment
    image: Mapping[str, Any]
    pin: str
    scripted: bool

    @property
    def wishes(self) -> Wishes:
        """What its settings ask for."""
        settings = self.unit.container.settings if self.unit.container is not None else {}
        return wishes(settings, where=self.unit.service)

    @property
    def user(self) -> str:
        """As whom it runs: the unit's, else the image's."""
        own = self.unit.container.user if self.unit.container is not None else ""
        return own or str((self.image.get("Config") or {}).get("User") or "")


def volume_name(unit: Unit, volume: Volume) -> str:
    """What the volume with a data folder is called on the engine."""
    return volume.volume or naming.volume(unit.stack, unit.service, volume.name)


def volumes(unit: Unit) -> tuple[Volume, ...]:
    """The data folders of a unit."""
    return unit.container.volumes if unit.container is not None else ()


def container(frame: Frame) -> Json:
    """The unit's own container."""
    unit, wished = frame.unit, frame.wishes
    host = _host(frame)
    host["RestartPolicy"] = _restart(unit.restart)
    alone = wished.network_mode not in ("", "bridge", "default")
    if not alone:
        host["PortBindings"] = {
            f"{port.inside or port.number}/{port.protocol}": [{"HostIp": HOST, "HostPort": str(port.number)}]
            for port in unit.ports
        }
    exposed = wished.config.get("ExposedPorts", {})
    body = {
        **_base(frame, host),
        **wished.config,
        "ExposedPorts": exposed | {f"{port.inside or port.number}/{port.protocol}": {} for port in unit.ports},
        "Labels": {**wished.labels, **labels_of(unit)},
        "StopTimeout": math.ceil(unit.stop_grace_s),
        **command(frame),
    }
    if unit.stop_signal != DEFAULT_SIGNAL:
        body["StopSignal"] = unit.stop_signal
    check = _healthcheck(frame, wished)
    if check is not None:
        body["Healthcheck"] = check
    aliases = unit.container.aliases if unit.container is not None else ()
    _connect(body, frame, list(aliases))
    return body


def job(frame: Frame, job: Job) -> Json:
    """A container of the same image that runs one command to its end, as the unit would."""
    host = {**_host(frame), "RestartPolicy": _restart("no")}
    words = through(frame.scripted, tuple(finish(word) for word in job.argv))
    wished = {key: value for key, value in frame.wishes.config.items() if key != "ExposedPorts"}
    body = {
        **_base(frame, host),
        **wished,
        "Labels": beside(Name.of(frame.unit), "job"),
        "Entrypoint": [words[0]],
        "Cmd": list(words[1:]),
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": False,
        "OpenStdin": False,
    }
    _connect(body, frame, [])
    return body


def helper(image: str, name: Name, mounts: list[Json], argv: tuple[str, ...] = ("held",)) -> Json:
    """A container that only has mounts: files go in and out of it, and it may copy from one to another as root."""
    return {
        "Image": image,
        "User": "0:0",
        "Entrypoint": [argv[0]],
        "Cmd": list(argv[1:]),
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": beside(name, "helper"),
        "NetworkDisabled": True,
        "HostConfig": {"Mounts": mounts, "NetworkMode": "none", "RestartPolicy": _restart("no")},
    }


def mount(name: str, path: str, *, read_only: bool = False, copy: bool = True) -> Json:
    """A volume at a path; with ``copy`` an empty one gets what the image has there."""
    return {
        "Type": "volume",
        "Source": name,
        "Target": path,
        "ReadOnly": read_only,
        "VolumeOptions": {"NoCopy": not copy},
    }


def _host(frame: Frame) -> Json:
    unit, wished = frame.unit, frame.wishes
    own = naming.settings(unit.stack, unit.service, unit.name)
    mounts = [mount(own, PLACE, copy=False), *(mount(volume_name(unit, v), v.path) for v in volumes(unit))]
    hosts = unit.container.hosts if unit.container is not None else ()
    host: Json = {
        **wished.host,
        "Mounts": [*mounts, *wished.mounts],
        "NetworkMode": _of_service(unit, wished.network_mode) or naming.network(unit.stack),
    }
    if "PidMode" in host:
        host["PidMode"] = _of_service(unit, host["PidMode"])
    if wished.binds:
        host["Binds"] = list(wished.binds)
    if hosts:
        host["ExtraHosts"] = [f"{name}:{address}" for name, address in hosts]
    return host


def _of_service(unit: Unit, mode: str) -> str:
    """Compose's ``service:NAME`` as the engine says it: the first unit of a service is called ``server`` there."""
    kind, _, name = mode.partition(":")
    return f"container:{naming.container(unit.stack, name, SERVER)}" if kind == "service" else mode


def _base(frame: Frame, host: Json) -> Json:
    unit = frame.unit
    seen = dict(frame.environment.plain)
    if not frame.scripted:
        seen |= frame.environment.secret
    base: Json = {
        "Image": frame.pin,
        "Env": [f"{name}={value}" for name, value in seen.items()],
        "HostConfig": host,
    }
    if unit.container is not None and unit.container.user:
        base["User"] = unit.container.user
    if unit.container is not None and unit.container.working_dir:
        base["WorkingDir"] = unit.container.working_dir
    return base


def command(frame: Frame) -> Json:
    """What runs: an entrypoint of the unit's own leaves nothing of the image's command, as everywhere with Docker."""
    image = frame.image.get("Config") or {}
    own, words = frame.launched.entrypoint, frame.launched.command
    if not frame.scripted:
        made: Json = {"Cmd": list(words)} if words else {}
        if own is not None:
            made["Entrypoint"] = list(own) or [""]
        return made
    entry = tuple(image.get("Entrypoint") or ()) if own is None else own
    rest = words or (tuple(image.get("Cmd") or ()) if own is None else ())
    argv = through(True, (*entry, *rest))
    return {"Entrypoint": list(argv[:2]), "Cmd": list(argv[2:])}


def _healthcheck(frame: Frame, wished: Wishes) -> Json | None:
    """The unit's, else the image's, with the variables of the script, which the engine does not know."""
    own = wished.config.get("Healthcheck")
    image = (frame.image.get("Config") or {}).get("Healthcheck") or {}
    if not frame.scripted or (own is None and not image):
        return own
    made = {**image, **(own or {})}
    test = list(made.get("Test") or ())
    if test[:1] == ["CMD"]:
        made["Test"] = ["CMD", *through(True, tuple(test[1:]))]
    elif test[:1] == ["CMD-SHELL"]:
        shell = (frame.image.get("Config") or {}).get("Shell") or ["/bin/sh", "-c"]
        made["Test"] = ["CMD", *through(True, (*shell, *test[1:]))]
    return made


def _connect(body: Json, frame: Frame, aliases: list[str]) -> None:
    if not frame.wishes.network_mode:
        network = naming.network(frame.unit.stack)
        body["NetworkingConfig"] = {"EndpointsConfig": {network: {"Aliases": aliases}}}


def _restart(policy: str) -> Json:
    name, _, most = policy.partition(":")
    return {"Name": name, "MaximumRetryCount": int(most)} if most else {"Name": name}
