"""Containers one by one: made, looked at, renamed, stopped, removed; what has our name and is not ours stays."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from mlox.backends.docker import labels, naming
from mlox.backends.docker.engine import Engine
from mlox.backends.docker.labels import Name, There
from mlox.errors import PortTakenError, RequirementError, ServiceError

PATIENCE_S = 20.0
POLL_S = 0.05

AFTER_GRACE_S = 60
"""How long the engine may take to stop a container, beyond the grace that this has."""


def inspect(engine: Engine, container: str) -> Mapping[str, Any] | None:
    """All that the engine knows of a container; None where there is none."""
    from docker.errors import NotFound

    with engine.asked("look at a container") as api:
        try:
            found: Mapping[str, Any] = api.inspect_container(container)
        except NotFound:
            return None
    return found


def of_unit(engine: Engine, name: Name) -> Mapping[str, Any] | None:
    """All that the engine knows of the container that counts of a unit; None where there is none.

    One question, where it has its plain name: no other counts more.
    """
    there = inspect(engine, name.plain)
    if there is not None and labels.are_of(there["Config"]["Labels"], name):
        return there
    found = labels.one(engine, name)
    return inspect(engine, found.id) if found is not None else None


def create(engine: Engine, name: str, body: Mapping[str, Any], *, platform: str = "", doing: str) -> str:
    """Make a container and answer its id; one of ours that has the name, and is not needed, is removed before.

    Raises:
        RequirementError: a stranger has the name.
        CommandError: the engine refuses what the container should be.
    """
    from docker.errors import APIError

    own = naming.Labels.of(body.get("Labels") or {})
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with engine.asked(doing) as api:
            try:
                made = api.create_container_from_config(body, name, platform or None)  # type: ignore[no-untyped-call]
            except APIError as error:
                if error.status_code != 409 or time.monotonic() > deadline:
                    raise
            else:
                return str(made["Id"])
        there = inspect(engine, name)
        if there is not None:
            naming.check_ours("container", name, there["Config"]["Labels"], own or naming.Labels(""))
            remove(engine, str(there["Id"]))
        time.sleep(POLL_S)  # a name is free again only when all of its container is gone


def check_name(engine: Engine, name: str, wanted: naming.Labels) -> None:
    """Raise a :class:`RequirementError` where a stranger's container has a name that we need."""
    there = inspect(engine, name)
    if there is not None:
        naming.check_ours("container", name, there["Config"]["Labels"], wanted)


def start(engine: Engine, container: str, doing: str) -> None:
    """Let it run.

    Raises:
        PortTakenError: somebody has a port of it.
        ServiceError: the image lacks what it should run, or the engine cannot run it so.
    """
    from docker.errors import APIError

    with engine.asked(doing) as api:
        try:
            api.start(container)
        except APIError as error:
            said = str(error.explanation or error).strip()
            if any(words in said for words in ("port is already allocated", "address already in use", "Bind for ")):
                raise PortTakenError(
                    f"{doing}: a port is taken: {said}",
                    hint="Run the same command again: mlox picks a free port.",
                ) from error
            if "executable file not found" in said or "no such file or directory" in said:
                raise ServiceError(
                    f"{doing}: its image cannot: {said}", hint="Check its command and its image."
                ) from error
            raise


def halt(engine: Engine, there: There, grace_s: float) -> None:
    """End its processes, and the engine's starting them again; it stays.

    Raises:
        ServiceError: it does not end.
    """
    from docker.errors import APIError, NotFound

    with engine.asked(f"stop {there.labels.service}") as api:
        try:
            if there.state == "paused":
                api.unpause(there.id)
            wait = math.ceil(grace_s)
            answer = api.post(
                f"{api.base_url}/v{api.api_version}/containers/{there.id}/stop",
                params={"t": wait},
                timeout=wait + AFTER_GRACE_S,
            )
            if answer.status_code not in (204, 304, 404):
                answer.raise_for_status()
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409:
                raise
    left = inspect(engine, there.id)
    if left is not None and left["State"]["Running"]:
        raise ServiceError(
            f"the container {there.name} does not end",
            hint="Its processes wait for the kernel (a disk, a network drive): mend that, then run it again.",
        )


def rename(engine: Engine, container: str, name: str, wanted: naming.Labels) -> None:
    """Give it another name.

    Raises:
        RequirementError: a stranger has that name.
    """
    from docker.errors import APIError

    with engine.asked(f"rename {name}") as api:
        try:
            api.rename(container, name)
        except APIError as error:
            if error.status_code != 409:
                if "same name" in str(error.explanation):
                    return
                raise
            there = inspect(engine, name)
            if there is not None and there["Id"].startswith(container):
                return
            if there is not None:
                naming.check_ours("container", name, there["Config"]["Labels"], wanted)
            raise RequirementError(
                f"the name {name} is in use by another container", hint=f"Remove that: docker rm {name}."
            ) from error


def remove(engine: Engine, container: str) -> None:
    """Remove it, running or not, with its nameless volumes; does nothing where it is gone."""
    from docker.errors import APIError

    with engine.asked("remove a container") as api:
        try:
            api.remove_container(container, v=True, force=True)
        except APIError as error:
            if error.status_code not in (404, 409):  # gone, or being removed
                raise
