"""Whether a compose file that was imported and exported is imported as the same again, and says no secret."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings

from mlox.catalog import Entry
from mlox.compose import Exported, Reading, read_compose
from mlox.compose.writing import yaml_text
from mlox.specs import ServiceSpec, StackSpec
from mlox.stack.exporting import written
from tests.compose_models import compose_models

EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
ENVIRONMENT = {"THE_TOKEN": "tok-in-the-environment"}


def read(text: str, environment: Mapping[str, str]) -> tuple[Reading, Path]:
    root = Path(tempfile.mkdtemp())
    path = root / "compose.yaml"
    path.write_text(text, "utf-8")
    return read_compose(path, environment, root=root, project="first"), root


def export(reading: Reading, root: Path) -> tuple[Exported, dict[str, str]]:
    """The compose file of what was read, and the values of the variables that it asks for."""
    services = {s.name: ServiceSpec.model_validate(s.entry) for s in reading.services}
    spec = StackSpec(name="second", id="second-12ab", services=services)
    entries = {service.name: Entry(service.spec, source="a file") for service in reading.services}
    exported = written(spec, entries, str(root), names=tuple(entries))
    secrets = {f"{s.name}.{key}": secret.reveal() for s in reading.services for key, secret in s.secrets.items()}
    values = {variable: secrets[told.split()[3]] for variable, told in exported.variables.items()}
    assert set(values.values()) == set(secrets.values())
    return exported, values


def facts(reading: Reading) -> dict[str, tuple[Any, ...]]:
    """All that is kept of a reading, by service."""
    return {
        s.name: (
            s.spec.model_dump(),
            dict(s.entry),
            s.volumes,
            {key: secret.reveal() for key, secret in s.secrets.items()},
        )
        for s in reading.services
    }


@EXAMPLES
@given(compose_models())
def test_what_is_exported_is_imported_as_the_same(model: dict[str, Any]) -> None:
    first, root = read(yaml_text(model), ENVIRONMENT)
    exported, values = export(first, root)
    event(f"{len(values)} secrets")
    again, _ = read(exported.text(), values)
    assert facts(again) == facts(first)
    once_more, _ = export(again, root)
    assert once_more.document() == exported.document()


@EXAMPLES
@given(compose_models())
def test_no_secret_stands_in_what_is_exported(model: dict[str, Any]) -> None:
    first, root = read(yaml_text(model), ENVIRONMENT)
    exported, values = export(first, root)
    strong = {value for value in values.values() if len(value) >= 12}
    assert not [value for value in strong if value in exported.text()]
    assert "tok-in-the-environment" not in exported.text() + "".join(service.text for service in first.services)
    ports = [port for service in exported.services.values() for port in service.get("ports", ())]
    assert {port["host_ip"] for port in ports} <= {"127.0.0.1"}
