"""What the keys of the Compose Specification are in the engine's own words.

Sources: https://docs.docker.com/reference/compose-file/services/ and the Docker Engine API v1.41, ``ContainerCreate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlox.errors import SpecError, nearest

NANO = 1_000_000_000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What settings ask for: keys of a container, of its host's side, labels, and its network, where that is another.

    ``binds`` and ``mounts`` come beside those of the unit's own data.
    """

    config: Json = field(default_factory=dict)
    host: Json = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    network_mode: str = ""
    platform: str = ""
    binds: tuple[str, ...] = ()
    mounts: tuple[Json, ...] = ()


PLAIN_HOST: Mapping[str, str] = {
    "cap_add": "CapAdd",
    "cap_drop": "CapDrop",
    "dns": "Dns",
    "group_add": "GroupAdd",
    "init": "Init",
    "pid": "PidMode",
    "pids_limit": "PidsLimit",
    "privileged": "Privileged",
    "read_only": "ReadonlyRootfs",
    "runtime": "Runtime",
    "security_opt": "SecurityOpt",
}
PLAIN_CONFIG: Mapping[str, str] = {"hostname": "Hostname", "stdin_open": "OpenStdin", "tty": "Tty"}
SIZES: Mapping[str, str] = {
    "mem_limit": "Memory",
    "mem_reservation": "MemoryReservation",
    "memswap_limit": "MemorySwap",
    "shm_size": "ShmSize",
}
ELSEWHERE = frozenset({"container_name", "networks", "pull_policy"})
"""Keys that say nothing to the container itself: names are mlox's, a stack has one network, images are at a pin."""


def wishes(settings: Mapping[str, Any], *, where: str) -> Wishes:
    """The settings of a container for the engine.

    Raises:
        SpecError: a key or a value is not known.

    Example:
        >>> wishes({"mem_limit": "64m", "cpus": 1.5}, where="cache").host
        {'Memory': 67108864, 'NanoCpus': 1500000000}
        >>> wishes({"cap_ad": ["ALL"]}, where="cache")
        Traceback (most recent call last):
        mlox.errors.SpecError: cache: the setting 'cap_ad' is not one that containers have
    """
    config: Json = {}
    host: Json = {}
    binds: list[str] = []
    mounts: list[Json] = []
    for key, value in settings.items():
        if key in PLAIN_HOST:
            host[PLAIN_HOST[key]] = value
        elif key in PLAIN_CONFIG:
            config[PLAIN_CONFIG[key]] = value
        elif key in SIZES:
            host[SIZES[key]] = size_bytes(value, where=f"{where}: {key}")
        elif key in _MADE:
            name, make = _MADE[key]
            host[name] = make(value)
        elif key == "volumes":
            _mount(value, binds, mounts, where=where)
        elif key == "healthcheck":
            config["Healthcheck"] = _healthcheck(value)
        elif key == "expose":
            config["ExposedPorts"] = {each if "/" in each else f"{each}/tcp": {} for each in map(str, value)}
        elif key not in {"labels", "network_mode", "platform", *ELSEWHERE}:
            known = {*PLAIN_HOST, *PLAIN_CONFIG, *SIZES, *_MADE, "volumes", "healthcheck", "expose", "labels"}
            raise SpecError(
                f"{where}: the setting {key!r} is not one that containers have",
                hint=nearest(key, known) or "Take it out.",
            )
    labels = {str(key): str(value) for key, value in (settings.get("labels") or {}).items()}
    return Wishes(
        config,
        host,
        labels,
        network_mode=settings.get("network_mode") or "",
        platform=settings.get("platform") or "",
        binds=tuple(binds),
        mounts=tuple(mounts),
    )


def size_bytes(value: Any, *, where: str) -> int:
    """A size in bytes, from Compose's way to write it.

    Raises:
        SpecError: it is none.
    """
    from docker.errors import DockerException
    from docker.utils import parse_bytes

    if isinstance(value, int):
        return value
    try:
        return int(parse_bytes(str(value).strip()))
    except (DockerException, ValueError) as error:
        raise SpecError(f"{where}: {value!r} is no size", hint="Write 512m, 1g, or a number of bytes.") from error


