"""What the catalog says for Kubernetes, held by an engine: as that user, without a capability, within its limits.

A container that may not gain privileges and has no capability, with the user, the groups and the limit of memory of its
pod. Not shown here: that a volume which root and the pod's group have is enough, and probes, names and claims of a
cluster.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mlox.catalog import Catalog
from mlox.specs import CatalogService
from mlox.specs.kubernetes import amount
from tests.live.catalog.case import all_cases
from tests.live.support import data_home as place
from tests.live.test_services import said, worked
from tests.slices import seeded

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("engine"),
    pytest.mark.timeout(1800),
]
CASES = {
    name: case
    for name, case in all_cases().items()
    if "docker" in Catalog().get(name).service.backends and "docker" not in case.absent
}
LIGHT = [name for name, case in CASES.items() if "docker" not in case.heavy]


def places() -> Sequence[object]:
    """Every service that has an image here; all but one is for the exhaustive run."""
    chosen = seeded()[0].choice(LIGHT)
    return [pytest.param(name, marks=[] if name == chosen else [pytest.mark.exhaustive]) for name in CASES]


@pytest.fixture
def workspace() -> Iterator[Path]:
    """A place for a workspace that the account of services may go through: it reads what options name."""
    with place() as folder:
        yield folder / "demo"


def as_pods(service: CatalogService, path: Path) -> str:
    """The service's file with what its pods would have, as another service: its text."""
    yaml = YAML(typ="safe", pure=True)
    written = yaml.load(path.read_text())
    written["name"] = f"pod-{service.name}"
    for name, unit in service.units.items():
        pod = unit.kubernetes
        assert pod is not None
        owner = service.units[pod.pod or name].kubernetes
        assert owner is not None
        written["units"][name] |= {
            "user": f"{pod.run_as_user}:{pod.run_as_group}",
            "group_add": [] if owner.fs_group is None else [str(owner.fs_group)],
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "mem_limit": int(amount(pod.limits["memory"])),
        }
    text = io.StringIO()
    yaml.dump(written, text)
    return text.getvalue()


@pytest.mark.parametrize("name", places())
def test_a_service_works_as_its_pods_would(
    name: str, workspace: Path, data_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = Catalog()
    path = catalog.path(name)
    assert path is not None
    services = workspace / "services"
    services.mkdir(parents=True)
    (services / f"pod-{name}.yaml").write_text(as_pods(catalog.get(name).service, path))
    with contextlib.ExitStack() as held:
        made = held.enter_context(worked(name, "docker", workspace, data_home, source=f"pod-{name}"))
        for variable, value in made.environment.items():
            monkeypatch.setenv(variable, value)
        made.done("up")
        said(made, CASES[name], CASES[name].write)
        before = said(made, CASES[name], CASES[name].read)
        made.done("down")
        made.done("up")
        assert said(made, CASES[name], CASES[name].read) == before
