"""Whether the version that serves is the one that was promoted, on the tracking server or a database of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from project.model_management import (
    Change,
    ModelError,
    ModelStore,
    NotBetterError,
    NothingToRollBackError,
    Rule,
    UnknownModelError,
)

SERVER = os.environ.get("MLFLOW_TRACKING_URI", "")

# A model as a file: what is loaded is this text, and nothing is pickled.
CODE = """
import mlflow
from mlflow.pyfunc import PythonModel

class Adds(PythonModel):
    def predict(self, context, model_input, params=None):
        return [{amount} + value for value in model_input["x"]]

mlflow.models.set_model(Adds())
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """At the server of the environment, else at a database in a new folder."""
    return ModelStore(SERVER or f"sqlite:///{tmp_path_factory.mktemp('registry') / 'models.db'}")


@pytest.fixture
def name(store: ModelStore, tmp_path: Path) -> Iterator[str]:
    """The name of a model, and an experiment of that name that keeps its files apart."""
    made = f"test-{uuid.uuid4().hex}"
    place = None if SERVER else (tmp_path / "artifacts").as_uri()
    identity = store.client.create_experiment(made, artifact_location=place)
    yield made
    store.client.delete_experiment(identity)
    if any(one.name == made for one in store.client.search_registered_models(f"name = '{made}'")):
        store.client.delete_registered_model(made)


def log(store: ModelStore, name: str, folder: Path, amount: int, **metrics: float) -> int:
    code = folder / f"adds_{amount}.py"
    code.write_text(CODE.format(amount=amount))
    made = store.log(name, str(code), metrics=metrics, pip_requirements=["pandas"], tags={"amount": str(amount)})
    return made.version


def asked(store: ModelStore, name: str, version: int | str = "champion") -> list[int]:
    return list(store.load(name, version).predict(pd.DataFrame({"x": [1, 2]})))


def test_the_version_that_is_promoted_is_loaded_and_can_be_taken_back(
    store: ModelStore, name: str, tmp_path: Path
) -> None:
    for amount, auc in ((10, 0.8), (20, 0.9), (30, 0.7)):
        assert log(store, name, tmp_path, amount, auc=auc) == amount // 10
    assert store.promote(name, 1).aliases == ("champion",)
    assert asked(store, name) == [11, 12]
    store.promote(name, 2)
    assert asked(store, name) == [21, 22]
    assert asked(store, name, 3) == [31, 32]
    store.promote(name, 3)
    assert store.rollback(name).version == 2
    assert store.rollback(name).version == 1
    assert asked(store, name) == [11, 12]
    with pytest.raises(NothingToRollBackError, match=f"no version of {name} was champion before {name} 1"):
        store.rollback(name)

    newest, _, oldest = store.versions(name)
    assert (newest.version, newest.metrics, newest.aliases) == (3, {"auc": 0.7}, ())
    assert oldest.tags["amount"] == "10"
    assert store.compare(name) == [Change("auc", 0.8, 0.7)]
    assert store.compare(name, 1, "2")[0].difference == pytest.approx(0.1)


def test_a_rule_lets_only_the_better_through(store: ModelStore, name: str, tmp_path: Path) -> None:
    log(store, name, tmp_path, 1, auc=0.8)
    log(store, name, tmp_path, 2, auc=0.85)
    rule = Rule("auc", by=0.1)
    assert store.promote(name, 1, rule=rule).version == 1  # nothing serves yet
    with pytest.raises(NotBetterError, match=r"does not become champion: its auc is 0.85, and 0.8 of"):
        store.promote(name, 2, rule=rule)
    assert store.version(name).version == 1
    assert store.promote(name, 2, rule=Rule("auc", by=0.05)).version == 2


def test_aliases_have_histories_of_their_own(store: ModelStore, name: str, tmp_path: Path) -> None:
    for amount in (1, 2):
        log(store, name, tmp_path, amount)
        store.promote(name, amount)
    store.promote(name, "champion", alias="shadow")
    store.promote(name, 1, alias="shadow")
    assert store.version(name, 2).aliases == ("champion",)
    assert store.rollback(name, alias="shadow").aliases == ("champion", "shadow")
    with pytest.raises(NothingToRollBackError):
        store.rollback(name, alias="shadow")
    assert store.rollback(name).version == 1


def test_promoting_the_same_again_changes_nothing(store: ModelStore, name: str, tmp_path: Path) -> None:
    for amount in (1, 2):
        log(store, name, tmp_path, amount)
        for _ in range(2):
            store.promote(name, amount)
    assert store.rollback(name).version == 1


def test_a_version_that_is_deleted_is_passed_over(store: ModelStore, name: str, tmp_path: Path) -> None:
    for amount in (1, 2, 3):
        log(store, name, tmp_path, amount)
        store.promote(name, amount)
    store.client.delete_model_version(name, "2")
    assert store.rollback(name).version == 1


def test_a_model_of_a_run_that_goes_on_is_a_part_of_it(store: ModelStore, name: str, tmp_path: Path) -> None:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(store.uri)
    experiment = store.client.get_experiment_by_name(name)
    assert experiment is not None
    with mlflow.start_run(experiment_id=experiment.experiment_id) as run:
        log(store, name, tmp_path, 1, auc=0.5)
        mlflow.log_metric("later", 1.0)
    mlflow.set_tracking_uri(before)
    found = store.version(name, 1)
    assert (found.run_id, found.metrics) == (run.info.run_id, {"auc": 0.5, "later": 1.0})


def test_what_is_not_there_is_told(store: ModelStore, name: str, tmp_path: Path) -> None:
    for ask in (store.versions, store.load, store.compare):
        with pytest.raises(UnknownModelError, match=name):
            ask(name)
    log(store, name, tmp_path, 1)
    for version in (7, "7", "shadow"):
        with pytest.raises(UnknownModelError, match=f"there is no {name} {version}"):
            store.promote(name, version)
    with pytest.raises(ModelError, match="cannot be registered"):
        store.register(name, f"runs:/{uuid.uuid4().hex}/model")
    with pytest.raises(ModelError, match="cannot be logged"):
        store.log(name, str(tmp_path / "gone.py"))


def test_mlflow_stays_where_it_was(store: ModelStore, name: str, tmp_path: Path) -> None:
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    log(store, name, tmp_path, 1)
    store.promote(name, 1)
    asked(store, name)
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == before
    assert mlflow.active_run() is None


@pytest.mark.parametrize(
    ("rule", "before", "after", "holds"),
    [
        (Rule("auc"), 0.8, 0.9, True),
        (Rule("auc"), 0.8, 0.8, False),
        (Rule("auc", by=0.1), 0.2, 0.3, True),
        (Rule("auc", by=0.1), 0.2, 0.29, False),
        (Rule("loss", "lower"), 0.8, 0.7, True),
        (Rule("loss", "lower", by=0.2), 0.8, 0.7, False),
        (Rule("auc"), None, 0.1, True),
        (Rule("auc"), 0.8, None, False),
        (Rule("auc"), float("nan"), 0.1, True),
        (Rule("auc"), 0.8, float("nan"), False),
    ],
)
def test_when_a_version_is_better(rule: Rule, before: float | None, after: float | None, holds: bool) -> None:
    old = {} if before is None else {rule.metric: before}
    new = {} if after is None else {rule.metric: after}
    assert rule.holds(old, new) is holds
