"""What a container is: the keys of a Compose service that have one form each, and those of ``deploy``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlox.compose.forms import Forms
from mlox.compose.loading import Raw, scalar
from mlox.compose.parts import Part, Project
from mlox.variables import literal

TEXTS = ("platform", "working_dir", "user", "hostname", "container_name", "stop_signal", "pid", "runtime")
FLAGS = ("init", "tty", "stdin_open", "read_only", "privileged")
LISTS = ("group_add", "tmpfs", "dns", "expose", "cap_add", "cap_drop", "security_opt")
SIZES = ("shm_size", "mem_limit", "memswap_limit", "mem_reservation")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]*")
_RESTART = re.compile(r"no|always|unless-stopped|on-failure(:\d{1,6})?")
_NO_SWARM = "has no meaning on one engine, as in docker compose"


def read_container(project: Project, part: Part) -> None:
    """Put into the unit what its keys say of its container."""
    forms, raw, path, unit = project.forms, part.raw, part.path, part.unit
    unit |= {key: scalar(raw[key]) for key in TEXTS if raw.get(key) is not None}
    unit |= {key: True for key in FLAGS if forms.flag(raw.get(key), f"{path}.{key}")}
    unit |= {key: values for key in LISTS if (values := forms.texts(raw.get(key), f"{path}.{key}"))}
    unit |= {key: forms.size(raw[key], f"{path}.{key}") for key in SIZES if raw.get(key) is not None}
    for key in ("labels", "sysctls"):
        if raw.get(key):
            unit[key] = forms.pairs(raw[key], f"{path}.{key}")
    for key in ("command", "entrypoint"):
        words = forms.words(raw.get(key), f"{path}.{key}")
        if words is not None:
            unit[key] = [literal(word) for word in words]
    if raw.get("cpus") is not None:
        unit["cpus"] = forms.fraction(raw["cpus"], f"{path}.cpus")
    if raw.get("pids_limit") is not None:
        unit["pids_limit"] = forms.number(raw["pids_limit"], f"{path}.pids_limit")
    if raw.get("stop_grace_period") is not None:
        unit["stop_grace_period_s"] = _whole(forms.seconds(raw["stop_grace_period"], f"{path}.stop_grace_period"))
    _read_image(forms, part)
    _read_build(project, part)
    _read_hosts(forms, part)
    _read_limits(forms, part)
    _read_health(forms, part)
    unit["restart"] = _restart(forms, part)
    _read_deploy(forms, part)
    if raw.get("gpus"):
        unit["gpus"] = _devices(forms, raw["gpus"], f"{path}.gpus")
    if raw.get("scale") is not None and forms.number(raw["scale"], f"{path}.scale") != 1:
        forms.findings.unsupported(f"{path}.scale", "a service is one container")


def _read_image(forms: Forms, part: Part) -> None:
    image = scalar(part.raw.get("image"))
    policy = scalar(part.raw.get("pull_policy"))
    if policy:
        chosen = {"if_not_present": "missing"}.get(policy, policy)
        if chosen in ("always", "missing", "never", "build"):
            part.unit["pull_policy"] = chosen
        else:
            forms.findings.unsupported(f"{part.path}.pull_policy", f"{policy} is not supported")
    if not image:
        if not part.raw.get("build"):
            raise forms.findings.wrong(part.path, "has neither an image nor a build")
        return
    if re.search(r"[\s]", image):
        raise forms.findings.wrong(f"{part.path}.image", f"{image!r} is no image")
    name, at, _ = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not at and tag in ("", "latest") and not part.raw.get("build"):
        forms.findings.warn(
            f"{part.path}.image",
            f"{image} is another image tomorrow",
            "write a version; the digest that is found first stays in mlox.lock.yaml",
        )
    if not at and tag and _VERSION.fullmatch(tag):
        part.version = tag
        part.unit["image"] = f"{literal(name.removesuffix(tag))}${{version}}"
    else:
        part.unit["image"] = literal(image)


def _read_build(project: Project, part: Part) -> None:
    raw = part.raw.get("build")
    if not raw:
        return
    forms, path = project.forms, f"{part.path}.build"
    written: Mapping[str, Any] = {"context": raw} if isinstance(raw, str) else raw
    context = scalar(written.get("context") or ".")
    if "://" in context or context.startswith(("git@", "github.com/")):
        forms.findings.unsupported(f"{path}.context", "is no folder of this workspace")
        context = "."
    build: Raw = {"context": project.inside(context, f"{path}.context")}
    for key in ("dockerfile", "target"):
        if written.get(key):
            build[key] = scalar(written[key])
    if "dockerfile" in build:
        project.inside(f"{context}/{build['dockerfile']}", f"{path}.dockerfile")
    args = forms.items(written.get("args"), f"{path}.args")
    values = {key: project.document.variables.get(key) if value is None else value for key, value in args.items()}
    if values := {key: value for key, value in values.items() if value is not None}:
        build["args"] = values
    for key in written.keys() - {"context", "dockerfile", "target", "args"}:
        if not key.startswith("x-"):
            forms.findings.unsupported(f"{path}.{key}")
    part.unit["build"] = build


def _read_hosts(forms: Forms, part: Part) -> None:
    raw, path = part.raw.get("extra_hosts"), f"{part.path}.extra_hosts"
    if isinstance(raw, dict):
        if any(isinstance(value, list) and len(value) != 1 for value in raw.values()):
            forms.findings.unsupported(path, "a name with several addresses is not supported")
        hosts = {name: scalar(value[0] if isinstance(value, list) and value else value) for name, value in raw.items()}
    else:
        entries = forms.texts(raw, path)
        hosts = dict(re.split("[=:]", entry, maxsplit=1) for entry in entries if re.search("[=:]", entry))
        if len(hosts) < len(set(entries)):
            raise forms.findings.wrong(path, "an entry is no NAME=ADDRESS, or a name stands twice")
    if hosts:
        part.unit["extra_hosts"] = {name: address.strip("[]") for name, address in hosts.items()}


def _read_limits(forms: Forms, part: Part) -> None:
    path = f"{part.path}.ulimits"
    limits: dict[str, Raw] = {}
    for name, value in (part.raw.get("ulimits") or {}).items():
        both = value if isinstance(value, dict) else {"soft": value, "hard": value}
        limits[name] = {key: forms.number(both.get(key), f"{path}.{name}") for key in ("soft", "hard")}
    if limits:
        part.unit["ulimits"] = limits
    if logging := part.raw.get("logging"):
        options = forms.pairs(logging.get("options"), f"{part.path}.logging.options")
        driver = {"driver": scalar(logging["driver"])} if logging.get("driver") else {}
        part.unit["logging"] = {**driver, **({"options": options} if options else {})}
    if devices := part.raw.get("devices"):
        part.unit["devices"] = [_device(device) for device in devices]


def _device(value: object) -> str:
    if not isinstance(value, dict):
        return scalar(value)
    parts = (value.get("source"), value.get("target") or value.get("source"), value.get("permissions") or "rwm")
    return ":".join(map(scalar, parts))


def _read_health(forms: Forms, part: Part) -> None:
    raw, path = part.raw.get("healthcheck"), f"{part.path}.healthcheck"
    if not raw:
        return
    check: Raw = {}
    test = raw.get("test")
    if forms.flag(raw.get("disable"), f"{path}.disable"):
        check["test"] = ["NONE"]
    elif isinstance(test, str):
        check["test"] = ["CMD-SHELL", test]
    elif test:
        words = [scalar(word) for word in test]
        check["test"] = words[:1] if words[0] == "NONE" else words[:2] if words[0] == "CMD-SHELL" else words
        if words[0] not in ("NONE", "CMD", "CMD-SHELL") or (words[0] != "NONE" and len(words) < 2):
            raise forms.findings.wrong(f"{path}.test", "does not begin with NONE, CMD or CMD-SHELL and a command")
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if raw.get(key) is not None:
            check[key] = _whole(forms.seconds(raw[key], f"{path}.{key}"))
    if raw.get("retries") is not None:
        check["retries"] = forms.number(raw["retries"], f"{path}.retries", least=0, most=2**31)
    if check:
        part.unit["healthcheck"] = check


def _whole(seconds: float) -> float:
    """Seconds without a fraction where there is none."""
    return int(seconds) if seconds.is_integer() else seconds


def _restart(forms: Forms, part: Part) -> str:
    """The restart policy; that of ``deploy`` stands over ``restart``, as in docker compose."""
    policy = (part.raw.get("deploy") or {}).get("restart_policy") or {}
    written = scalar(part.raw.get("restart")) or "no"
    if policy:
        path = f"{part.path}.deploy.restart_policy"
        condition = {"none": "no", "any": "always", "": "always"}
        written = condition.get(scalar(policy.get("condition")), scalar(policy.get("condition")))
        if written == "on-failure" and policy.get("max_attempts") is not None:
            written += f":{forms.number(policy['max_attempts'], f'{path}.max_attempts', least=0, most=999_999)}"
        for key in policy.keys() & {"delay", "window"}:
            forms.findings.warn(f"{path}.{key}", _NO_SWARM)
    if not _RESTART.fullmatch(written):
        raise forms.findings.wrong(f"{part.path}.restart", f"{written!r} is no policy: no, always, on-failure, ...")
    return written


def _read_deploy(forms: Forms, part: Part) -> None:
    """Limits and reservations; what is for a swarm alone is told."""
    raw, path = part.raw.get("deploy") or {}, f"{part.path}.deploy"
    if raw.get("replicas") is not None and forms.number(raw["replicas"], f"{path}.replicas") != 1:
        forms.findings.unsupported(f"{path}.replicas", "a service is one container")
    for key in sorted(
        raw.keys() & {"mode", "placement", "update_config", "rollback_config", "endpoint_mode", "labels"}
    ):
        forms.findings.warn(f"{path}.{key}", _NO_SWARM)
    resources = raw.get("resources") or {}
    limits, reserved = resources.get("limits") or {}, resources.get("reservations") or {}
    if limits.get("cpus") is not None:
        part.unit["cpus"] = forms.fraction(limits["cpus"], f"{path}.resources.limits.cpus")
    if limits.get("pids") is not None:
        part.unit["pids_limit"] = forms.number(limits["pids"], f"{path}.resources.limits.pids")
    for key, values, where in (("mem_limit", limits, "limits"), ("mem_reservation", reserved, "reservations")):
        if values.get("memory") is not None:
            part.unit[key] = forms.size(values["memory"], f"{path}.resources.{where}.memory")
    if reserved.get("devices"):
        part.unit["gpus"] = _devices(forms, reserved["devices"], f"{path}.resources.reservations.devices")
    if reserved.get("cpus") is not None:
        forms.findings.warn(f"{path}.resources.reservations.cpus", _NO_SWARM)
    for key in reserved.keys() & {"generic_resources"}:
        forms.findings.unsupported(f"{path}.resources.reservations.{key}")


def _devices(forms: Forms, value: object, path: str) -> list[Raw]:
    """What ``gpus`` and reservations ask of a driver."""
    found: list[Raw] = []
    for index, one in enumerate(value if isinstance(value, list) else [{"count": value}]):
        where = f"{path}.{index}"
        device: Raw = {"capabilities": forms.texts(one.get("capabilities"), where) or ["gpu"]}
        if one.get("driver"):
            device["driver"] = scalar(one["driver"])
        if one.get("count") is not None:
            all_ = one["count"] == "all"
            device["count"] = -1 if all_ else forms.number(one["count"], f"{where}.count", most=1024)
        if one.get("device_ids"):
            device["device_ids"] = forms.texts(one["device_ids"], f"{where}.device_ids")
        if one.get("options"):
            device["options"] = forms.pairs(one["options"], f"{where}.options")
        found.append(device)
    return found
