"""The main job, as a newcomer does it: from an empty folder to a real MLflow with a login, and back to nothing."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live.support import Project, project, until

LOG_A_RUN = """
import mlflow, mlox, sys
client = mlox.get("mlflow").client()
run = client.create_run(client.create_experiment(sys.argv[1] if len(sys.argv) > 1 else "churn"))
client.log_param(run.info.run_id, "depth", 7)
client.log_metric(run.info.run_id, "auc", 0.91)
client.log_text(run.info.run_id, "from a new process", "notes/why.txt")
client.set_terminated(run.info.run_id)
print(run.info.run_id)
"""
READ_A_RUN = """
import mlflow, mlox
client = mlox.get("mlflow").client()
experiment = client.get_experiment_by_name("churn")
(run,) = client.search_runs([experiment.experiment_id])
with open(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="notes/why.txt")) as file:
    print(run.info.run_id, run.data.params["depth"], run.data.metrics["auc"], file.read())
"""


@pytest.fixture(scope="module")
def shop(data_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """An empty folder and an empty home; the tests of this file go through them in order."""
    home = tmp_path_factory.mktemp("home")
    with project(tmp_path_factory.mktemp("shop"), data_home, HOME=str(home)) as made:
        yield made


@pytest.fixture
def running(shop: Project) -> Project:
    """The same, with mlflow up, whatever the test before left."""
    if not (shop.folder / "mlox.yaml").exists():
        shop.done("init", "demo")
    shop.done("up", "mlflow")
    return shop


def answer(url: str, password: str | None, path: str = "/api/2.0/mlflow/experiments/search?max_results=1") -> int:
    """The status code of a request as admin."""
    request = urllib.request.Request(url + path)
    if password is not None:
        request.add_header("Authorization", f"Basic {base64.b64encode(f'admin:{password}'.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=30) as got:
            return int(got.status)
    except urllib.error.HTTPError as error:
        return error.code


def log_a_run(shop: Project) -> str:
    said = shop.python(LOG_A_RUN)
    assert said.code == 0, said
    return said.out.strip()


def read_a_run(shop: Project) -> str:
    said = shop.python(READ_A_RUN)
    assert said.code == 0, said
    return said.out.strip()


def test_two_commands(shop: Project) -> None:
    """init, up; a login that holds; a run from a new process; a second up that does nothing."""
    assert "demo: this folder is now a workspace" in shop.done("init", "demo")
    said = shop.mlox("up", "mlflow", "--json", "-y")
    assert (said.code, said.err) == (0, "")
    deployed = said.json()
    (action,) = deployed["actions"]
    what = {"kind": "create", "service": "mlflow", "unit": "server", "server": "local"}
    assert action == {**what, "reasons": [], "undo": "none"}
    (row,) = deployed["services"]
    assert (row["name"], row["service"], row["backend"], row["status"]) == ("mlflow", "mlflow", "native", "running")
    assert row["url"] == f"http://{row['ports']['http']}"
    assert row["data_path"].startswith(str(shop.data))
    assert len(deployed["digest"]) == 12
    password = shop.password("mlflow", "admin_password")
    assert [answer(row["url"], given) for given in (None, "wrong", "", password)] == [401, 401, 401, 200]
    run = log_a_run(shop)
    assert read_a_run(shop) == f"{run} 7 0.91 from a new process"
    again = shop.json("up")
    assert again["actions"] == []
    assert [each["status"] for each in again["services"]] == ["running"]


def test_no_password_lies_around(running: Project) -> None:
    """Not in a process list, not in what is committed or printed, not in a file that others can read."""
    texts = [running.password("mlflow", key) for key in ("admin_password", "session_key")]
    assert all(len(text) >= 24 for text in texts)
    secrets = [text.encode() for text in texts]
    for pid in psutil.pids():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        assert not any(secret in line for secret in secrets), line
    verbs = ("status", "plan", "env mlflow", "info mlflow", "logs mlflow", "open mlflow", "secrets list", "doctor")
    for words in (*verbs, "secrets get mlflow.admin_password", *(f"{verb} --json" for verb in verbs)):
        printed = running.done(*words.split())
        assert not [text for text in texts if text in printed], words
    for path in (*running.folder.rglob("*"), *running.data.rglob("*")):
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets):
            assert path.is_relative_to(running.data), path
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for path in running.data.rglob("*"):
        assert not (path.is_file() and path.stat().st_mode & 0o004 and "data" in path.parts), path


def test_it_listens_on_loopback_only(running: Project) -> None:
    heard = {
        connection.laddr.ip
        for process in running.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert heard == {"127.0.0.1"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's services run as another account")
def test_as_root_it_runs_as_an_unprivileged_account(running: Project) -> None:
    owners = {process.uids().effective for process in running.processes() if "mlflow" in " ".join(process.cmdline())}
    assert owners
    assert 0 not in owners


def test_env_and_run(running: Project) -> None:
    """env masks; run hands a command the environment, its streams and its exit code."""
    printed = running.done("env", "mlflow")
    assert "# MLFLOW_TRACKING_PASSWORD=*** (secret)" in printed
    assert "export MLFLOW_TRACKING_USERNAME=admin" in printed
    env = running.json("env", "mlflow")["env"]
    assert env["MLFLOW_TRACKING_PASSWORD"] == "***"
    assert env["MLFLOW_TRACKING_URI"] == running.row("mlflow")["url"]
    look = "import json, os, sys; print(json.dumps(dict(os.environ))); print('oh', file=sys.stderr); sys.exit(7)"
    said = running.mlox("run", "mlflow", "--", sys.executable, "-c", look)
    assert (said.code, said.err) == (7, "oh\n")
    seen = json.loads(said.out)
    assert seen["MLFLOW_TRACKING_PASSWORD"] == running.password("mlflow", "admin_password")
    assert seen["MLFLOW_TRACKING_URI"] == env["MLFLOW_TRACKING_URI"]
    assert running.mlox("run", "--", "sh", "-c", "kill -9 $$").code == 128 + signal.SIGKILL


def test_killed_it_is_healthy_again_by_itself(running: Project) -> None:
    before = running.row("mlflow")
    leader = next(p for p in running.processes() if "--app-name=basic-auth" in p.cmdline())
    leader.kill()
    leader.wait(10)

    def healthy_again() -> dict[str, Any] | None:
        row = running.row("mlflow")
        return row if row["status"] == "running" and row["since"] != before["since"] else None

    row = until(healthy_again, 90)
    assert row is not None
    assert row["url"] == before["url"]
    assert read_a_run(running).endswith("7 0.91 from a new process")
    assert len([p for p in running.processes() if "--app-name=basic-auth" in p.cmdline()]) == 1
    assert running.json("up")["actions"] == []


def forget(shop: Project) -> None:
    """Delete what only this machine has, and the lock file."""
    shutil.rmtree(shop.folder / ".mlox" / "local", ignore_errors=True)
    (shop.folder / "mlox.lock.yaml").unlink(missing_ok=True)


def test_what_is_local_or_cached_changes_no_plan(running: Project, tmp_path: Path) -> None:
    """.mlox/local, uv's cache and the lock file are deleted between any two verbs."""
    written = (running.folder / "mlox.yaml").read_bytes()
    lock = (running.folder / "mlox.lock.yaml").read_bytes()
    running.environment["UV_CACHE_DIR"] = str(tmp_path / "no-cache")
    try:
        for words in ("status", "plan", "up", "env mlflow", "plan"):
            forget(running)
            running.done(*words.split())
            forget(running)
            assert running.json("plan")["actions"] == []
    finally:
        del running.environment["UV_CACHE_DIR"]
    assert (running.folder / "mlox.yaml").read_bytes() == written
    (running.folder / "mlox.lock.yaml").write_bytes(lock)
    assert not (tmp_path / "no-cache").exists()


