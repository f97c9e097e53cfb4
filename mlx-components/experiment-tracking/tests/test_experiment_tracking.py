"""Whether a run tells what it was made with and how it ended, in the tracking server or in a database of its own."""

from __future__ import annotations

import os
import random
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run as Found
from project.experiment_tracking import Run, TrackingError, flattened, seed_everything, track
from project.experiment_tracking.facts import git_facts, requirements

SERVER = os.environ.get("MLFLOW_TRACKING_URI", "")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where runs are kept: the server of the environment, else a database in a new folder."""
    return SERVER or f"sqlite:///{tmp_path_factory.mktemp('tracking') / 'runs.db'}"


@pytest.fixture
def experiment(kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)  # where MLflow puts the files of an experiment that says nothing else
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(kept)
    name = f"test {uuid.uuid4().hex}"
    place = None if SERVER else (tmp_path / "artifacts").as_uri()
    identity = mlflow.create_experiment(name, artifact_location=place)
    yield name
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.delete_experiment(identity)
    mlflow.set_tracking_uri(before)


def found(run: Run) -> Found:
    return mlflow.get_run(run.id)


def artifact(run: Run, path: str) -> str:
    return mlflow.artifacts.load_text(f"runs:/{run.id}/{path}")


def test_a_run_tells_what_went_in_and_came_out(experiment: str, tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "a.txt").write_text("a plot")
    with track(experiment, {"model": {"depth": 3}}, name="first", seed=7, tags={"team": "churn"}) as run:
        for step in range(3):
            run.metric("loss", 1 / (step + 1), step)
        run.metrics({"auc": 0.9, "f1": 1})
        run.file(tmp_path / "plots", "plots")
        run.text("reports/errors.md", "# None")
        mlflow.log_metric("from_outside", 2.0)  # as autolog does it
    seen = found(run)
    assert seen.info.status == "FINISHED"
    assert seen.info.run_name == run.name == "first"
    assert seen.data.params == {"model.depth": "3", "seed": "7"}
    assert seen.data.metrics == {"loss": pytest.approx(1 / 3), "auc": 0.9, "f1": 1.0, "from_outside": 2.0}
    assert [one.step for one in mlflow.MlflowClient().get_metric_history(run.id, "loss")] == [0, 1, 2]
    assert seen.data.tags["team"] == "churn"
    assert "random" in seen.data.tags["seeded"]
    assert artifact(run, "plots/a.txt") == "a plot"
    assert artifact(run, "reports/errors.md") == "# None"
    assert "mlflow-skinny==" in artifact(run, "environment/requirements.txt")
    assert mlflow.active_run() is None


def test_a_run_that_fails_says_so_and_why(experiment: str) -> None:
    runs: list[Run] = []

    def fail() -> None:
        with track(experiment) as run:
            runs.append(run)
            raise LookupError("no such column")

    with pytest.raises(LookupError):
        fail()
    assert found(runs[0]).info.status == "FAILED"
    assert found(runs[0]).data.tags["error"] == "LookupError"
    assert "no such column" in artifact(runs[0], "error.txt")


def test_a_run_that_is_interrupted_says_so(experiment: str) -> None:
    runs: list[Run] = []

    def interrupt() -> None:
        with track(experiment) as run:
            runs.append(run)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert found(runs[0]).info.status == "KILLED"
    assert mlflow.active_run() is None


def test_a_run_inside_a_run_is_a_part_of_it(experiment: str) -> None:
    with track(experiment) as whole:
        for fold in range(2):
            with track(experiment, {"fold": fold}) as part:
                part.metric("auc", 0.5)
            assert found(part).data.tags["mlflow.parentRunId"] == whole.id
        whole.metric("auc", 0.6)
    assert found(whole).data.metrics == {"auc": 0.6}
    assert found(whole).info.status == "FINISHED"


def test_many_parameters_are_logged(experiment: str) -> None:
    with track(experiment, {f"p{number}": number for number in range(250)}) as run:
        pass
    assert len(found(run).data.params) == 250


def test_a_new_experiment_is_made(experiment: str) -> None:
    name = f"{experiment} more"
    with track(name) as run:
        pass
    made = mlflow.get_experiment_by_name(name)
    assert made is not None
    assert found(run).info.experiment_id == made.experiment_id
    mlflow.delete_experiment(made.experiment_id)


def test_without_a_place_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "is_tracking_uri_set", lambda: False)
    with pytest.raises(TrackingError, match="MLFLOW_TRACKING_URI is not set"):
        track("x").__enter__()
    assert mlflow.active_run() is None


def test_a_server_that_is_away_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch, experiment: str) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri("http://127.0.0.1:1")
    with pytest.raises(TrackingError, match="runs cannot be kept"):
        track(experiment).__enter__()
    mlflow.set_tracking_uri(before)


@dataclass
class Tree:
    depth: int = 3
    rates: list[float] = field(default_factory=lambda: [0.1])
    password: str = field(default="hunter2", repr=False)


def test_parameters_get_flat_names() -> None:
    assert flattened({"a": Tree(), "b": {"c": {"d": None}}, "e": {}, 1: (2,), "f g": {"y", "x"}}) == {
        "a.depth": "3",
        "a.rates": "[0.1]",
        "b.c.d": "None",
        "e": "{}",
        "1": "[2]",
        "f g": '["x", "y"]',
    }
    assert flattened(Tree()) == {"depth": "3", "rates": "[0.1]"}
    assert flattened({"a=b": 1}) == {"a_b": "1"}
    assert len(flattened({"long": "x" * 9000})["long"]) == 6000
    with pytest.raises(ValueError, match=r"two parameters a\.b"):
        flattened({"a": {"b": 1}, "a.b": 2})
    for wrong in ([1], Tree, "a"):
        with pytest.raises(TypeError, match="a mapping, a dataclass or a pydantic model"):
            flattened(wrong)


def test_the_same_seed_draws_the_same() -> None:
    draws = []
    for _ in range(2):
        assert seed_everything(7)[0] == "random"
        draws.append(random.random())
    assert draws[0] == draws[1]


def test_the_commit_is_known_and_whether_all_is_in_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        settings = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(("git", *settings, *words), cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert git_facts(tmp_path) == {}
    git("init", "--quiet", "--initial-branch", "work")
    (tmp_path / "a.txt").write_text("1")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    commit = git("rev-parse", "HEAD")
    assert git_facts(tmp_path) == {
        "mlflow.source.git.commit": commit,
        "mlflow.source.git.branch": "work",
        "git.changed": "false",
    }
    (tmp_path / "a.txt").write_text("2")
    assert git_facts(tmp_path)["git.changed"] == "true"


def test_the_distributions_are_listed_once_with_their_versions() -> None:
    lines = requirements().splitlines()
    assert len({line.partition("==")[0].lower() for line in lines}) == len(lines)
    assert any(line.startswith("pytest==") for line in lines)
