"""What the shell says to words that are wrong; no service runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import mlox
from mlox.verbs import FAMILIAR, all_verbs
from tests.shell_stage import PASSWORD, Say, files

pytestmark = pytest.mark.usefixtures("no_reports")


# Wrong words

WRONG: dict[str, tuple[str, str]] = {
    "foo": ("unknown verb 'foo'", "Choose one of: add"),
    "statsu": ("unknown verb 'statsu'", "'status'"),
    "STATUS": ("unknown verb 'STATUS'", "'status'"),
    "mcp": ("unknown verb 'mcp'", ""),
    "fork": ("unknown verb 'fork'", ""),
    "backup": ("nothing that is there keeps data", "mlox up"),
    "backup --keep 0": ("--keep takes a number from 1 on, not 0", "keep all"),
    "restore": ("restore needs the name of a service", "mlox backup --list"),
    "restore a b --as c": ("--as is the name of one service", "one after the other"),
    "restore mlflow@": ("'mlflow@' is not NAME or NAME@BACKUP", "mlox restore postgres"),
    "restore mlflow": ("there is no backup of mlflow", "mlox backup mlflow"),
    "watch": ("mlox.yaml has no alert rules", "alerts: {rules: {down: {when: unhealthy}}}"),
    "watch --once --off": ("--once and --off exclude each other", "Leave one of them out"),
    "watch --once --interval 5s": ("--interval says nothing with --once", "Leave it out"),
    "watch --interval soon": ("--interval takes a time, not 'soon'", "30s or 2m"),
    "watch --interval 0.1": ("--interval 0.1 is shorter than 1 s", "30s or 2m"),
    "watch --detach": ("mlox.yaml has no alert rules", "alerts: {rules"),
    "watch redis": ("watch: too many arguments: redis", "mlox help watch"),
    "secrets": ("'secrets' needs", "secrets get, secrets join, secrets key load"),
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
    "add mlflow@2.9 --as old": ("mlflow 2.9 is not supported", "mlflow@"),
    "add mlflow@newest --as old": ("mlflow newest is not supported", "mlflow@"),
    "add mlflow@3.10.0": ("mlflow is in mlox.yaml already, and differs: version is", "--as"),
    "add mlflow --as Other": ("services.Other: not a valid name", ""),
    "add mlflow --as ../up": ("not a valid name", ""),
    "add mlflow --as redis": ("'redis' is a redis already", "--as"),
    "add mlflow --on dokcer --as other": ("unknown server 'dokcer'", "'docker'"),
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
    "add mlflow --as x --needs database": ("--needs takes NEED=SERVICE, not 'database'", "--needs database=postgres"),
    "add mlflow --as x --needs databse=redis": ("mlflow: unknown need 'databse'", "'database'"),
    "add mlflow --as x --needs database=rdis": ("x.database: unknown service 'rdis'", "'redis'"),
    "add mlflow --as x --needs database=redis": ("'redis' does not provide postgresql", "Name a service that provides"),
    "add mlflow --needs database=redis": ("differs: database is embedded, not redis", "Change it in mlox.yaml"),
    "secrets key": ("'secrets key' needs to know what to do", "Say one of: secrets key load, secrets key save."),
    "secrets key --reveal": ("'secrets key' needs to know what to do", "secrets key load"),
    "secrets key sav": ("unknown verb 'secrets key sav'", "'secrets key save'"),
    "secrets rotate": ("secrets rotate: missing: NAME", "mlox help secrets rotate"),
    "secrets rotate redis.password": ("redis does not run, and only then", "mlox up redis"),
    "secrets rotate TOKEN": ("TOKEN is your own", "mlox secrets set TOKEN"),
    "secrets rotate TOKN": ("no secret 'TOKN'", "'TOKEN'"),
    "serve": ("serve: missing: MODEL", "mlox help serve"),
    "serve churn": ("'churn' does not name a model", "Say which version: models:/churn/1."),
    "serve models:/churn": ("'models:/churn' does not name a model", "Say which version: models:/churn/1."),
    "serve s3://models/churn": ("'s3://models/churn' does not name a model", "runs:/ID/NAME"),
    "serve models:/churn/1": ("mlflow does not run", "Start it: mlox up mlflow."),
    "serve models:/churn/1 --from mlfow": ("--from: unknown service 'mlfow'", "'mlflow'"),
    "serve models:/churn/1 --from redis": ("--from: redis is no MLflow", "Name one of: mlflow."),
    "serve models:/churn/1 --set requirement=x": ("unknown option 'requirement'", "'requirements'"),
    "serve models:/churn/1 --set model=models:/other/1": ("the model is what follows serve", "--set model"),
    "move": ("move: missing: NAME", "mlox help move"),
    "move redis": ("move needs to know where to", "mlox move redis --to docker"),
    "move redis@ --to docker": ("'redis@' is not NAME or NAME@VERSION", "mlox move redis --to docker"),
    "move rdis --to docker": ("demo: unknown service 'rdis'", "'redis'"),
    "move redis --to dcker": ("unknown server 'dcker'", "'docker'"),
    "move redis --to local": ("nothing is there of redis", "mlox up redis"),
    "remove": ("remove: missing: NAME", "mlox help remove"),
    "remove rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "plan rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "plan --digest": ("plan: unknown option '--digest'", ""),
    "up rdis": ("unknown service 'rdis'", "'redis'"),
    "up redis mlfow": ("unknown service 'mlfow'", "'mlflow'"),
    "up ../redis": ("unknown service '../redis'", ""),
    "up redis --on elsewhere": ("unknown server 'elsewhere'", "local"),
    "up redis@5": ("redis is in mlox.yaml already, and differs", "--as"),
    "up --as x": ("--as, --set and --needs are for one service", "Name one service"),
    "up mlflow redis --set workers=2": ("--as, --set and --needs are for one service", "Name one service"),
    "up redis --set appendfsync=": ("cannot be ''", "always, everysec, no"),
    "up redis --set maxmemory_mb=-1": ("cannot be -1", "Memory limit"),
    "up redis --plan 000000000000": ("the plan is now", "mlox plan"),
    "up feature-store": ("feature-store is a component", "mlox add feature-store"),
    "down feature-store": ("feature-store is a component", "mlox add feature-store"),
    "add feature-stor": ("unknown component 'feature-stor'", "'feature-store'"),
    "info featurestore": ("unknown component 'featurestore'", "'feature-store'"),
    "add feature-store@2.0": ("there is no feature-store 2.0", "feature-store@1.0"),
    "add feature-store --as x": ("--as is for services", "Leave --as out"),
    "add feature-store --to ../x": ("--to ../x is not a folder of the workspace", "--to src/churn"),
    "add feature-store --set nope=1": ("unknown option 'nope'", "online_store"),
    "add feature-store --set online_store=mysql": ("cannot be 'mysql'", "sqlite, redis"),
    "add redis --install": ("--install is for components", "Leave --install out"),
    "remove feature-store": ("feature-store is not in this repository", "mlox add feature-store"),
    "remove redis --keep": ("--keep is for components", "Leave --keep out"),
    "down rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "down --purged": ("down: unknown option '--purged'", "'--purge'"),
    "restart": ("nothing runs", "mlox up"),
    "restart rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "logs rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "logs --lines many": ("--lines", "mlox help logs"),
    "logs --follow rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "logs --lines -1": ("--lines -1: fewer than none", "--lines 50"),
    "logs --grep (": ("--grep '(' is no regular expression: missing )", "--grep"),
    "logs --since yesterday": ("--since yesterday: neither a duration nor a time", "--since 10m"),
    "logs --level error": ("logs: unknown option '--level'", ""),
    "stats rdis": ("demo: unknown service 'rdis'", "'redis'"),
    "stats rdis --watch": ("demo: unknown service 'rdis'", "'redis'"),
    "stats --interval 5s": ("--interval is for --watch", "Add --watch"),
    "stats --watch --interval soon": ("--interval soon: not a duration", "--interval 30s"),
    "stats --watch --interval 1ms": ("--interval 1ms: it is too short", "--interval 2s"),
    "status rdis --watch": ("demo: unknown service 'rdis'", "'redis'"),
    "status --interval 5s": ("--interval is for --watch", "Add --watch"),
    "status --watch --exit-code": ("--exit-code asks how it ends", "Leave one"),
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
    "catalog new shop --need redis": ("--need is for a Dockerfile", "--from Dockerfile"),
    "catalog new shop --from ./nowhere": ("./nowhere is no file", "--from web/Dockerfile"),
    "catalog test a.yaml --read": ("--read: expected one argument", "mlox help catalog test"),
    "info feature-store --markdown": ("--markdown is for services", "Leave --markdown out"),
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
FAILING = (
    *("BackupError", "DriftError", "WorkspaceError", "ServiceError", "CommandError"),
    *("SecretError", "SecretNotFoundError"),
)
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
    for words in (
        "up",
        "down",
        "plan",
        "status",
        "status --watch",
        "restart",
        "stats",
        "secrets list",
        "secrets set X",
    ):
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
