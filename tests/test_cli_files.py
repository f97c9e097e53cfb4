"""What the shell says to files that are broken; they stay as they are, and no service runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.testing import FakeBackend
from tests.shell_stage import FOREIGN, Say, files

pytestmark = pytest.mark.usefixtures("no_reports")


# Broken files

LAUGHS = "name: demo\nalerts:\n- &a {x: lol}\n" + "".join(
    f"- &{chr(98 + i)} {{x: [{', '.join([f'*{chr(97 + i)}'] * 9)}]}}\n" for i in range(9)
)
BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "only a comment": (b"# nothing\n", "is empty"),
    "a list": (b"- name: demo\n", "holds a list"),
    "a word": (b"demo\n", "holds a str"),
    "a tab": (b"name: demo\nservices:\n\tredis: {}\n", "mlox.yaml:3: not valid YAML"),
    "not closed": (b"name: [demo\n", "not valid YAML"),
    "two documents": (b"name: demo\n---\nname: other\n", "not valid YAML"),
    "a key twice": (b"name: demo\nname: other\n", "mlox.yaml:2: not valid YAML"),
    "not UTF-8": (b"name: d\xe9mo\n", "not UTF-8"),
    "a NUL": (b"name: de\0mo\n", "not valid YAML"),
    "binary": (bytes(range(256)), ""),
    "no name": (b"id: demo-1234\n", "name: missing"),
    "a number for a name": (b"name: 7\n", "mlox.yaml:1: name"),
    "null for a name": (b"name:\n", "mlox.yaml:1: name"),
    "an unknown key": (b"name: demo\nservces: {}\n", "mlox.yaml:2: unknown key 'servces'"),
    "a nested unknown key": (b"name: demo\nservices:\n  r:\n    servic: redis\n", "services.r"),
    "services as a list": (b"name: demo\nservices: [redis]\n", "mlox.yaml:2: services"),
    "a service as a word": (b"name: demo\nservices:\n  redis: redis\n", "mlox.yaml:3: services.redis"),
    "a service of nothing": (b"name: demo\nservices: {r: {}}\n", "services.r.service: missing"),
    "a path for a name": (b"name: ../demo\n", "name: not a valid name"),
    "a path for an id": (b"name: demo\nid: ../../etc-1234\n", "mlox.yaml:2: id"),
    "a path for a service": (b"name: demo\nservices: {../x: {service: redis}}\n", "not a valid name"),
    "an unquoted version": (b"name: demo\nservices: {r: {service: redis, version: 7.20}}\n", "in quotes: "),
    "an option as a list": (b"name: demo\nservices: {r: {service: redis, options: {a: [1]}}}\n", "options.a"),
    "a server of two kinds": (b"name: demo\nservers: {s: {local: true, ssh: x}}\n", "exactly one of: local, ssh"),
    "a python object": (b"name: !!python/object/apply:os.system [touch pwned]\n", "mlox.yaml:1: not valid YAML"),
    "an unknown tag": (b"name: !secret x\n", "not valid YAML"),
    "a billion laughs": (LAUGHS.encode(), "too deep, or too many values"),
    "an alias of itself": (b"name: demo\nalerts: &a [*a]\n", ""),
    "very deep": (b"name: " + b"[" * 5000 + b"]" * 5000 + b"\n", "too deep"),
    "very large": (b"name: demo\n" + b"#" * 1_000_001, "larger than"),
    "a very long number": (b"name: demo\nservices: {r: {service: redis, options: {a: " + b"9" * 5000 + b"}}}\n", ""),
}
BROKEN_SPECS: dict[str, tuple[str, str]] = {
    "an unknown catalog service": ("services: {r: {service: rediss}}", "'redis'"),
    "an unknown server": ("services: {r: {service: redis, server: nosuch}}", "local"),
    "an unknown option": ("services: {r: {service: redis, options: {maxmemory: 4}}}", "'maxmemory_mb'"),
    "a wrong option": ("services: {r: {service: redis, options: {maxmemory_mb: '4'}}}", "Memory limit"),
    "an unknown port": ("services: {r: {service: redis, ports: {http: 8080}}}", "redis"),
    "an unknown need": ("services: {m: {service: mlflow, needs: {databse: embedded}}}", "'database'"),
    "a need of nobody": ("services: {m: {service: mlflow, needs: {database: pg, artifacts: embedded}}}", ""),
    "a need that does not fit": (
        "services: {r: {service: redis}, m: {service: mlflow, needs: {database: r, artifacts: embedded}}}",
        "",
    ),
    "an older version than supported": ("services: {m: {service: mlflow, version: '1.0'}}", "mlflow@"),
    "a server that cannot be reached yet": (
        "servers: {far: {ssh: me@far}}\nservices: {r: {service: redis, server: far}}",
        "local",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_named_and_stays_as_it_is(say: Say, isolated: Path, what: str) -> None:
    content, problem = BROKEN[what]
    path = isolated / "mlox.yaml"
    path.write_bytes(content)
    for words in ("status", "up redis", "add redis", "init", "down -y --purge", "secrets list"):
        said = say(*words.split())
        assert (said.code, said.out) == (2, "")
        first, second = said.err.splitlines()
        assert "mlox.yaml" in first
        assert problem in first
        assert second.startswith("hint: ")
        assert "pydantic" not in said.err
    assert files(isolated) == {str(path): content}


@pytest.mark.parametrize("what", BROKEN_SPECS)
def test_a_file_that_cannot_be_fails_before_anything_changes(
    say: Say, machine: FakeBackend, isolated: Path, what: str
) -> None:
    text, hint = BROKEN_SPECS[what]
    (isolated / "mlox.yaml").write_text(f"name: demo\nid: demo-1234\n{text}\n")
    for words in ("plan", "up"):
        said = say(*words.split())
        assert said.code in (1, 2)
        first, second = said.err.splitlines()
        assert first.startswith("error: ")
        assert hint in second
    assert machine.effects == []
    assert (isolated / "mlox.yaml").read_text() == f"name: demo\nid: demo-1234\n{text}\n"


@pytest.mark.parametrize("content", [b"", b"- x", b"packages: 3", b"packages: {a: b}", b"{", b"\xff", b"a: !!py 1"])
def test_a_broken_lock_file(demo: Say, isolated: Path, content: bytes) -> None:
    (isolated / "mlox.lock.yaml").write_bytes(content)
    said = demo("up", "mlflow")
    assert said.code == 2
    assert "mlox.lock.yaml" in said.err.splitlines()[0]
    assert len(said.err.splitlines()) == 2
    assert (isolated / "mlox.lock.yaml").read_bytes() == content


def test_a_folder_in_place_of_the_file(say: Say, isolated: Path) -> None:
    (isolated / "mlox.yaml").mkdir()
    for words in ("status", "init", "add redis"):
        said = say(*words.split())
        assert said.code in (1, 2)
        assert len(said.err.splitlines()) == 2


BROKEN_SERVICES: dict[str, tuple[str, str]] = {
    "an unknown variable": (FOREIGN.replace("${option.greeting}", "${NAME}"), "${NAME} is not a variable"),
    "an option that is not declared": (FOREIGN.replace("${option.greeting}", "${option.greting}"), "'greting'"),
    "not closed": (FOREIGN.replace("${option.greeting}", "${option.greeting"), "not closed"),
    "a secret in a command": (FOREIGN.replace("${option.greeting}", "${secret.x}"), "${secret...} cannot be used here"),
    "another name": (FOREIGN.replace("name: web", "name: page"), "name is 'page'"),
    "no unit": (FOREIGN.partition("units:")[0], "at least one unit"),
    "an unknown key": (FOREIGN + "port: 3\n", "unknown key 'port'"),
    "malformed": ("name: [", "not valid YAML"),
    "empty": ("", "is empty"),
}


@pytest.mark.parametrize("what", BROKEN_SERVICES)
def test_a_broken_service_of_the_workspace(demo: Say, isolated: Path, what: str) -> None:
    text, problem = BROKEN_SERVICES[what]
    (isolated / "services").mkdir()
    (isolated / "services" / "web.yaml").write_text(text)
    said = demo("add", "web", "--set", "greeting=hello")
    assert said.code == 2
    first, second = said.err.splitlines()
    assert "services/web.yaml" in first
    assert problem in first
    assert second.startswith("hint: ")
    assert "web" not in (isolated / "mlox.yaml").read_text()


def test_a_missing_option_fails_before_any_change(demo: Say, isolated: Path, machine: FakeBackend) -> None:
    (isolated / "services").mkdir()
    (isolated / "services" / "web.yaml").write_text(FOREIGN)
    before = files(isolated)
    for verb in ("add", "up"):
        said = demo(verb, "web")
        assert said.code == 2
        assert said.err.splitlines() == [
            "error: web: the option 'greeting' is missing: what it says",
            "hint: Give it: --set greeting=VALUE.",
        ]
    assert files(isolated) == before
    assert machine.effects == []
    assert demo("up", "web", "--set", "greeting=hello $HOME ${x}").code == 0
    (unit,) = (seen.unit for seen in machine.observe() if seen.service == "web")
    assert unit.command[-1] == "echo hello $$HOME $${x}; sleep 1000"
