"""Whether compose files become what they say: a data file a tier, as SERVICES.md counts them in public files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlox.catalog.check import check
from mlox.compose import Reading, read_compose
from mlox.documents import load
from mlox.errors import SpecError

TIERS = sorted((Path(__file__).parent / "compose").glob("*.yaml"))
Case = dict[str, Any]


def cases() -> Iterator[Any]:
    for tier in TIERS:
        found = load(tier.read_text("utf-8"), source=tier.name)
        assert isinstance(found, dict)
        for name, case in found.items():
            yield pytest.param(case, id=f"{tier.stem}: {name}")


def read(case: Case, folder: Path, *, allow_unsupported: bool = False) -> Reading:
    path = folder / "shop" / "compose.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(case["compose"])
    for name, text in case.get("files", {}).items():
        (folder / name).write_text(text)
    return read_compose(
        path,
        case.get("environment", {}),
        root=folder,
        reserved=case.get("reserved", ()),
        allow_unsupported=allow_unsupported,
    )


@pytest.mark.parametrize("case", list(cases()))
def test_a_compose_file_becomes_services(case: Case, tmp_path: Path) -> None:
    if "left_out" in case:
        with pytest.raises(SpecError) as caught:
            read(case, tmp_path)
        assert "--allow-unsupported" in str(caught.value.hint)
        assert any(path in caught.value.problem for path in case["left_out"])
        reading = read(case, tmp_path, allow_unsupported=True)
        assert sorted(finding.path for finding in reading.left_out) == sorted(case["left_out"])
        return
    reading = read(case, tmp_path)
    assert {service.name for service in reading.services} == set(case["services"])
    for service in reading.services:
        expected = case["services"][service.name]
        written: Any = load(service.text, source=service.name)
        check(service.spec, source=service.name)
        unit = written["units"]["server"]
        assert unit == expected["unit"], service.name
        values = {key: secret.reveal() for key, secret in service.secrets.items()}
        seen = {
            "version": written["version"],
            "service": service.spec.name,
            "published": service.entry.get("ports", {}),
            "ports": written.get("ports", {}),
            "data": written.get("data", {}),
            "secrets": values,
        }
        assert {key: seen[key] for key in expected if key != "unit"} == {
            k: v for k, v in expected.items() if k != "unit"
        }
        assert values.keys() == written.get("secrets", {}).keys()
    told = [str(finding) for finding in reading.warnings]
    assert set(case.get("warnings", ())) <= set(told)
    if all("password" not in one for one in told):
        assert sorted(told) == sorted(case.get("warnings", ()))


@pytest.mark.parametrize("case", list(cases()))
def test_no_secret_stands_in_what_is_written(case: Case, tmp_path: Path) -> None:
    reading = read(case, tmp_path, allow_unsupported=True)
    for service in reading.services:
        for secret in service.secrets.values():
            assert len(secret.reveal()) < 9 or secret.reveal() not in service.text + str(reading.warnings)
