"""What can be deployed: every service of the catalog keeps the rules."""

from __future__ import annotations

import re

import pytest
from packaging.specifiers import SpecifierSet

from mlox.catalog import BUILT_IN, Catalog
from mlox.resolve import check_options, own_program
from mlox.specs import OptionSpec
from mlox.specs.model import Scalar
from mlox.variables import references

NAMES = Catalog().names()
PROMISED = {
    *(
        "airflow",
        "container-registry",
        "feast",
        "github",
        "grafana",
        "influxdb",
        "jupyterhub",
        "kafka",
        "litellm",
        "milvus",
        "minio",
    ),
    *(
        "mlflow",
        "mlflow-model",
        "mlserver",
        "ollama",
        "openbao",
        "otel-collector",
        "postgres",
        "prometheus",
        "qdrant",
        "redis",
    ),
}


def test_the_catalog_has_what_is_promised() -> None:
    assert set(NAMES) >= PROMISED
    assert list(NAMES) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_service_is_loaded_without_a_complaint(name: str) -> None:
    entry = Catalog().get(name)
    assert entry.service.name == name
    assert entry.source == ""


@pytest.mark.parametrize("name", NAMES)
def test_every_service_is_pinned_and_supports_its_own_version(name: str) -> None:
    service = Catalog().get(name).service
    if service.supports:
        assert re.fullmatch(r"\d+(\.\d+)*", service.version)
        assert SpecifierSet(service.supports).contains(service.version)
    else:
        assert re.fullmatch(r"RELEASE\.[\dTZ-]+", service.version)
    for unit in service.units.values():
        assert not (unit.image or "").endswith(":latest")


def _some(option: OptionSpec) -> Scalar:
    """A value that fits an option."""
    texts = ("x", "models:/x/1", "file:///x")
    return option.choices[0] if option.choices else next(t for t in texts if re.fullmatch(option.pattern or ".*", t))


@pytest.mark.parametrize("name", NAMES)
def test_every_service_runs_with_its_defaults_or_says_what_it_needs(name: str) -> None:
    service = Catalog().get(name).service
    open_options = {key: option for key, option in service.options.items() if option.default is None}
    values = {key: _some(option) for key, option in open_options.items()}
    assert set(check_options(service, values, where=name)) == set(service.options)


@pytest.mark.parametrize("name", NAMES)
def test_every_service_generates_its_secrets_and_explains_what_it_has(name: str) -> None:
    service = Catalog().get(name).service
    assert all(secret.generate or secret.help for secret in service.secrets.values())
    assert all(secret.generate is None or secret.generate >= 24 for secret in service.secrets.values())
    assert all(option.help for option in service.options.values())
    assert service.summary
    assert service.homepage.startswith("https://")
    assert service.estimate.memory_bytes > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_unit_listens_on_loopback_alone_and_is_probed(name: str) -> None:
    service = Catalog().get(name).service
    for unit in service.units.values():
        assert unit.probe is not None
        assert unit.native is not None
        command = unit.native.command or unit.command or []
        texts = [*command, *unit.environment.values(), *(file.content for file in unit.files.values())]
        assert not any("0.0.0.0" in text or "--host=::" in text for text in texts)  # noqa: S104
        assert unit.listens == [] or any(v.kind == "bind" for text in texts for v in references(text))
        assert not any(v.kind in ("secret", "quoted") for text in command for v in references(text))


@pytest.mark.parametrize("name", NAMES)
def test_every_file_tells_where_its_facts_come_from(name: str) -> None:
    text = (BUILT_IN / f"{name}.yaml").read_text("utf-8")
    assert text.startswith("# ")
    assert re.search(r"^# Sources?: ", text, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_is_promised_says_what_to_install(name: str) -> None:
    client = Catalog().get(name).service.client
    assert (client.object is None) == (client.package is None)


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_that_can_be_rotated_is_used_by_the_unit_in_which_it_is(name: str) -> None:
    service = Catalog().get(name).service
    unit = next(iter(service.units.values()))
    jobs = [word for job in service.jobs.values() for word in job.argv]
    texts = [*unit.environment.values(), *(file.content for file in unit.files.values()), *jobs]
    used = {each.name for text in texts for each in references(text) if each.kind in ("secret", "secretfile", "bcrypt")}
    assert {key for key, secret in service.secrets.items() if secret.rotate} <= used


def test_a_service_of_python_has_not_the_version_of_a_program_that_it_calls() -> None:
    assert own_program(Catalog().get("jupyterhub").service) is None
    program = own_program(Catalog().get("redis").service)
    assert program is not None
    assert program.name == "redis-server"
