"""What containers use: their cgroups' counters from the engine's statistics, memory, and what their volumes take.

Source: Docker Engine API, ``ContainerStats`` (``one-shot``: the engine does not wait for a second look of its own) and
``SystemDataUsage``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from mlox.backends.docker import bodies, containers, observing
from mlox.backends.docker.engine import Engine
from mlox.backends.docker.labels import Name
from mlox.backends.docker.site import Site
from mlox.errors import CommandError
from mlox.protocols import Observed, Usage
from mlox.units import Unit

BY_KIND = (1, 42)
"""Since this version of the API an engine tells the sizes of volumes alone; before, it counts images too."""

NANO = 1e-9
OK = 200


class DockerMeasuring:
    """The part of the Docker back end that is :class:`mlox.protocols.Measuring`."""

    _site: Site

    def measure(self, seen: Observed) -> Observed:
        """The same, with its process, its start and its memory: each costs the engine a question."""
        return measure(self._site, seen)

    def usage(self, units: Sequence[Unit]) -> tuple[Usage, ...]:
        """What each unit uses: two questions for each container."""
        return tuple(_usage(self._site.engine, unit) for unit in units)

    def data_bytes(self, units: Sequence[Unit]) -> tuple[Mapping[str, int] | None, ...]:
        """What each volume takes, from one question for all of them."""
        named = [[bodies.volume_name(unit, each) for each in bodies.volumes(unit)] for unit in units]
        try:
            sizes = volume_sizes(self._site.engine) if any(named) else {}
        except CommandError:  # an older engine counts for one caller at a time
            sizes = {}
        found = ({name: sizes[name] for name in names if name in sizes} for names in named)
        return tuple(each or None for each in found)


def measure(site: Site, seen: Observed) -> Observed:
    """The same with its process, since when it runs, how often it was started again, and its memory."""
    details = containers.of_unit(site.engine, Name(seen.stack, seen.service, seen.name))
    if details is None:
        return seen
    state = details["State"]
    pid = int(state["Pid"]) or None
    runs = bool(state["Running"])
    note = seen.note
    if seen.state == "failed" and not runs:
        note = observing.ended(state)
    return replace(
        seen,
        pid=pid if runs else None,
        since=observing.seconds(state["StartedAt"]) if runs else None,
        restarts=int(details["RestartCount"]),
        memory_bytes=_memory(site.engine, details) if runs and pid else None,
        note=note,
    )


def volume_sizes(engine: Engine) -> Mapping[str, int]:
    """How many bytes each volume of the engine takes, by its name; without those that it cannot count."""
    from docker.errors import APIError

    with engine.asked("measure volumes") as api:
        alone = tuple(int(part) for part in api.api_version.split(".")) >= BY_KIND
        answer = api.get(f"{api.base_url}/v{api.api_version}/system/df", params={"type": "volume"} if alone else {})
        if answer.status_code != OK:
            raise APIError(answer.reason, answer, answer.text.strip())
        found = answer.json().get("Volumes") or ()
    sizes = {str(each["Name"]): int((each.get("UsageData") or {}).get("Size", -1)) for each in found}
    return {name: size for name, size in sizes.items() if size >= 0}


def _usage(engine: Engine, unit: Unit) -> Usage:
    details = containers.of_unit(engine, Name.of(unit))
    if details is None:
        return Usage()
    state, restarts = details["State"], int(details["RestartCount"])
    if not state["Running"] or not state["Pid"]:
        return Usage(restarts=restarts)
    found = _statistics(engine, str(details["Id"]))
    spent_ns = ((found.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
    at_s = observing.seconds(str(found.get("read") or "0001-"))
    if spent_ns is None or at_s is None:
        return Usage(memory_bytes=_memory(engine, details), restarts=restarts)
    return Usage(spent_ns * NANO, at_s, str(state["StartedAt"]), _memory(engine, details, found), restarts)


def _statistics(engine: Engine, container: str) -> Mapping[str, Any]:
    with engine.asked("measure a container") as api:
        found: Mapping[str, Any] = api.stats(container, stream=False, one_shot=True)
    return found


def _memory(engine: Engine, details: Mapping[str, Any], found: Mapping[str, Any] | None = None) -> int | None:
    """What its processes take: by the process table, where it is this machine's, else by the engine's statistics."""
    container, pid = str(details["Id"]), int(details["State"]["Pid"])
    try:
        if container in Path(f"/proc/{pid}/cgroup").read_text():
            top = psutil.Process(pid)
            return sum(_resident(each) for each in (top, *top.children(recursive=True)))
    except (OSError, psutil.Error):
        pass
    memory = (_statistics(engine, container) if found is None else found).get("memory_stats") or {}
    if "usage" not in memory:
        return None
    idle = (memory.get("stats") or {}).get("inactive_file", (memory.get("stats") or {}).get("total_inactive_file", 0))
    return max(int(memory["usage"]) - int(idle), 0)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
