"""The verb why in the shell: what is wrong first, why it runs as it does, where values come from; no service runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlox
from mlox.testing import FakeBackend
from tests.shell_stage import FOREIGN, Say

pytestmark = pytest.mark.usefixtures("no_reports")


def identity() -> str:
    """The stack's id."""
    found = mlox.Stack().id
    assert found is not None
    return found


def test_a_service_that_runs_says_so_and_why(demo: Say) -> None:
    demo("up")
    said = demo("why", "mlflow")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "mlflow runs as it should."
    assert "needs database: met by itself (embedded): written in mlox.yaml, line 9" in lines
    assert lines[-1] == "needed by: no other service of this stack"


def test_a_service_that_died_says_by_what_and_shows_the_lines_that_matter(demo: Say, machine: FakeBackend) -> None:
    machine.dying["redis.server"] = "exit status 1"
    assert demo("up", "redis").code == 1
    password = mlox.secrets.get("redis.password").reveal()
    for line in ("all fine", f"Error: {password} is refused", "bye"):
        machine.say(identity(), "redis", "server", line)
    found = demo("why", "redis", "--json").json
    assert (found["cause"], found["status"], found["well"]) == ("died", "stopped", False)
    assert found["problem"].startswith("redis died at start (exit status 1)")
    assert found["evidence"] == ["all fine", "Error: *** is refused", "bye"]
    text = demo("why", "redis").out
    assert "the lines of its log that matter:\n  all fine\n  Error: *** is refused\n" in text
    assert "\nnext: Mend what its last lines say, then: mlox up redis\n" in text
    assert password not in text


def test_a_port_that_somebody_took(demo: Say, machine: FakeBackend) -> None:
    demo("up", "redis")
    machine.ports_taken.add(6379)
    machine.sick.add("redis.server")
    found = demo("why", "redis", "--json").json
    assert (found["cause"], found["step"]) == ("port-taken", "mlox restart redis")
    assert found["detail"][0] == "port 6379 (redis) is held by somebody else"


def test_a_program_that_is_gone(demo: Say, machine: FakeBackend) -> None:
    demo("up", "redis")
    demo("down")
    del machine.programs["redis-server"]
    said = demo("why", "redis")
    assert said.out.splitlines()[0] == (
        "redis was stopped on request (mlox down); its data is kept. "
        "It could not be started now: redis-server is not on the PATH."
    )
    assert "next: Install it: apt-get install redis-server or brew install redis." in said.out


def test_a_catalog_file_that_is_gone(stack: mlox.Stack, say: Say, isolated: Path) -> None:
    stack.add("base")
    stack.add("app")
    stack.up()
    (isolated / "services" / "app.yaml").unlink()
    assert say("why", "app", "--json").json["cause"] == "well"
    assert "mlox up would be refused now: unknown service 'app'." in say("why", "app").out
    assert say("down", "base").code == 0
    (isolated / "services" / "base.yaml").unlink()
    found = say("why", "base", "--json").json
    assert (found["cause"], found["status"]) == ("stopped", "stopped")
    assert "It could not be started now: unknown service 'base'." in found["problem"]


def test_after_a_reboot(demo: Say, machine: FakeBackend) -> None:
    demo("up")
    assert "why" not in demo("status").out
    machine.reboot()
    assert "what is wrong: mlox why mlflow\nwhat is wrong: mlox why redis\n" in demo("status").out
    assert demo("why", "mlflow", "--json").json["cause"] == "reboot"


def test_a_provider_that_is_stopped(stack: mlox.Stack, say: Say, machine: FakeBackend) -> None:
    stack.add("base")
    stack.add("app")
    stack.up()
    stack.down("base")
    machine.sick.add("app.server")
    found = say("why", "app", "--json").json
    assert (found["cause"], found["step"]) == ("provider-down", "mlox up base")
    assert "base, its below, is stopped" in found["problem"]
    assert found["reasons"][0].startswith("needs below: met by base, which is stopped: written in mlox.yaml, line ")
    assert say("why", "base").out.splitlines()[-1] == "needed by: app (below)"


def test_a_secret_that_is_lost(demo: Say, machine: FakeBackend) -> None:
    del machine
    demo("up", "redis")
    demo("secrets", "remove", "redis.password", "-y")
    said = demo("why", "redis")
    assert "No store has its secret redis.password any more, so it could not start again." in said.out
    assert "NOT there any more" in demo("why", "redis", "--settings").out


def test_a_log_whose_secrets_cannot_be_masked_is_not_shown(demo: Say, machine: FakeBackend, data_home: Path) -> None:
    machine.dying["redis.server"] = "exit status 1"
    demo("up", "redis")
    password = mlox.secrets.get("redis.password").reveal()
    machine.say(identity(), "redis", "server", f"Error: {password}")
    key = data_home / "identity"
    good = key.read_bytes()
    key.write_bytes(b"AGE-SECRET-KEY-1NONSENSE\n")
    try:
        said = demo("why", "redis")
    finally:
        key.write_bytes(good)
    assert said.code == 0
    assert "its log is not shown, since the secrets in it cannot be masked: the identity" in said.out
    assert password not in said.out


