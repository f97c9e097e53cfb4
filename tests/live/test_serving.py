"""Whether a model of the stack's MLflow is really served: logged and registered by a client, asked over HTTP.

It goes on without MLflow and after a kill; another version takes its place, and one that cannot be loaded does not.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.catalog.clients import python_with
from tests.live.engine.images import MLFLOW
from tests.live.placing import SLICE, Contained, placed
from tests.live.support import Project, Said, until

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.long(whole=True), pytest.mark.timeout(1800)]

NEEDED = ("mlflow==3.17.2", "scikit-learn==1.8.0")
"""A scikit-learn that is not the one of the image: the model's own has to be installed."""

ASKED = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3], [5.9, 3.0, 4.2, 1.5], [5.0, 2.3, 3.3, 1.0]]
TRAIN = """
import json, sys, warnings
import mlflow, mlox
from mlflow.pyfunc import PythonModel
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
warnings.simplefilter("ignore")
mlox.get("mlflow").use()
client = mlox.get("mlflow").client()
mlflow.set_experiment("iris")
features, labels = load_iris(return_X_y=True)
asked = json.loads(sys.argv[1])
told = {}
for model in (LogisticRegression(max_iter=500), Ridge()):
    with mlflow.start_run() as run:
        model.fit(features, labels)
        info = mlflow.sklearn.log_model(
            model, name="model", registered_model_name="Iris_EU", pip_requirements=["scikit-learn==1.8.0"],
            serialization_format="cloudpickle",
        )
        told[info.registered_model_version] = model.predict(asked).tolist()
        told["run"] = run.info.run_id

class Broken(PythonModel):
    def load_context(self, context):
        raise RuntimeError("these weights are of no use")
    def predict(self, context, model_input, params=None):
        return model_input

with mlflow.start_run():
    mlflow.pyfunc.log_model(
        name="model", python_model=Broken(), registered_model_name="Iris_EU", pip_requirements=["scikit-learn==1.8.0"]
    )
client.set_registered_model_alias("Iris_EU", "champion", "1")
print(json.dumps(told))
"""