def _ulimits(value: Mapping[str, Any]) -> list[Json]:
    return [{"Name": name, "Soft": limit["soft"], "Hard": limit["hard"]} for name, limit in value.items()]


def _devices(value: list[str]) -> list[Json]:
    """``/dev/x[:/dev/y[:rwm]]``."""
    made = []
    for text in value:
        outside, _, rest = text.partition(":")
        inside, _, rights = rest.partition(":")
        made.append({"PathOnHost": outside, "PathInContainer": inside or outside, "CgroupPermissions": rights or "rwm"})
    return made


def _requests(value: list[Mapping[str, Any]]) -> list[Json]:
    """Compose ``gpus``."""
    made = []
    for each in value:
        count = each.get("count")
        identities = list(each.get("device_ids") or ())
        made.append(
            {
                "Driver": each.get("driver") or "",
                "Count": (0 if identities else -1) if count is None else count,
                "DeviceIDs": identities or None,
                "Capabilities": [list(each.get("capabilities") or ("gpu",))],
                "Options": dict(each.get("options") or {}),
            }
        )
    return made


def _tmpfs(value: list[str]) -> dict[str, str]:
    return {path: options for path, _, options in (text.partition(":") for text in value)}


def _logging(value: Mapping[str, Any]) -> Json:
    options = value.get("options")
    if options is None:
        options = {key: each for key, each in value.items() if key != "driver"}
    return {"Type": value.get("driver") or "", "Config": {str(key): str(each) for key, each in options.items()}}


def _healthcheck(value: Mapping[str, Any]) -> Json:
    """Times in nanoseconds; what is not said is as in the image."""
    times = {"interval": "Interval", "timeout": "Timeout", "start_period": "StartPeriod"}
    made: Json = {name: int(value[key] * NANO) for key, name in times.items() if value.get(key) is not None}
    if value.get("test") is not None:
        made["Test"] = list(value["test"])
    if value.get("retries") is not None:
        made["Retries"] = value["retries"]
    return made


_MADE: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "cpus": ("NanoCpus", lambda value: int(value * NANO)),
    "devices": ("Devices", _devices),
    "gpus": ("DeviceRequests", _requests),
    "logging": ("LogConfig", _logging),
    "sysctls": ("Sysctls", lambda value: {key: str(each) for key, each in value.items()}),
    "tmpfs": ("Tmpfs", _tmpfs),
    "ulimits": ("Ulimits", _ulimits),
}


def _mount(value: list[Any], binds: list[str], mounts: list[Json], *, where: str) -> None:
    """Mounts that are no data of the service. Only ``binds`` can say what is made on the host, or relabelled."""
    for each in value:
        if isinstance(each, str):
            source = each.partition(":")[0]
            if source.startswith((".", "~")):
                raise SpecError(f"{where}: the mount {each!r} is relative", hint="Write an absolute path.")
            binds.append(each)
        elif each["type"] == "bind" and (each.get("create_host_path", True) or each.get("selinux")):
            words = ["ro" if each.get("read_only") else "rw", each.get("propagation"), each.get("selinux")]
            binds.append(f"{each['source']}:{each['target']}:{','.join(filter(None, words))}")
        else:
            mounts.append(_long(each))


def _long(each: Mapping[str, Any]) -> Json:
    made: Json = {"Type": each["type"], "Target": each["target"], "ReadOnly": bool(each.get("read_only"))}
    if each.get("source") is not None:
        made["Source"] = each["source"]
    if each["type"] == "bind" and each.get("propagation"):
        made["BindOptions"] = {"Propagation": each["propagation"]}
    if each["type"] == "volume":
        made["VolumeOptions"] = {"NoCopy": bool(each.get("nocopy"))}
        if each.get("subpath"):
            made["VolumeOptions"]["Subpath"] = each["subpath"]
    if each["type"] == "tmpfs":
        options = {"SizeBytes": each.get("size"), "Mode": int(each["mode"], 8) if each.get("mode") else None}
        made["TmpfsOptions"] = {key: option for key, option in options.items() if option is not None}
    return made