def test_what_mlox_yaml_says_otherwise(demo: Say, isolated: Path) -> None:
    demo("up", "mlflow")
    path = isolated / "mlox.yaml"
    path.write_text(path.read_text().replace("    version:", "    options: {workers: 2}\n    version:", 1))
    found = demo("why", "mlflow", "--json").json
    assert (found["cause"], found["well"]) == ("differs", True)
    assert found["problem"] == "mlflow runs, but otherwise than mlox.yaml says by now: workers: 1 → 2."


def test_names_that_are_no_service_of_the_stack(demo: Say) -> None:
    (said, hint) = demo("why", "mlfow").err.splitlines()
    assert (said, hint) == ("error: demo: unknown service 'mlfow'", "hint: Did you mean 'mlflow'?")
    demo("remove", "redis")
    assert demo("why", "redis").err.splitlines()[1] == "hint: Start it: mlox up redis."
    demo("secrets", "set", "TOKEN", "--generate", "20")
    assert demo("why", "TOKEN").err.splitlines()[1] == "hint: See: mlox secrets get TOKEN."
    assert demo("explain", "mlflow").err.splitlines()[1] == "hint: It is called: mlox why."


def settings(say: Say, name: str, *words: str) -> dict[str, tuple[str, str]]:
    """Values and origins by name."""
    found = say("why", name, "--settings", "--json", *words).json["settings"]
    return {one["name"]: (one["value"], one["origin"]) for one in found}


def test_where_values_come_from(say: Say, isolated: Path) -> None:
    folder = isolated / "services"
    folder.mkdir()
    (folder / "web.yaml").write_text(FOREIGN)
    (isolated / "mlox.yaml").write_text(
        "name: demo\nid: demo-0a0b\nservices:\n  web:\n    service: web\n    options:\n      greeting: hello\n"
        "profiles:\n  loud:\n    options:\n      web: {loud: true}\n"
    )
    found = settings(say, "web")
    assert found == {
        "service": ("web", "mlox.yaml, line 5"),
        "server": ("local", "the default: this machine"),
        "version": ("1", "found on the PATH; the first up pins it"),
        "options.greeting": ("hello", "mlox.yaml, line 7"),
        "options.loud": ("false", "default of the catalog's web.yaml, line 6"),
        "ports.http": ("18080", "wish of the catalog's web.yaml, line 7; another one where it is taken"),
    }
    assert settings(say, "web", "--profile", "loud")["options.loud"] == ("true", "profile loud (--profile)")
    say("up", "web", "--set", "greeting=bye")
    found = settings(say, "web")
    assert found["version"] == ("1", "mlox.yaml, line 8, pinned")
    assert found["options.greeting"] == ("bye", "mlox.yaml, line 7")
    assert found["program.server"] == ("sh", "found on the PATH of the server")
    text = (isolated / "mlox.yaml").read_text()
    (isolated / "mlox.yaml").write_text(text.replace("greeting: bye", "greeting: again"))
    assert settings(say, "web")["options.greeting"] == ("again", "mlox.yaml, line 7; what runs still has bye")


def test_a_profile_of_the_environment_is_an_origin(demo: Say, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (isolated / "mlox.yaml").open("a") as file:
        file.write("profiles:\n  big:\n    options:\n      mlflow: {workers: 4}\n")
    monkeypatch.setenv("MLOX_PROFILE", "big")
    assert settings(demo, "mlflow")["options.workers"] == ("4", "profile big (MLOX_PROFILE)")


def test_a_port_that_was_taken_then(demo: Say, machine: FakeBackend) -> None:
    machine.ports_taken.add(6379)
    demo("up", "redis")
    machine.ports_taken.clear()
    (port,) = (s for s in demo("why", "redis", "--settings", "--json").json["settings"] if s["name"] == "ports.redis")
    assert (port["value"], port["note"]) == ("6380", "6379 was taken then")
    told = demo("why", "redis", "--settings").out
    assert "6380: 6379 was taken then" in told


def test_settings_never_show_a_secret_and_are_the_same_text_on_every_run(demo: Say) -> None:
    demo("up", "redis")
    password = mlox.secrets.get("redis.password").reveal()
    said = demo("why", "redis", "--settings")
    assert password not in said.out + demo("why", "redis", "--settings", "--json").out
    from mlox.verbs import find_verb
    from mlox.verbs.context import Context

    value = find_verb(["why"])[0].function(Context(), "redis", settings=True)
    version = mlox.secrets.get("redis.password").version
    assert version is not None
    assert version in value.text(detail=True)
    for text in (version, "6379", identity()):
        assert text not in value.text()


def test_a_service_that_runs_but_is_not_written(demo: Say, isolated: Path) -> None:
    demo("up", "redis")
    path = isolated / "mlox.yaml"
    path.write_text(path.read_text().partition("services:")[0])
    assert demo("why", "redis", "--json").json["cause"] == "unlisted"
    assert settings(demo, "redis")["server"] == ("local", "what runs")
