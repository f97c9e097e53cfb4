"""What a catalog file says for Kubernetes: words and amounts of its API, users by number, pods that share folders."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlox.catalog import Catalog
from mlox.catalog.check import check
from mlox.documents import parse
from mlox.errors import SpecError
from mlox.specs import CatalogService, ClaimSpec, PodSpec
from mlox.specs.kubernetes import amount

POD: dict[str, Any] = {
    "run_as_user": 999,
    "run_as_group": 999,
    "fs_group": 999,
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "1Gi"},
}
WHOLE: dict[str, Any] = {
    "name": "mini",
    "version": "1",
    "summary": "a service",
    "ports": {"http": {"port": 8000}},
    "data": {"store": {"path": "/store", "kubernetes": {"storage": "10Gi"}}},
    "units": {
        "server": {"image": "mini:1", "user": "999:999", "kubernetes": POD},
        "worker": {
            "image": "mini:1",
            "kubernetes": {**{key: value for key, value in POD.items() if key != "fs_group"}, "pod": "server"},
        },
    },
}
WITHOUT_PODS = {"jupyterhub": "it has no image: on a cluster the servers of users are pods, which a KubeSpawner makes"}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The whole service with one value at a path of keys; None takes it out."""
    service = deepcopy(WHOLE)
    place: Any = service
    *parents, last = path.split("/")
    for key in parents:
        place = place.setdefault(key, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return service


def test_a_whole_one_fits() -> None:
    service = CatalogService.model_validate(WHOLE)
    check(service, source="mini.yaml")
    assert service.backends == ("docker",), "what no back end can run is not offered"


def test_pods_that_many_nodes_have_folders_for() -> None:
    service = changed("units/worker/kubernetes", POD)
    service["data"]["store"]["kubernetes"]["access_modes"] = ["ReadWriteMany"]
    check(CatalogService.model_validate(service), source="mini.yaml")


NO_GROUP = {key: value for key, value in POD.items() if key != "fs_group"}
WRONG = {
    "one unit has none": ("units/worker/kubernetes", None, "units.worker.kubernetes: is missing", "or none"),
    "a folder has none": ("data/store/kubernetes", None, "data.store.kubernetes: is missing", "storage: 10Gi"),
    "nothing to pull": ("units/server/image", None, "units.server.kubernetes: there is no image", "does not build"),
    "another user": ("units/server/user", "998:999", "run_as_user is 999, and user says 998", "one user"),
    "another group": ("units/server/user", "999:0", "run_as_group is 999, and user says 0", "one user"),
    "a pod of none": ("units/worker/kubernetes/pod", "sever", "unknown unit 'sever'", "Did you mean 'server'?"),
    "a pod of its own": ("units/worker/kubernetes/pod", "worker", "'worker' has no pod of its own", "no pod"),
    "two pods with a folder": ("units/worker/kubernetes", POD, "server, worker share it", "access_modes"),
    "no group for a folder": ("units/server/kubernetes", NO_GROUP, "has no fs_group", "Say fs_group"),
    "a long port": ("ports/a_port_with_a_name", {"port": 8001}, "at most 15 characters", "shorter"),
}


@pytest.mark.parametrize(("path", "value", "problem", "hint"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_told(path: str, value: Any, problem: str, hint: str) -> None:
    service = changed(path, value)
    for unit in service["units"].values():
        unit.setdefault("native", {"python": {"packages": ["mini"]}, "command": ["mini"]})
    with pytest.raises(SpecError, match=re.escape(problem)) as caught:
        check(CatalogService.model_validate(service), source="mini.yaml")
    assert caught.value.problem.startswith("mini.yaml: ")
    assert hint in (caught.value.hint or "")


MISSHAPEN = {
    "a user by name": ("run_as_user", "redis"),
    "a user below zero": ("run_as_user", -1),
    "no cpu": ("requests", {"memory": "1Gi"}),
    "no limit of memory": ("limits", {"cpu": 1}),
    "asks for more than it may": ("requests", {"cpu": "1", "memory": "2Gi"}),
    "no quantity": ("limits", {"memory": "1GB"}),
    "nothing": ("requests", {"cpu": 0, "memory": "1Gi"}),
    "no resource": ("limits", {"memory": "1Gi", "disk": "1Gi"}),
    "a group in another's pod": ("pod", "api"),
    "a typo": ("run_as_usr", 1),
}


@pytest.mark.parametrize(("key", "value"), MISSHAPEN.values(), ids=MISSHAPEN)
def test_a_pod_with_what_kubernetes_would_refuse(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match="PodSpec"):
        PodSpec.model_validate({**POD, key: value})


def test_a_typo_is_told_by_line() -> None:
    text = """\
name: mini
version: "1"
summary: a service
units:
  server:
    image: mini:1
    kubernetes:
      run_as_user: 1
      run_as_group: 1
      fs_grup: 1
      requests: {cpu: 1, memory: 1Gi}
      limits: {memory: 1Gi}
"""
    with pytest.raises(SpecError, match=r"mini\.yaml:10: units.server.kubernetes: unknown key 'fs_grup'") as caught:
        parse(text, CatalogService, source="mini.yaml")
    assert "'fs_group'" in (caught.value.hint or "")


def test_every_word_is_one_of_the_api() -> None:
    """As upstream's own client, which is generated from the API's description, has them."""
    from kubernetes import client

    ours = set(PodSpec.model_fields) - {"pod"}
    known = {
        *client.V1SecurityContext.attribute_map,
        *client.V1PodSecurityContext.attribute_map,
        *client.V1ResourceRequirements.attribute_map,
    }
    assert ours <= known
    assert "access_modes" in client.V1PersistentVolumeClaimSpec.attribute_map
    assert set(ClaimSpec.model_fields) == {"access_modes", "storage"}


NUMBERS = st.one_of(st.integers(1, 10**6).map(str), st.from_regex(r"[0-9]{0,3}\.[0-9]{1,3}", fullmatch=True))


@given(NUMBERS, st.sampled_from(["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]))
@example("1", "E")
def test_a_quantity_is_what_kubernetes_reads(number: str, suffix: str) -> None:
    assert amount(number + suffix) == theirs()(number + suffix)


@given(NUMBERS, st.sampled_from(["e3", "E2", "e-1", "e+2"]))
def test_a_quantity_may_have_an_exponent(number: str, exponent: str) -> None:
    assert amount(number + exponent) == Decimal(number + exponent)


@given(st.text(max_size=8))
@example("1GB")
@example("1 Gi")
@example("1gi")
@example("")
@example("\u0661")
def test_what_is_no_quantity_is_none_of_ours(text: str) -> None:
    try:
        ours = amount(text)
    except ValueError:
        return
    assert ours == theirs()(text)


def theirs() -> Callable[[str], Decimal]:
    """How upstream's own client reads a quantity; its package is large, and only what needs it waits for it."""
    from kubernetes.utils.quantity import parse_quantity

    return parse_quantity


@pytest.mark.parametrize("name", Catalog().names())
def test_the_catalog_has_them_filled_in(name: str) -> None:
    service = Catalog().get(name).service
    units, folders = service.units.values(), service.data.values()
    if name in WITHOUT_PODS:
        assert not any(unit.kubernetes for unit in units), "it has pods: take it off the list"
        return
    assert all(unit.kubernetes for unit in units)
    assert all(data.kubernetes for data in folders)


def test_a_version_without_an_image_has_no_pods() -> None:
    entry = Catalog().get("mlflow", "2.22.5").service
    assert not any(unit.image or unit.kubernetes for unit in entry.units.values())


def test_requests_are_near_what_the_service_is_said_to_take() -> None:
    """The estimate is of a whole service, idle: all its units together ask for about that much memory."""
    for entry in Catalog():
        pods = [unit.kubernetes for unit in entry.service.units.values() if unit.kubernetes]
        if pods:
            asked = sum(float(amount(pod.requests["memory"])) for pod in pods)
            assert 0.5 <= asked / entry.service.estimate.memory_bytes <= 8, entry.service.name
