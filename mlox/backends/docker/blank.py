"""Containers with nothing in them, which never run: what they hold is in their labels, their files and their mounts."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from mlox.backends.docker import archives, containers, naming
from mlox.backends.docker.leasing import IMAGE
from mlox.backends.docker.naming import Labels
from mlox.backends.docker.settings import Json
from mlox.backends.docker.site import Site


def body(site: Site, labels: Mapping[str, str], mounts: list[Json] | None = None) -> Json:
    """What the engine is asked to make; the image is brought."""
    from docker.errors import ImageNotFound

    with site.engine.asked("look for the empty image") as api:
        try:
            api.inspect_image(IMAGE)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            deque(api.load_image(archives.empty_image(IMAGE, naming.LEASE)), maxlen=0)  # type: ignore[no-untyped-call]
    host = {"Mounts": mounts or [], "NetworkMode": "none"}
    return {"Image": IMAGE, "Cmd": ["held"], "Labels": dict(labels), "NetworkDisabled": True, "HostConfig": host}


def put(site: Site, name: str, labels: Mapping[str, str], *, doing: str) -> None:
    """Have one of that name with these labels, in place of the one before: there is always one of them whole.

    Raises:
        RequirementError: a stranger's container has the name.
    """
    wanted = Labels.of(labels) or Labels("")
    before, left = containers.inspect(site.engine, name), containers.inspect(site.engine, after(name))
    if before is None and left is not None:
        naming.check_ours("container", after(name), left["Config"]["Labels"], wanted)
        containers.rename(site.engine, str(left["Id"]), name, wanted)
        before = left
    made = containers.create(site.engine, after(name), body(site, labels), doing=doing)
    if before is not None:
        naming.check_ours("container", name, before["Config"]["Labels"], wanted)
        containers.remove(site.engine, str(before["Id"]))
    containers.rename(site.engine, made, name, wanted)


def after(name: str) -> str:
    """What the one is called that comes in its place."""
    return f"{name}-next"