@pytest.fixture(scope="module", params=SLICE)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shop(server: str, data_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack with an MLflow; the tests of this file go on with what is there."""
    home = tmp_path_factory.mktemp("home")
    with placed(server, tmp_path_factory.mktemp("shop"), data_home, HOME=str(home)) as made:
        if isinstance(made, Contained):
            made.engine.image(MLFLOW)
        made.done("init", "demo")
        made.done("up", "mlflow")
        yield made


@pytest.fixture(scope="module")
def predicted(shop: Project) -> dict[str, Any]:
    """What the models predicted where they were trained, by version; and the run of the second."""
    said = shop.run(str(python_with(NEEDED)), "-c", TRAIN, json.dumps(ASKED))
    assert said.code == 0, said
    return dict(json.loads(said.out.splitlines()[-1]))


def served(shop: Project, server: str, *words: str) -> Said:
    return shop.mlox("serve", *words, "--on", "docker" if server == "docker" else "local")


def answers(shop: Project) -> list[float]:
    """What the service predicts, as anybody would ask it."""
    request = urllib.request.Request(
        f"http://{shop.row('iris-eu')['ports']['http']}/invocations",
        json.dumps({"inputs": ASKED}).encode(),
        {"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return list(json.load(answer)["predictions"])


def answers_to_client(shop: Project) -> list[float]:
    """What it predicts where it is asked by the client that mlox hands out, at the path that mlox tells."""
    ask = "client.post('/invocations', json={'inputs': json.loads(sys.argv[1])}, timeout=60)"
    script = f"import json, sys, mlox; client = mlox.get('iris-eu').client(); print({ask}.raise_for_status().text)"
    said = shop.run(sys.executable, "-c", script, json.dumps(ASKED))
    assert said.code == 0, said
    return list(json.loads(said.out)["predictions"])


def test_a_registered_model_is_served_as_it_was_trained(shop: Project, server: str, predicted: dict[str, Any]) -> None:
    before = shop.json("status")
    planned = shop.json("serve", "models:/Iris_EU@champion", "--dry-run", "--on", shop.row("mlflow")["server"])
    assert [(one["kind"], one["service"]) for one in planned["actions"]] == [("create", "iris-eu")]
    assert [row["name"] for row in shop.json("status")["services"]] == [row["name"] for row in before["services"]]

    said = served(shop, server, "models:/Iris_EU@champion", "--json").json()
    assert (said["name"], said["model"]) == ("iris-eu", "models:/Iris_EU/1")
    assert answers(shop) == pytest.approx(predicted["1"])
    assert answers_to_client(shop) == answers(shop)
    for words in ("models:/Iris_EU@champion", "models:/Iris_EU/1"):
        assert shop.json("serve", words)["actions"] == []
    assert "iris-eu serves models:/Iris_EU/1: POST /invocations" in shop.done("serve", "models:/Iris_EU/1")
    if server == "local":
        (process,) = [one for one in shop.processes() if "mlflow.pyfunc.scoring_server.app:app" in one.cmdline()]
        assert not [name for name in process.environ() if name.startswith("MLFLOW_TRACKING_")]


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ("models:/Iris_EU/9", "the model 'Iris_EU' has no version 9", "the latest is 3"),
        ("models:/Iris_EU@chmpion", "the model 'Iris_EU' has no alias chmpion", "There is: champion."),
        ("models:/Iris_UE/1", "mlflow: unknown model 'Iris_UE'", "Iris_EU"),
        (f"runs:/{'0' * 32}/model", f"mlflow has no run {'0' * 32}", "page"),
        (f"models:/m-{'0' * 32}", f"mlflow has no model m-{'0' * 32}", "page"),
    ],
)
def test_a_model_that_is_not_there_is_told(
    shop: Project, predicted: dict[str, Any], words: str, problem: str, hint: str
) -> None:
    del predicted
    written = (shop.folder / "mlox.yaml").read_text()
    error = shop.mlox("serve", words, "--json").error()
    assert problem in error["problem"]
    assert hint in error["hint"]
    assert (shop.folder / "mlox.yaml").read_text() == written


def test_another_version_takes_its_place_and_a_broken_one_does_not(
    shop: Project, server: str, predicted: dict[str, Any]
) -> None:
    said = served(shop, server, "models:/Iris_EU/2", "--json").json()
    assert [(one["kind"], one["service"]) for one in said["actions"]] == [("update", "iris-eu")]
    assert answers(shop) == pytest.approx(predicted["2"])

    error = served(shop, server, "models:/Iris_EU/3", "--json").error()
    assert "these weights are of no use" in error["problem"]
    assert "runs again as before" in error["problem"]
    assert answers(shop) == pytest.approx(predicted["2"])
    shop.done("serve", "models:/Iris_EU/2")
    assert answers(shop) == pytest.approx(predicted["2"])

    run = f"runs:/{predicted['run']}/model"
    assert served(shop, server, run, "--as", "iris-eu", "--json").json()["model"] == run
    assert answers(shop) == pytest.approx(predicted["2"])


def test_it_is_served_without_mlflow_and_after_a_kill(shop: Project, predicted: dict[str, Any]) -> None:
    shop.done("down", "mlflow")
    assert answers(shop) == pytest.approx(predicted["2"])
    error = shop.mlox("serve", "models:/Iris_EU/1", "--as", "iris-eu", "--json").error()
    assert error["problem"] == "mlflow does not run"
    assert error["hint"] == "Start it: mlox up mlflow."

    before = {one.pid for one in shop.processes() if "mlflow.pyfunc.scoring_server.app:app" in one.cmdline()}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert before

    def again() -> bool:
        try:
            return answers(shop) == pytest.approx(predicted["2"])
        except (urllib.error.URLError, ConnectionError):
            return False

    until(lambda: shop.row("iris-eu")["status"] == "running" and again(), 180)
    assert shop.row("mlflow")["status"] == "stopped"
