"""Which services a workspace brings itself: a file that fits is one, a file that does not is told why."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mlox.catalog import Catalog
from mlox.errors import SpecError, UnknownNameError
from mlox.specs import CatalogService

NAMES = Catalog().names()

MINIMAL: dict[str, Any] = {
    "name": "mini",
    "version": "1.2",
    "summary": "a service",
    "options": {"size": {"type": "integer", "default": 1, "help": "how large"}},
    "secrets": {"password": {"generate": 16}},
    "ports": {"http": {"port": 8000, "scheme": "http"}},
    "data": {"store": {}},
    "needs": {"database": {"capability": "postgresql", "embedded": {"url": "sqlite:///${dir.store}/x.db"}}},
    "provides": {"mini": {"url": {"scheme": "http", "port": "http"}}},
    "jobs": {"init": {"unit": "server", "argv": ["mini", "init"]}},
    "units": {
        "server": {
            "native": {"python": {"packages": ["mini==${version}"]}, "command": ["mini", "--port=${port.http}"]},
            "environment": {"PASSWORD": "${secret.password}", "DATABASE": "${need.database.url}"},
            "files": {"mini.ini": {"content": "size = ${option.size}"}},
            "probe": {"http": {"port": "http"}},
        }
    },
    "client": {"environment": {"MINI_URL": "${url.http}"}, "password": "password"},
}


GRANT: dict[str, Any] = {
    "unit": "server",
    "names": ["user"],
    "secrets": {"password": {"generate": 24}},
    "url": {"scheme": "http", "port": "http", "user": "${grant.user}", "password": "${grant.password}"},
    "argv": ["mini", "grant"],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The minimal service with one value at a path of keys; None takes it out."""
    service = deepcopy(MINIMAL)
    place: Any = service
    *parents, last = path.split("/")
    for key in parents:
        place = place.setdefault(key, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return service


def folder_with(folder: Path, service: Any, name: str = "mini") -> Catalog:
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(service, file)
    return Catalog([folder])


def test_a_file_of_the_workspace_is_a_service(tmp_path: Path) -> None:
    catalog = folder_with(tmp_path / "services", MINIMAL)
    entry = catalog.get("mini")
    assert entry.service.backends == ("native",)
    assert entry.source
    assert set(catalog.names()) == {"mini", *NAMES}
    assert [entry.service.name for entry in catalog] == list(catalog.names())


def test_the_source_changes_with_the_file(tmp_path: Path) -> None:
    first = folder_with(tmp_path / "a", MINIMAL).get("mini").source
    assert folder_with(tmp_path / "b", MINIMAL).get("mini").source == first
    assert folder_with(tmp_path / "c", changed("summary", "another")).get("mini").source != first


def test_a_service_of_mlox_cannot_be_shadowed(tmp_path: Path) -> None:
    catalog = folder_with(tmp_path, changed("name", "redis"), name="redis")
    assert catalog.get("redis").service == Catalog().get("redis").service
    assert catalog.get("redis").source == ""


def test_a_folder_that_there_is_not_has_no_services(tmp_path: Path) -> None:
    assert Catalog([tmp_path / "services"]).names() == NAMES


def test_an_unknown_service_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown service 'mlfow'") as caught:
        Catalog().get("mlfow")
    assert caught.value.hint == "Did you mean 'mlflow'?"


def test_a_file_has_the_name_of_its_service(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="name is 'mini'") as caught:
        folder_with(tmp_path, MINIMAL, name="other").get("other")
    assert caught.value.hint == "Name the file mini.yaml."


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "mini.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(SpecError, match=r"mini\.yaml: cannot be read"):
        Catalog([tmp_path]).get("mini")


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("name: [")
    catalog = folder_with(tmp_path, MINIMAL)
    assert catalog.get("mini").service.version == "1.2"
    with pytest.raises(SpecError, match=r"broken\.yaml:1"):
        catalog.get("broken")


WRONG: dict[str, tuple[str, Any, str, str]] = {
    "unknown key": ("sumary", "x", "unknown key 'sumary'", "'summary'"),
    "no summary": ("summary", None, "summary: missing", "Mend"),
    "version is a number": ("version", 1.2, "version", "Mend"),
    "unknown variable": ("units/server/environment/X", "${env.HOME}", "is not a variable of the catalog", ""),
    "misspelt kind": ("units/server/environment/X", "${prot.http}", "units.server.environment.X", "'port'"),
    "not closed": ("units/server/environment/X", "${port.http", "not closed", "Close it"),
    "unknown port": ("units/server/native/command", ["x", "${port.htp}"], "unknown port 'htp'", "'http'"),
    "unknown option": ("units/server/files/mini.ini/content", "${option.sise}", "unknown option 'sise'", "'size'"),
    "unknown secret": ("units/server/environment/X", "${secret.pasword}", "unknown secret", "'password'"),
    "unknown directory": ("units/server/environment/X", "${dir.stor}", "unknown dir 'stor'", "'store'"),
    "unknown need": ("units/server/environment/X", "${need.databse.url}", "unknown need", "'database'"),
    "unknown value of a need": ("units/server/environment/X", "${need.database.uri}", "unknown value of need", "'url'"),
    "a client sees no need": ("client/environment/X", "${need.database.url}", "cannot be used here", "url"),
    "a unit has no url": ("units/server/environment/X", "${url.http}", "cannot be used here", "port"),
    "an embedded need needs nothing": ("needs/database/embedded/url", "${need.database.url}", "cannot be used", "dir"),
    "packages know the version": ("needs/database/packages", ["x==${option.size}"], "cannot be used here", "version"),
    "a command sees no secret": (
        "units/server/native/command",
        ["x", "${secret.password}"],
        "units.server.native.command: ${secret...} cannot be used here",
        "secretfile",
    ),
    "a probe sees no secret": (
        "units/server/probe",
        {"exec": ["x", "${secret.password}"]},
        "units.server.probe.exec: ${secret...} cannot be used here",
        "secretfile",
    ),
    "a job sees no secret": ("jobs/init/argv", ["${secret.password}"], "cannot be used here", "secretfile"),
    "an offer sees no port": ("provides/mini/values", {"x": "${port.http}"}, "cannot be used here", "secret"),
    "probe of an unknown port": ("units/server/probe/http/port", "https", "no port 'https'", "http"),
    "listens on an unknown port": ("units/server/listens", ["web"], "units.server.listens: no port 'web'", "http"),
    "offer of an unknown port": ("provides/mini/url/port", "web", "provides.mini.url: no port 'web'", "http"),
    "job of an unknown unit": ("jobs/init/unit", "worker", "jobs.init: no unit 'worker'", "server"),
    "password of the client": ("client/password", "secret", "client.password: no secret 'secret'", "Declare"),
    "what is wired speaks of its own need": (
        "needs/database/wired",
        {"x": "${need.other.url}"},
        "needs.database.wired.x: unknown need 'other'",
        "database",
    ),
    "a rotation sees no secret": (
        "secrets/password/rotate",
        ["x", "${secret.password}"],
        "secrets.password.rotate: ${secret...} cannot be used here",
        "option",
    ),
    "a secret that a grant could bring": (
        "secrets/database_password",
        {"generate": 24},
        "secrets.database_password: what a provider of the need 'database' gives may have that name",
        "does not begin with database_",
    ),
    "a grant in an unknown unit": (
        "provides/mini/grant",
        {**GRANT, "unit": "worker"},
        "provides.mini.grant: no unit 'worker'",
        "server",
    ),
    "an unknown name in a grant": (
        "provides/mini/grant",
        {**GRANT, "values": {"x": "${grant.usr}"}},
        "provides.mini.grant.x: unknown name or secret of the grant 'usr'",
        "'user'",
    ),
    "a grant sees no secret of the provider": (
        "provides/mini/grant",
        {**GRANT, "values": {"x": "${secret.password}"}},
        "provides.mini.grant.x: ${secret...} cannot be used here",
        "grant",
    ),
    "the command of a grant sees no secret": (
        "provides/mini/grant",
        {**GRANT, "argv": ["x", "${grant.password}"]},
        "provides.mini.grant.argv: ${grant...} cannot be used here",
        "port",
    ),
    "an offer without a grant has no account": (
        "provides/mini/values",
        {"x": "${grant.user}"},
        "${grant...} cannot be used here",
        "secret",
    ),
    "a secret of a grant is made": (
        "provides/mini/grant",
        {**GRANT, "secrets": {"password": {"help": "x"}}},
        "a secret of a grant needs generate",
        "Mend",
    ),
    "a folder that is none": (
        "units/server/native",
        {
            "binary": {"name": "x", "version_argv": ["x"], "version_pattern": "x", "folders": ["here/bin"]},
            "command": ["x"],
        },
        "folders",
        "Mend",
    ),
    "packages of an unknown option": (
        "units/server/native/python/option",
        "extra",
        "units.server.native.python.option: no option 'extra'",
        "below options",
    ),
    "no units": ("units", {}, "no unit 'server'", "Units"),
    "two probes": ("units/server/probe/tcp", {"port": "http"}, "exactly one of: http, tcp, exec", "Mend"),
    "two kinds of software": (
        "units/server/native/binary",
        {"name": "x", "version_argv": ["x"], "version_pattern": "x"},
        "exactly one of: python, binary",
        "Mend",
    ),
    "no software": ("units/server/native/python", None, "exactly one of: python, binary", "Mend"),
    "mode of a file": ("units/server/files/mini.ini/mode", "rw", "mode", "Mend"),
    "name of a file": ("units/server/files/..%2Fx", {"content": "x"}, "files", "Mend"),
    "port out of range": ("ports/http/port", 70000, "ports.http.port", "Mend"),
    "a short secret": ("secrets/password/generate", 4, "secrets.password.generate", "Mend"),
    "a path that containers do not see": ("options/size", {"type": "path", "help": "x"}, "has a target", "Mend"),
    "a target of what is no path": ("options/size/target", "/x", "has a target", "Mend"),
    "a secret that is made, and need not be": (
        "secrets/password/optional",
        True,
        "a secret that is generated is always there",
        "Mend",
    ),
    "runs nowhere": ("units/server/native", None, "no back end can run every unit", "native or image"),
}


@pytest.mark.parametrize(("path", "value", "problem", "hint"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_told_when_it_is_loaded(tmp_path: Path, path: str, value: Any, problem: str, hint: str) -> None:
    with pytest.raises(SpecError, match=re.escape(problem)) as caught:
        folder_with(tmp_path, changed(path, value)).get("mini")
    assert f"{tmp_path}/mini.yaml" in caught.value.problem
    assert hint in (caught.value.hint or "")


def test_a_service_without_units_is_a_connector(tmp_path: Path) -> None:
    service = {key: MINIMAL[key] for key in ("name", "version", "summary")}
    with pytest.raises(SpecError, match="at least one unit"):
        folder_with(tmp_path / "a", service).get("mini")
    entry = folder_with(tmp_path / "b", {**service, "kind": "connector"}).get("mini")
    assert entry.service.backends == ()


def test_a_service_runs_where_all_of_its_units_do() -> None:
    native = {"binary": {"name": "x", "version_argv": ["x"], "version_pattern": "x"}, "command": ["x"]}

    def backends(*units: dict[str, Any]) -> tuple[str, ...]:
        named = {f"u{number}": unit for number, unit in enumerate(units)}
        return CatalogService.model_validate({"name": "x", "version": "1", "summary": "s", "units": named}).backends

    assert backends({"native": native, "image": "x:1"}) == ("native", "docker")
    assert backends({"native": native, "image": "x:1"}, {"image": "y:1"}) == ("docker",)
    assert backends({"native": native}, {"image": "y:1"}) == ()
    assert backends({"build": {"context": "."}}) == ("docker",)
    assert backends() == ()