@pytest.mark.long
def test_an_option_is_changed_on_what_runs_and_data_stays(running: Project) -> None:
    dry = running.json("up", "mlflow", "--set", "workers=2", "--dry-run")
    (action,) = dry["actions"]
    assert (action["kind"], action["reasons"]) == ("update", [{"field": "workers", "from": "1", "to": "2"}])
    assert "workers: 1 → 2" in running.done("up", "mlflow", "--set", "workers=2", "--dry-run")
    assert running.json("plan")["actions"] == []
    done = running.json("up", "mlflow", "--set", "workers=2", "--plan", dry["digest"])
    assert done["actions"] == dry["actions"]
    assert "workers: 2" in (running.folder / "mlox.yaml").read_text()
    assert any("--workers=2" in process.cmdline() for process in running.processes())
    assert read_a_run(running).endswith("7 0.91 from a new process")


def test_down_keeps_data_and_purge_leaves_nothing(running: Project) -> None:
    said = running.mlox("down", "--purge")
    assert said.code == 2
    assert "This deletes the data of mlflow" in said.err
    assert running.row("mlflow")["status"] == "running"
    running.done("down")
    assert running.processes() == []
    assert running.row("mlflow")["status"] == "stopped"
    assert running.mlox("env", "mlflow", "--json").error()["type"] == "ServiceError"
    assert running.json("down")["actions"] == []
    lock = (running.folder / "mlox.lock.yaml").read_bytes()
    forget(running)
    (action,) = running.json("plan")["actions"]
    assert (action["kind"], action["reasons"]) == ("start", [])
    running.done("up")
    assert (running.folder / "mlox.lock.yaml").read_bytes() == lock
    assert read_a_run(running).endswith("7 0.91 from a new process")
    row = running.row("mlflow")
    names = {secret["name"] for secret in running.json("secrets", "list")["secrets"]}
    assert {"mlflow.admin_password", "mlflow.session_key"} <= names
    done = running.json("down", "--purge", "-y")
    assert [action["kind"] for action in done["actions"]] == ["remove"]
    assert running.processes() == []
    assert not running.data.exists()
    assert running.json("secrets", "list") == {"secrets": []}
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(row["url"], timeout=5)
    assert running.json("down", "--purge", "-y")["actions"] == []
    assert running.row("mlflow")["status"] == "absent"


