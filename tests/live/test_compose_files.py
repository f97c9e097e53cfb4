"""Whether docker compose reads what mlox exports, and as the same as the file that was imported."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlox.specs.amounts import seconds
from tests.test_compose_round import export
from tests.test_compose_tiers import Case, cases, read

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("compose")]
Raw = dict[str, Any]
PLUGINS = (".docker/cli-plugins", ".cache/mlox-tests/bin")


@pytest.fixture(scope="module")
def compose() -> Path:
    """Docker Compose as a program of its own: that of the live tests' engine, or the machine's."""
    if importlib.util.find_spec("tests.live.engine") is not None:
        found: Path = importlib.import_module("tests.live.engine.go").compose_binary()
        return found
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    paths = [Path(path) for path in (shutil.which("docker-compose"),) if path]
    paths += [path for folder in PLUGINS for path in sorted((home / folder).glob("docker-compose*"))]
    for path in paths:
        said = subprocess.run((path, "version", "--short"), capture_output=True, text=True, check=False).stdout
        if said.strip().removeprefix("v").partition(".")[0].isdigit() and not said.startswith(("1.", "v1.")):
            return path
    pytest.skip("there is no Docker Compose 2 here")


def config(compose: Path, folder: Path, environment: Mapping[str, str]) -> Raw:
    """What docker compose understands."""
    command = (compose, "config", "--format", "json")
    allowed = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
    done = subprocess.run(command, cwd=folder, env=allowed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: Raw = json.loads(done.stdout)
    return found


def normal(found: Raw) -> Raw:
    """What has to be equal. Not: names of the project, where ports are bound, whether a volume is there already, from
    where files come, links and further aliases, services that are asleep, and the two ways to write limits.
    """
    volumes = {key: one["name"] for key, one in (found.get("volumes") or {}).items()}
    return {name: normal_service(one, volumes) for name, one in found["services"].items()}


def normal_service(service: Raw, volumes: Mapping[str, str]) -> Raw:
    kept = {
        key: value
        for key, value in service.items()
        if value is not None and key not in {"deploy", "links", "profiles", "scale"}
    }
    limits = ((service.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    reserved = ((service.get("deploy") or {}).get("resources") or {}).get("reservations") or {}
    policy = (service.get("deploy") or {}).get("restart_policy") or {}
    kept |= {"mem_limit": limits["memory"]} if "memory" in limits else {}
    kept |= {"cpus": limits["cpus"]} if "cpus" in limits else {}
    kept |= {"pids_limit": limits["pids"]} if "pids" in limits else {}
    kept |= {"mem_reservation": reserved["memory"]} if "memory" in reserved else {}
    kept |= {"gpus": reserved["devices"]} if "devices" in reserved else {}
    kept |= {"restart": f"{policy['condition']}:{policy['max_attempts']}"} if policy else {}
    kept = {key: value for key, value in kept.items() if (key, value) != ("restart", "no")}
    if kept.get("stop_grace_period"):
        kept["stop_grace_period"] = seconds(kept["stop_grace_period"])
    kept["environment"] = {key: value for key, value in (kept.get("environment") or {}).items() if value is not None}
    kept["depends_on"] = {key: one for key, one in (kept.get("depends_on") or {}).items() if one["required"]}
    kept["devices"] = [{"permissions": "rwm", **device} for device in kept.get("devices", ())]
    both = {name: one if isinstance(one, dict) else {"soft": one, "hard": one} for name, one in ulimits(kept).items()}
    kept["ulimits"] = both
    check = kept.get("healthcheck", {})
    for key in check.keys() & {"interval", "timeout", "start_period", "start_interval"}:
        check[key] = seconds(check[key])
    kept["networks"] = sorted(kept.get("networks") or {})
    kept["ports"] = [
        {key: value for key, value in port.items() if key in ("target", "published", "protocol")}
        for port in kept.get("ports", ())
    ]
    kept["volumes"] = sorted((normal_mount(mount, volumes) for mount in kept.get("volumes", ())), key=str)
    for kind, folder in (("secrets", "/run/secrets/"), ("configs", "/")):
        files = [(file.get("target") or file["source"], file.get("mode")) for file in kept.pop(kind, ())]
        kept[kind] = sorted(name if name.startswith("/") else folder + name for name, _ in files)
    return {key: value for key, value in kept.items() if value not in ([], {})}


def ulimits(service: Raw) -> Raw:
    return service.get("ulimits") or {}


def normal_mount(mount: Raw, volumes: Mapping[str, str]) -> Raw:
    """A volume's own label for SELinux is left out: the engine labels volumes."""
    source = volumes.get(mount.get("source", ""), mount.get("source"))
    kept = {**mount, "source": source, **({"bind": None} if mount["type"] == "volume" else {})}
    return {key: value for key, value in kept.items() if value not in ({}, None)}


@pytest.mark.parametrize(
    "case", [case for case in cases() if "services" in case.values[0] and "4-safety" not in str(case.id)]
)
def test_what_is_exported_is_what_was_imported(case: Case, compose: Path, tmp_path: Path) -> None:
    reading = read(case, tmp_path)
    exported, values = export(reading, tmp_path)
    before = config(compose, tmp_path / "shop", case.get("environment", {}))
    (tmp_path / "compose.yaml").write_text(exported.text())
    after = config(compose, tmp_path, values)
    assert normal(after) == normal(before)


@pytest.mark.parametrize("case", [case for case in cases() if "services" in case.values[0]])
def test_docker_compose_accepts_every_export_and_asks_for_each_secret(
    case: Case, compose: Path, tmp_path: Path
) -> None:
    exported, values = export(read(case, tmp_path), tmp_path)
    (tmp_path / "compose.yaml").write_text(exported.text())
    assert set(config(compose, tmp_path, values)["services"]) == set(case["services"])
    asked = [v for v in values if f"${{{v}:?" in exported.text()]
    for variable in asked[:1]:
        left = {name: value for name, value in values.items() if name != variable}
        command = (compose, "--project-name", "shop", "config", "--quiet")
        environment = {"PATH": os.environ["PATH"], **left}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert variable in done.stderr
