"""Which model is meant, what it needs, and how the service is called that serves it; a real MLflow is asked live."""

from __future__ import annotations

import pytest

import mlox
from mlox.errors import UsageError
from mlox.stack.models import read_reference, read_requirements
from mlox.stack.serving import service_name, serving
from tests.sdk_stage import STORE

RUN = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("words", "kind", "name", "which"),
    [
        ("models:/churn/3", "version", "churn", "3"),
        ("models:/Churn EU v2/12", "version", "Churn EU v2", "12"),
        ("models:/churn@champion", "alias", "churn", "champion"),
        (f"models:/m-{RUN}", "logged", "", f"m-{RUN}"),
        (f"runs:/{RUN}/model", "run", "model", RUN),
        (f"runs:/{RUN}/nested/model", "run", "nested/model", RUN),
    ],
)
def test_a_model_is_named_as_mlflow_names_it(words: str, kind: str, name: str, which: str) -> None:
    found = read_reference(words)
    assert (found.kind, found.name, found.which, found.words) == (kind, name, which, words)


@pytest.mark.parametrize("words", ["", "models:/", "models:/churn/latest", "models:/a/b/1", "runs:/short/model", "./x"])
def test_other_words_name_none(words: str) -> None:
    with pytest.raises(UsageError, match="does not name a model"):
        read_reference(words)


def test_requirements_are_those_of_this_python_without_spaces() -> None:
    text = """
    mlflow == 3.17.2
    xgboost[scikit, dask] >=2 , <3   # trees
    colorama ; sys_platform == "win32"
    tomli ; python_version >= "3.8"
    mine @ https://example.org/mine.whl#sha256=00
    --extra-index-url https://example.org/simple
    -c constraints.txt
    """
    wanted, left = read_requirements(text)
    assert wanted == (
        "mlflow==3.17.2",
        "xgboost[dask,scikit]<3,>=2",
        "tomli",
        "mine@https://example.org/mine.whl#sha256=00",
    )
    assert left == ("--extra-index-url https://example.org/simple", "-c constraints.txt")


@pytest.mark.parametrize(
    ("model", "name"),
    [("churn", "churn"), ("Churn_EU.v2", "churn-eu-v2"), ("2x", "model-2x"), ("é", "model"), ("a" * 60, "a" * 40)],
)
def test_a_service_is_called_like_its_model(model: str, name: str) -> None:
    assert service_name(model) == name


def test_without_mlflow_there_is_no_model(stack: mlox.Stack) -> None:
    with pytest.raises(UsageError, match="has no MLflow") as caught:
        serving(stack, "models:/churn/1")
    assert caught.value.hint == "Start one: mlox up mlflow."


def test_two_that_could_have_it_have_to_be_told_apart(stack: mlox.Stack) -> None:
    for name in ("eu", "us"):
        text = STORE.format(name=name, capability="mlflow", port=7000, needs="{}", up="", variable="MLFLOW")
        (stack.workspace.root / "services" / f"{name}.yaml").write_text(text)
        stack.add(name)
    with pytest.raises(UsageError, match="eu and us could both have the model") as caught:
        serving(stack, "models:/churn/1")
    assert caught.value.hint == "Say which: --from eu."


def test_what_is_served_already_needs_no_mlflow(stack: mlox.Stack) -> None:
    mlflow = stack.add("mlflow")
    stack.add("mlflow-model", "churn", needs={"mlflow": mlflow}, options={"model": "models:/churn/1"})
    found = serving(stack, "models:/churn/1")
    assert (found.name, found.model, dict(found.asked.options)) == ("churn", "models:/churn/1", {})
    stack.write((found.asked,))
    with pytest.raises(mlox.MloxError, match="mlflow does not run"):
        serving(stack, "models:/churn/2")
