"""Whether what a catalog file says for Kubernetes fits together: images, pods, users, ports and folders of data."""

from __future__ import annotations

from collections.abc import Iterator

from mlox.errors import SpecError, UnknownNameError
from mlox.specs import CatalogService, PodSpec, UnitSpec

LONGEST_PORT = 15
"""How many characters the name of a port may have: IANA_SVC_NAME, https://kubernetes.io/docs/reference/kubernetes-api/."""


def check_pods(service: CatalogService, *, source: str) -> None:
    """Raise a :class:`SpecError` for the first thing with which no pod could be made."""
    pods = {name: unit.kubernetes for name, unit in service.units.items() if unit.kubernetes is not None}
    claims = {name for name, data in service.data.items() if data.kubernetes is not None}
    if not pods and not claims:
        return
    for where, problem, hint in _problems(service, pods, claims):
        raise SpecError(f"{source}: {where}: {problem}", hint=hint)


def _problems(
    service: CatalogService, pods: dict[str, PodSpec], claims: set[str]
) -> Iterator[tuple[str, str, str | None]]:
    for name, unit in service.units.items():
        where = f"units.{name}.kubernetes"
        if name not in pods:
            yield where, "is missing: other parts of the service have it", "All units and folders have it, or none."
            return
        if unit.image is None:
            yield where, "there is no image for its pod", "Say image: a cluster does not build."
        yield from ((where, *found) for found in _user(unit, pods[name]))
        yield from ((f"{where}.pod", *found) for found in _companion(name, pods))
    for name in sorted(service.data.keys() - claims):
        yield (
            f"data.{name}.kubernetes",
            "is missing: its units run in pods",
            "Say how much it asks for: {storage: 10Gi}.",
        )
    for port in service.ports:
        if len(port) > LONGEST_PORT:
            yield f"ports.{port}", f"Kubernetes takes at most {LONGEST_PORT} characters", "Give it a shorter name."
    yield from _folders(service, pods)


def _user(unit: UnitSpec, pod: PodSpec) -> Iterator[tuple[str, str | None]]:
    """Compose's ``user`` with numbers, and that of the pod, are one."""
    said = (unit.user or "").split(":")
    for number, key in zip(said, ("run_as_user", "run_as_group"), strict=False):
        if number.isdecimal() and int(number) != getattr(pod, key):
            yield f"{key} is {getattr(pod, key)}, and user says {number}", "A container has one user wherever it runs."


def _companion(name: str, pods: dict[str, PodSpec]) -> Iterator[tuple[str, str | None]]:
    host = pods[name].pod
    if host is not None and host not in pods:
        error = UnknownNameError.among("unit", host, pods)
        yield error.problem, error.hint
    elif host is not None and (host == name or pods[host].pod is not None):
        yield f"{host!r} has no pod of its own", "Name a unit that says no pod."


def _folders(service: CatalogService, pods: dict[str, PodSpec]) -> Iterator[tuple[str, str, str | None]]:
    """Each unit has all folders: what one node has is in one pod, whose group owns it."""
    own = [name for name, pod in pods.items() if pod.pod is None]
    for folder, data in service.data.items():
        if len(own) > 1 and data.kubernetes is not None and "ReadWriteMany" not in data.kubernetes.access_modes:
            yield (
                f"data.{folder}.kubernetes",
                f"the pods of {', '.join(own)} share it, and access_modes has no ReadWriteMany",
                "Put the units into one pod, with pod: UNIT, or say access_modes: [ReadWriteMany].",
            )
    for name in own if service.data else ():
        if pods[name].fs_group is None:
            yield (
                f"units.{name}.kubernetes",
                "its pod mounts folders of data, and has no fs_group",
                "Say fs_group: a group that the unit is in, which gets to own the volumes.",
            )
