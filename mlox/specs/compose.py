"""The keys of a Compose service that a unit may have, with Compose's meaning (https://compose-spec.io).

Where Compose knows a short and a long form, a list and a map, the long form or the map stands here; what is short in
Compose and has one meaning may be short here too. Paths of the host are relative to the workspace.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from mlox.specs.amounts import Duration, Size
from mlox.specs.model import Name, Scalar, Spec

Count = Annotated[int, Field(ge=-1, le=2**63 - 1)]
Absolute = Annotated[str, StringConstraints(pattern=r"^/")]
Octal = Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3,4}$")]


class BuildSpec(Spec):
    """Compose ``build``: where an image is built from."""

    context: str
    dockerfile: str | None = None
    target: str | None = None
    args: dict[str, Scalar] = Field(default_factory=dict)


class UlimitSpec(Spec):
    """Compose ``ulimits``: a soft and a hard limit."""

    soft: Count
    hard: Count


class HealthcheckSpec(Spec):
    """Compose ``healthcheck``: what the engine runs inside. ``test`` begins with CMD, CMD-SHELL or NONE.

    What is None is as the image has it, or the engine's default.
    """

    test: list[str] | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    retries: Annotated[int, Field(ge=0, le=2**31)] | None = None
    start_period: Duration | None = None
    start_interval: Duration | None = None

    @field_validator("test")
    @classmethod
    def _kind_first(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and (
            not value
            or (value[0] == "NONE" and len(value) > 1)
            or (value[0] == "CMD-SHELL" and len(value) != 2)
            or (value[0] == "CMD" and len(value) < 2)
            or value[0] not in ("NONE", "CMD", "CMD-SHELL")
        ):
            raise ValueError("test is [NONE], [CMD, program, ...] or [CMD-SHELL, line]")
        return value

    @property
    def disabled(self) -> bool:
        """Whether a health check of the image is switched off."""
        return self.test == ["NONE"]

    @property
    def longest_s(self) -> float:
        """After how many seconds at most the engine says that it is unhealthy, by the engine's defaults."""
        interval = 30 if self.interval is None else self.interval
        timeout = 30 if self.timeout is None else self.timeout
        retries = self.retries or 3
        return (self.start_period or 0) + retries * (interval + timeout)


class DependSpec(Spec):
    """Compose ``depends_on``: what is awaited of another service before this one starts."""

    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] = "service_started"
    restart: bool = False
    required: bool = True


class VolumeSpec(Spec):
    """A mount that is no data folder of the service: of the host, in memory, or a volume with special wishes."""

    type: Literal["bind", "volume", "tmpfs"]
    source: str | None = None
    target: Absolute
    read_only: bool = False
    create_host_path: bool = True
    propagation: Literal["shared", "slave", "private", "rshared", "rslave", "rprivate"] | None = None
    selinux: Literal["z", "Z"] | None = None
    nocopy: bool = False
    subpath: str | None = None
    size: Size | None = None
    mode: Octal | None = None

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if (self.type == "tmpfs") == (self.source is not None):
            raise ValueError(f"a {self.type} mount has {'no' if self.type == 'tmpfs' else 'a'} source")
        return self


class NetworkSpec(Spec):
    """How a service is on one of Compose's networks. A stack has one network; the names are kept for ``export``."""

    aliases: list[str] = Field(default_factory=list)


class LoggingSpec(Spec):
    """Compose ``logging``: the engine's driver and its options."""

    driver: str | None = None
    options: dict[str, str] = Field(default_factory=dict)


class DeviceRequestSpec(Spec):
    """Compose ``gpus``, or a device of ``deploy.resources.reservations``: what a driver gives, such as GPUs."""

    driver: str | None = None
    count: Annotated[int, Field(ge=-1, le=1024)] | None = None
    device_ids: list[str] = Field(default_factory=list)
    capabilities: list[str] = Field(default_factory=lambda: ["gpu"])
    options: dict[str, str] = Field(default_factory=dict)


def _map_of_names(value: Any) -> Any:
    """Compose's list form of ``depends_on`` and ``networks`` as a map."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return {one: {} for one in value}
    return {name: {} if one is None else one for name, one in value.items()} if isinstance(value, dict) else value


Restart = Annotated[str, StringConstraints(pattern=r"^(no|always|unless-stopped|on-failure(:[0-9]{1,6})?)$")]


class ComposeKeys(Spec):
    """Compose's keys for one container. Lists and maps stand in their map or list form only, never in both."""

    image: str | None = None
    build: BuildSpec | None = None
    platform: str | None = None
    pull_policy: Literal["always", "missing", "never", "build"] | None = None
    command: list[str] | None = None
    entrypoint: list[str] | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    working_dir: str | None = None
    user: str | None = None
    group_add: list[str] = Field(default_factory=list)
    init: bool = False
    tty: bool = False
    stdin_open: bool = False
    depends_on: Annotated[dict[Name, DependSpec], BeforeValidator(_map_of_names)] = Field(default_factory=dict)
    healthcheck: HealthcheckSpec | None = None
    restart: Restart = "unless-stopped"
    stop_signal: str = "SIGTERM"
    stop_grace_period_s: Duration = 10
    volumes: list[VolumeSpec] = Field(default_factory=list)
    tmpfs: list[str] = Field(default_factory=list)
    read_only: bool = False
    container_name: str | None = None
    hostname: str | None = None
    network_mode: str | None = None
    networks: Annotated[dict[str, NetworkSpec], BeforeValidator(_map_of_names)] = Field(default_factory=dict)
    dns: list[str] = Field(default_factory=list)
    extra_hosts: dict[str, str] = Field(default_factory=dict)
    expose: list[str] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    cap_add: list[str] = Field(default_factory=list)
    cap_drop: list[str] = Field(default_factory=list)
    security_opt: list[str] = Field(default_factory=list)
    privileged: bool = False
    devices: list[str] = Field(default_factory=list)
    gpus: list[DeviceRequestSpec] = Field(default_factory=list)
    sysctls: dict[str, Scalar] = Field(default_factory=dict)
    ulimits: dict[str, UlimitSpec] = Field(default_factory=dict)
    shm_size: Size | None = None
    pid: str | None = None
    pids_limit: Count | None = None
    runtime: str | None = None
    mem_limit: Size | None = None
    memswap_limit: Size | None = None
    mem_reservation: Size | None = None
    cpus: Annotated[float, Field(ge=0, le=100_000)] | None = None
    logging: LoggingSpec | None = None

    @property
    def aliases(self) -> tuple[str, ...]:
        """The further names by which other containers of the stack find this one, sorted."""
        names = {alias for network in self.networks.values() for alias in network.aliases}
        return tuple(sorted(names | ({self.container_name} if self.container_name else set())))