@pytest.mark.long
def test_an_older_pinned_version_is_not_upgraded(shop: Project) -> None:
    """It is what ``mlox.yaml`` says that runs, and a second ``up`` moves nothing."""
    text = (shop.folder / "mlox.yaml").read_text()
    assert 'version: "3.17.2"' in text or "version: 3.17.2" in text
    (shop.folder / "mlox.yaml").write_text(text.replace("3.17.2", "3.17.0"))
    assert shop.json("plan")["services"][0]["version"] == "3.17.0"
    shop.done("up")
    row = shop.row("mlflow")
    assert (row["version"], row["status"]) == ("3.17.0", "running")
    assert shop.python("import mlox; print(mlox.get('mlflow').client()._tracking_client)").code == 0
    found = (shop.home / "environments").glob("*/lib/python3*/site-packages/mlflow-3.17.0.dist-info")
    assert any(shop.runs(str(path.parents[3])) for path in found)
    assert shop.json("up")["actions"] == []
    assert shop.json("up", "mlflow")["actions"] == []
    assert shop.mlox("up", "mlflow@3.17.2", "--json").error()["type"] == "UsageError"
    assert "3.17.2" not in (shop.folder / "mlox.yaml").read_text()


def test_failures_are_one_object_on_stderr(shop: Project) -> None:
    for words, code, kind in (
        ("up mlfow", 2, "UnknownNameError"),
        ("statsu", 2, "UnknownNameError"),
        ("up mlflow --set workers=0", 2, "SpecError"),
        ("secrets get NOPE", 1, "SecretNotFoundError"),
        ("-C /nonexistent status", 1, "WorkspaceError"),
    ):
        said = shop.mlox("--json", *words.split())
        assert said.code == code
        error = said.error()
        assert set(error) == {"type", "problem", "hint"}
        assert error["type"] == kind
        assert error["hint"]
