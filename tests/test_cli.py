"""What the shell says to words that are wrong, files that are broken and values that are secret; no service runs."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mlox
from mlox.cli import main
from mlox.testing import FakeBackend
from mlox.verbs import FAMILIAR, all_verbs
from tests.fake_machine import fake_machine

Say = Callable[..., "Said"]
PASSWORD = "hunter22-and-more"


@dataclass(frozen=True)
class Said:
    """How one command ended: exit code, what it printed, what it complained."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> dict[str, str]:
        """The one JSON object of a failure with ``--json``; nothing else may be printed."""
        assert not self.out
        (line,) = self.err.splitlines()
        error: dict[str, str] = json.loads(line)["error"]
        return error

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object of a success with ``--json``."""
        assert (self.code, self.err) == (0, "")
        value: dict[str, Any] = json.loads(self.out)
        return value


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    return fake_machine(monkeypatch)


@pytest.fixture
def say(machine: FakeBackend, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run ``mlox`` with these words, in this process; ``stdin`` is what it reads."""
    del machine

    def run(*words: str, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(words)
        return Said(code, *capfd.readouterr())

    return run


@pytest.fixture
def demo(say: Say) -> Say:
    """The same, in a workspace that has mlflow and redis written and nothing running."""
    for words in (("init", "demo"), ("add", "mlflow"), ("add", "redis")):
        assert say(*words).code == 0
    return say


def files(*folders: Path) -> dict[str, bytes]:
    """Every file, with its content."""
    return {str(path): path.read_bytes() for top in folders for path in sorted(top.rglob("*")) if path.is_file()}


@pytest.fixture(autouse=True)
def no_reports(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An error that is no deliberate one is a defect, whatever the test looks at."""
    reports = isolated.parent / f"{isolated.name}-reports"
    reports.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(reports))
    yield
    found = [path.read_text() for path in reports.glob("mlox-report-*")]
    assert not found, found[0]


# Wrong words

WRONG: dict[str, tuple[str, str]] = {
    "foo": ("unknown verb 'foo'", "Choose one of: add"),
    "statsu": ("unknown verb 'statsu'", "'status'"),
    "STATUS": ("unknown verb 'STATUS'", "'status'"),
    "panel": ("unknown verb 'panel'", ""),
    "drift": ("unknown verb 'drift'", ""),
    "secrets": ("'secrets' needs", "secrets get, secrets list, secrets remove, secrets set"),
    "secrets foo": ("unknown verb 'secrets foo'", "secrets"),
    "secrets lst": ("unknown verb 'secrets lst'", "'secrets list'"),
    "secrets --all": ("'secrets' needs", "secrets list"),
    "--nosuch status": ("unknown option '--nosuch'", "mlox help"),
    "--jsno status": ("unknown option '--jsno'", "'--json'"),
    "-x": ("unknown option '-x'", "mlox help"),
    "-C": ("-C: expected one argument", "mlox help"),
    "--profile": ("--profile: expected one argument", "mlox help"),
    "--profile nope status": ("mlox.yaml: unknown profile 'nope'", "no profile"),
    "-C /nonexistent status": ("/nonexistent is not a folder", "-C"),
    "-C mlox.yaml status": ("is not a folder", "-C"),
    "status --exit-cod": ("status: unknown option '--exit-cod'", "'--exit-code'"),
    "status --exit-code=3": ("--exit-code", "mlox help status"),
    "status mlfow": ("demo: unknown service 'mlfow'", "'mlflow'"),
    "doctor now": ("doctor: too many arguments: now", "mlox help doctor"),
    "init other": ("belongs to the stack 'demo', not 'other'", "another folder"),
    "init a b": ("init: too many arguments: b", "mlox help init"),
    "add": ("add: missing: NAME", "mlox help add"),
    "add mlfow": ("unknown service 'mlfow'", "'mlflow'"),
    "add Redis": ("unknown service 'Redis'", "'redis'"),
    "add redis mlflow": ("add: too many arguments: mlflow", "mlox help add"),
    "add ../mlflow": ("unknown service '../mlflow'", ""),
    "add mlflow@": ("'mlflow@' is not NAME or NAME@VERSION", "mlflow@3.17.0"),
    "add @3": ("'@3' is not NAME", "mlflow@3.17.0"),
    "add mlflow@2.22 --as old": ("mlflow 2.22 is not supported", "mlflow@"),
    "add mlflow@newest --as old": ("mlflow newest is not supported", "mlflow@"),
    "add mlflow@3.10.0": ("mlflow is in mlox.yaml already, and differs: version is", "--as"),
    "add mlflow --as Other": ("services.Other: not a valid name", ""),
    "add mlflow --as ../up": ("not a valid name", ""),
    "add mlflow --as redis": ("'redis' is a redis already", "--as"),
    "add mlflow --on docker --as other": ("unknown server 'docker'", "local"),
    "add redis --on locale": ("unknown server 'locale'", "'local'"),
    "add mlflow --nosuch": ("add: unknown option '--nosuch'", "mlox help add"),
    "add mlflow --ass x": ("add: unknown option '--ass'", "'--as'"),
    "add mlflow --set": ("--set: expected one argument", "mlox help add"),
    "add mlflow --set workers": ("--set takes NAME=VALUE, not 'workers'", "--set workers=2"),
    "add mlflow --set =2": ("--set takes NAME=VALUE, not '=2'", "--set workers=2"),
    "add mlflow --set wrkers=2": ("mlflow: unknown option 'wrkers'", "'workers'"),
    "add mlflow --set workers=two": ("of type integer, not 'two'", "Server processes; each takes about 0.4 GB."),
    "add mlflow --set workers=0": ("'workers' cannot be 0: the least is 1", "Server processes"),
    "add mlflow --set workers=2": ("differs: workers is 1, not 2", "mlox up"),
    "add mlflow --set default_permission=ALL": ("cannot be 'ALL'", "READ"),
    "remove": ("remove: missing: NAME", "mlox help remove"),
    "remove rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "plan rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "plan --digest": ("plan: unknown option '--digest'", ""),
    "up rdis": ("unknown service 'rdis'", "'redis'"),
    "up redis mlfow": ("unknown service 'mlfow'", "'mlflow'"),
    "up ../redis": ("unknown service '../redis'", ""),
    "up redis --on elsewhere": ("unknown server 'elsewhere'", "local"),
    "up redis@5": ("redis is in mlox.yaml already, and differs", "--as"),
    "up --as x": ("--as and --set are for one service", "Name one service"),
    "up mlflow redis --set workers=2": ("--as and --set are for one service", "Name one service"),
    "up redis --set appendfsync=": ("cannot be ''", "always, everysec, no"),
    "up redis --set maxmemory_mb=-1": ("cannot be -1", "Memory limit"),
    "up redis --plan 000000000000": ("the plan is now", "mlox plan"),
    "up feature-store": ("unknown service 'feature-store'", ""),
    "down rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "down --purged": ("down: unknown option '--purged'", "'--purge'"),
    "restart": ("nothing runs", "mlox up"),
    "restart rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "logs rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "logs --lines many": ("--lines", "mlox help logs"),
    "logs --follow": ("--follow is for one service", "Name one"),
    "open": ("open: missing: NAME", "mlox help open"),
    "open redis": ("redis is absent", "mlox up redis"),
    "env redis": ("redis does not run", "mlox up redis"),
    "env redsi": ("demo: unknown service 'redsi'", "'redis'"),
    "use redis": ("this is a shell", "mlox run NAME -- COMMAND"),
    "run": ("run needs a command after --", "mlox run mlflow -- python train.py"),
    "run redis": ("run needs a command after --", "mlox run mlflow -- python train.py"),
    "run --": ("run needs a command after --", "mlox run mlflow -- python train.py"),
    "run redis -- true": ("redis does not run", "mlox up redis"),
    "run -- no-such-program-here": ("there is no program 'no-such-program-here'", "name"),
    "run -- /etc/passwd": ("'/etc/passwd' cannot be run", "executable"),
    "help statsu": ("unknown verb 'statsu'", "'status'"),
    "help up down": ("unknown verb 'up down'", "mlox help up"),
    "info mlfow": ("unknown service 'mlfow'", "'mlflow'"),
    "catalog a b c": ("catalog: too many arguments: b c", "mlox help catalog"),
    "secrets set": ("secrets set: missing: NAME", "mlox help secrets set"),
    "secrets set X": ("the value for secret 'X' is empty", "mlox secrets remove X"),
    "secrets set X hunter22": ("typed on the line", "mlox secrets set X"),
    "secrets set X --generate 2": ("--generate takes 8 to 4096", "--generate 32"),
    "secrets set X --generate x": ("--generate", "mlox help secrets set"),
    "secrets set ../X --generate 12": ("'../X' cannot be the name", "letters"),
    "secrets get": ("secrets get: missing: NAME", "mlox help secrets get"),
    "secrets get NOPE": ("no secret 'NOPE'", "mlox secrets set NOPE"),
    "secrets get NOPE --version": ("--version: expected one argument", "mlox help secrets get"),
    "secrets get TOKN": ("no secret 'TOKN'", "'TOKEN'"),
    "secrets get TOKEN --version nope": ("secret 'TOKEN' has no version 'nope'", "newest first"),
    "secrets remove NOPE": ("no secret 'NOPE'", ""),
    "secrets remove TOKEN": ("nobody to ask", "-y"),
}
FAILING = ("DriftError", "WorkspaceError", "ServiceError", "CommandError", "SecretError", "SecretNotFoundError")
"""What is no wrong use: the words were right, and the world was not; exit code 1."""


@pytest.mark.parametrize("line", WRONG)
def test_wrong_words_get_two_lines_and_change_nothing(demo: Say, isolated: Path, data_home: Path, line: str) -> None:
    assert demo("secrets", "set", "TOKEN", stdin=PASSWORD).code == 0
    problem, hint = WRONG[line]
    before = files(isolated, data_home)
    said = demo(*line.split())
    machine_readable = demo("--json", *line.split())
    assert said.out == ""
    first, second = said.err.splitlines()
    assert problem in first
    assert first.startswith("error: ")
    assert hint in second
    assert second.startswith("hint: ")
    error = machine_readable.error
    assert (f"error: {error['problem']}", f"hint: {error['hint']}") == (first, second)
    assert said.code == machine_readable.code == (1 if error["type"] in FAILING else 2)
    assert files(isolated, data_home) == before


@pytest.mark.parametrize("word", sorted(FAMILIAR))
def test_a_familiar_word_gets_the_right_one(say: Say, word: str) -> None:
    said = say(*word.split(), "mlflow")
    assert said.code == 2
    assert said.err == f"error: unknown verb {word!r}\nhint: It is called: mlox {FAMILIAR[word]}.\n"
    assert " ".join(FAMILIAR[word].split()[:1]) in {verb.split()[0] for verb in all_verbs()}


@pytest.mark.parametrize("words", [(), ("",), (" ",), ("up", ""), ("add", "\0"), ("status", "ä\n")])
def test_no_words_and_strange_words(demo: Say, words: tuple[str, ...]) -> None:
    said = demo(*words)
    assert said.code == (2 if words else 0)
    assert len(said.err.splitlines()) == (2 if words else 0)


def test_every_verb_has_a_help_that_names_its_options(say: Say) -> None:
    overview = say("--help").out
    for name, verb in all_verbs().items():
        assert name in overview
        for words in (("help", *name.split()), (*name.split(), "--help")):
            said = say(*words)
            assert said.code == 0
            assert f"usage: mlox {name}" in said.out
            assert all(parameter.flag in said.out for parameter in verb.parameters)
    assert say("--version").out == f"mlox {mlox.__version__}\n"


def test_a_verb_without_a_workspace_says_how_to_make_one(say: Say, isolated: Path, data_home: Path) -> None:
    before = files(data_home)
    for words in ("up", "down", "plan", "status", "restart", "logs", "secrets list", "secrets set X"):
        said = say(*words.split(), stdin="value")
        assert (said.code, said.out) == (1, "")
        assert said.err == (
            f"error: no mlox.yaml in {isolated} or above\nhint: Make this folder a workspace: mlox init.\n"
        )
    assert files(isolated) == {}
    assert files(data_home) == before


@pytest.mark.parametrize("name", ["Bad_Name", "-", "7up", "a--b", "../up", "x" * 41, "ä", "", "null", "a\nb"])
def test_a_name_that_cannot_be(say: Say, isolated: Path, name: str) -> None:
    said = say("init", "--", name)
    assert said.code == (0 if name == "null" else 2)
    assert len(said.err.splitlines()) == (0 if name == "null" else 2)
    assert (isolated / "mlox.yaml").exists() == (name == "null")


def test_the_home_folder_is_no_workspace(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (Path.home(), Path("/")):
        monkeypatch.chdir(folder)
        for words in ("init", "add redis", "up redis", "status"):
            said = say(*words.split())
            assert said.code == 1
            assert said.err.startswith(f"error: {folder} cannot be a workspace\nhint: Make a folder")


def test_windows_gets_one_clear_error(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    said = say("up", "mlflow")
    assert said.code == 1
    assert said.err.splitlines()[1] == "hint: Use it inside WSL2."
    assert say("--json", "status").error["type"] == "PlatformError"


def test_a_defect_of_ours_is_marked_as_one(say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("mlox.workspace.Workspace.find", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    error = say("--json", "status").error
    (report,) = tmp_path.glob("mlox-report-*")
    assert error["type"] == "InternalError"
    assert str(report) in error["hint"]
    assert "ZeroDivisionError: of all things" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


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


FOREIGN = """\
name: web
version: "1"
summary: a page of our own
options:
  greeting: {help: what it says}
  loud: {type: boolean, default: false, help: whether it shouts}
ports: {http: {port: 18080, scheme: http}}
units:
  server:
    native:
      binary: {name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}
      command: [sh, -c, "echo ${option.greeting}; sleep 1000"]
"""
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


# Secrets


def test_a_secret_is_never_echoed(demo: Say, isolated: Path, data_home: Path) -> None:
    said = [
        demo("secrets", "set", "TOKEN", stdin=f"{PASSWORD}\n"),
        demo("--json", "secrets", "set", "TOKEN", stdin=PASSWORD),
        demo("secrets", "get", "TOKEN"),
        demo("--json", "secrets", "get", "TOKEN"),
        demo("secrets", "list"),
        demo("--json", "secrets", "list"),
        demo("status"),
        demo("doctor"),
    ]
    assert all(each.code == 0 for each in said[:-1])
    assert not [each for each in said if PASSWORD in each.out + each.err]
    assert not [name for name, content in files(isolated, data_home).items() if PASSWORD.encode() in content]
    assert mlox.secrets.get("TOKEN").reveal() == PASSWORD
    (row,) = said[5].json["secrets"]
    assert set(row) >= {"name", "version", "store", "updated", "readers"}
    assert said[3].json["version"] == row["version"] == said[1].json["version"]


def test_older_versions_of_a_secret(demo: Say) -> None:
    first = demo("--json", "secrets", "set", "TOKEN", stdin="one-of-them").json["version"]
    demo("secrets", "set", "TOKEN", "--generate", "24")
    older = demo("--json", "secrets", "get", "TOKEN", "--version", first, "--reveal").json
    newest = demo("--json", "secrets", "get", "TOKEN", "--reveal").json
    assert older["value"] == "one-of-them"
    assert len(newest["value"]) == 24
    assert older["version"] == first != newest["version"]
    assert demo("secrets", "remove", "TOKEN", "-y").code == 0
    assert demo("--json", "secrets", "list").json == {"secrets": []}


def test_a_value_on_the_line_is_refused_and_not_repeated(demo: Say) -> None:
    said = demo("secrets", "set", "TOKEN", PASSWORD)
    assert said.code == 2
    assert PASSWORD not in said.err
    assert "TOKEN" not in demo("secrets", "list").out


def test_behind_an_exclamation_mark_nothing_is_asked_or_shown(demo: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    said = demo("secrets", "set", "OTHER", stdin="typed by nobody")
    assert said.code == 2
    assert "%mlox secrets set OTHER" in said.err
    revealed = demo("secrets", "get", "TOKEN", "--reveal")
    assert revealed.code == 2
    assert PASSWORD not in revealed.out + revealed.err
    assert demo("secrets", "set", "OTHER", "--generate", "32").code == 0


@pytest.mark.parametrize(
    "content", [b"", b"AGE-SECRET-KEY-1NONSENSE\n", b"# only a comment\n", b"\xff\xfe", None, "folder", "open"]
)
def test_a_broken_identity_is_named_and_kept(
    demo: Say, content: bytes | str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOX_DATA_HOME", str(tmp_path / "data"))
    assert demo("secrets", "set", "TOKEN", stdin=PASSWORD).code == 0
    identity = tmp_path / "data" / "identity"
    good = identity.read_bytes()
    identity.chmod(0o644 if content == "open" else 0o600)
    if content != "open":
        identity.unlink()
    if content == "folder":
        identity.mkdir()
    elif isinstance(content, bytes):
        identity.write_bytes(content)
        identity.chmod(0o600)
    before = files(tmp_path)
    for words in ("secrets get TOKEN", "secrets set OTHER", "secrets remove TOKEN -y", "up redis"):
        said = demo(*words.split(), stdin="value")
        assert said.code == 1
        assert str(identity) in said.err.splitlines()[0]
        assert said.err.splitlines()[-1].startswith("hint: ")
    assert demo("doctor").code == 1
    after = files(tmp_path)
    assert {name: after.get(name) for name in before} == before
    if content in ("folder", "open"):
        return
    identity.write_bytes(good)
    identity.chmod(0o600)
    assert demo("secrets", "get", "TOKEN", "--reveal").out == f"{PASSWORD}\n"


# The machine


def test_doctor_says_who_else_owns_the_import_name(demo: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "mlox is mlox-sdk" in demo("doctor").out
    info = tmp_path / "mlox-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mlox\nVersion: 0.3\n")
    (info / "RECORD").write_text("mlox/__init__.py,,\n")
    (info / "top_level.txt").write_text("mlox\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    said = demo("doctor")
    assert said.code == 1
    assert re.search("fail +import name +mlox also owns the package mlox", said.out)
    assert "pip uninstall mlox && pip install --force-reinstall --no-deps mlox-sdk" in said.out


def test_the_real_program_prints_two_lines(isolated: Path) -> None:
    command = [sys.executable, "-m", "mlox", "statsu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=isolated)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: unknown verb 'statsu'\nhint: Did you mean 'status'?\n"


def test_whoever_stops_reading_is_no_error(isolated: Path) -> None:
    command = f"{sys.executable} -m mlox help | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False, cwd=isolated)
    assert done.stderr == b""
