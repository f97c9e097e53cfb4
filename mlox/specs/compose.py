"""The keys of a Compose service that a unit may have, with Compose's meaning (https://compose-spec.io)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlox.specs.model import Name, Scalar, Spec


class BuildSpec(Spec):
    """Compose ``build``: where an image is built from."""

    context: str
    dockerfile: str | None = None
    target: str | None = None
    args: dict[str, Scalar] = Field(default_factory=dict)


class UlimitSpec(Spec):
    """Compose ``ulimits``: a soft and a hard limit."""

    soft: int
    hard: int


class ComposeKeys(Spec):
    """Compose's keys for one container. Lists and maps stand in their map or list form only, never in both."""

    image: str | None = None
    build: BuildSpec | None = None
    platform: str | None = None
    pull_policy: Literal["always", "missing", "never", "build"] | None = None
    command: list[str] | None = None
    entrypoint: list[str] | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    env_file: list[str] = Field(default_factory=list)
    working_dir: str | None = None
    user: str | None = None
    group_add: list[str] = Field(default_factory=list)
    init: bool = False
    tty: bool = False
    stdin_open: bool = False
    depends_on: list[Name] = Field(default_factory=list)
    restart: Literal["no", "always", "on-failure", "unless-stopped"] = "unless-stopped"
    stop_signal: str = "SIGTERM"
    stop_grace_period_s: float = 10
    volumes: list[str] = Field(default_factory=list)
    tmpfs: list[str] = Field(default_factory=list)
    read_only: bool = False
    hostname: str | None = None
    network_mode: str | None = None
    networks: list[str] = Field(default_factory=list)
    dns: list[str] = Field(default_factory=list)
    extra_hosts: dict[str, str] = Field(default_factory=dict)
    expose: list[str] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    cap_add: list[str] = Field(default_factory=list)
    cap_drop: list[str] = Field(default_factory=list)
    security_opt: list[str] = Field(default_factory=list)
    privileged: bool = False
    devices: list[str] = Field(default_factory=list)
    sysctls: dict[str, Scalar] = Field(default_factory=dict)
    ulimits: dict[str, UlimitSpec] = Field(default_factory=dict)
    shm_size: str | None = None
    pid: str | None = None
    pids_limit: int | None = None
    runtime: str | None = None
    scale: int = 1
    mem_limit: str | None = None
    memswap_limit: str | None = None
    cpus: float | None = None
    logging: dict[str, Scalar] = Field(default_factory=dict)
