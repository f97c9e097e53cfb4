"""Compose's keys in the engine's words: all that a unit may have are known, and mean what Compose means."""

from __future__ import annotations

from typing import Any

import pytest

from mlox.backends.docker.settings import size_bytes, wishes
from mlox.errors import SpecError
from mlox.resolve.forms import TOLD_ELSEWHERE
from mlox.specs.compose import ComposeKeys

HOST: dict[str, tuple[Any, dict[str, Any]]] = {
    "cap_add": (["NET_ADMIN"], {"CapAdd": ["NET_ADMIN"]}),
    "cap_drop": (["ALL"], {"CapDrop": ["ALL"]}),
    "cpus": (0.5, {"NanoCpus": 500_000_000}),
    "devices": (
        ["/dev/null:/dev/x:r", "/dev/zero"],
        {
            "Devices": [
                {"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "r"},
                {"PathOnHost": "/dev/zero", "PathInContainer": "/dev/zero", "CgroupPermissions": "rwm"},
            ]
        },
    ),
    "dns": (["10.0.0.1"], {"Dns": ["10.0.0.1"]}),
    "gpus": (
        [{"count": 2}, {"device_ids": ["0"], "driver": "nvidia"}],
        {
            "DeviceRequests": [
                {"Driver": "", "Count": 2, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}},
                {"Driver": "nvidia", "Count": 0, "DeviceIDs": ["0"], "Capabilities": [["gpu"]], "Options": {}},
            ]
        },
    ),
    "group_add": (["audio"], {"GroupAdd": ["audio"]}),
    "init": (True, {"Init": True}),
    "logging": (
        {"driver": "json-file", "options": {"max-size": "10m"}},
        {"LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}}},
    ),
    "mem_limit": (1024, {"Memory": 1024}),
    "mem_reservation": (512, {"MemoryReservation": 512}),
    "memswap_limit": (-1, {"MemorySwap": -1}),
    "pid": ("host", {"PidMode": "host"}),
    "pids_limit": (50, {"PidsLimit": 50}),
    "privileged": (True, {"Privileged": True}),
    "read_only": (True, {"ReadonlyRootfs": True}),
    "runtime": ("runc", {"Runtime": "runc"}),
    "security_opt": (["no-new-privileges:true"], {"SecurityOpt": ["no-new-privileges:true"]}),
    "shm_size": (64 << 20, {"ShmSize": 64 << 20}),
    "sysctls": ({"net.core.somaxconn": 1024}, {"Sysctls": {"net.core.somaxconn": "1024"}}),
    "tmpfs": (["/run:size=1m", "/tmp"], {"Tmpfs": {"/run": "size=1m", "/tmp": ""}}),
    "ulimits": ({"nofile": {"soft": 1, "hard": 2}}, {"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]}),
}
CONFIG: dict[str, tuple[Any, dict[str, Any]]] = {
    "expose": (["80", "53/udp"], {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}),
    "healthcheck": (
        {"test": ["CMD", "true"], "interval": 1.5, "retries": 2},
        {"Healthcheck": {"Interval": 1_500_000_000, "Test": ["CMD", "true"], "Retries": 2}},
    ),
    "hostname": ("web", {"Hostname": "web"}),
    "stdin_open": (True, {"OpenStdin": True}),
    "tty": (True, {"Tty": True}),
}
OTHERWISE = {"container_name", "labels", "network_mode", "networks", "platform", "pull_policy", "volumes"}


@pytest.mark.parametrize("key", sorted(HOST))
def test_what_is_on_the_side_of_the_host(key: str) -> None:
    value, expected = HOST[key]
    assert wishes({key: value}, where="web").host == expected


@pytest.mark.parametrize("key", sorted(CONFIG))
def test_what_is_the_containers_own(key: str) -> None:
    value, expected = CONFIG[key]
    assert wishes({key: value}, where="web").config == expected


def test_every_key_that_a_unit_may_have_is_known() -> None:
    assert {*HOST, *CONFIG, *OTHERWISE} == set(ComposeKeys.model_fields) - TOLD_ELSEWHERE


def test_names_networks_and_labels() -> None:
    settings = {
        "container_name": "mine",
        "labels": {"team": "blue"},
        "network_mode": "host",
        "networks": {"front": {}},
        "platform": "linux/amd64",
        "pull_policy": "always",
    }
    found = wishes(settings, where="web")
    assert (found.config, found.host) == ({}, {})
    assert (found.labels, found.network_mode, found.platform) == ({"team": "blue"}, "host", "linux/amd64")


def test_mounts_of_the_host_in_memory_and_of_volumes() -> None:
    volumes = [
        {"type": "bind", "source": "/srv/x", "target": "/x", "read_only": True},
        {"type": "bind", "source": "/srv/y", "target": "/y", "create_host_path": False, "propagation": "rslave"},
        {"type": "volume", "source": "old", "target": "/old", "nocopy": True},
        {"type": "tmpfs", "target": "/run", "size": 1024, "mode": "0700"},
    ]
    found = wishes({"volumes": volumes}, where="web")
    assert found.binds == ("/srv/x:/x:ro",)
    bind, volume, memory = found.mounts
    assert (bind["Source"], bind["BindOptions"]) == ("/srv/y", {"Propagation": "rslave"})
    assert (volume["Source"], volume["VolumeOptions"]) == ("old", {"NoCopy": True})
    assert memory["TmpfsOptions"] == {"SizeBytes": 1024, "Mode": 0o700}


def test_what_is_not_known_is_named() -> None:
    with pytest.raises(SpecError, match="web: the setting 'cap_ad' is not one that containers have") as caught:
        wishes({"cap_ad": ["ALL"]}, where="web")
    assert caught.value.hint == "Did you mean 'cap_add'?"
    with pytest.raises(SpecError, match="'much' is no size"):
        size_bytes("much", where="web: mem_limit")
    with pytest.raises(SpecError, match="relative"):
        wishes({"volumes": ["./x:/x"]}, where="web")
