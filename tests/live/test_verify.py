"""What an MLflow tells of what it holds: the same for the same, also after a restart, and else something else."""

from __future__ import annotations

import pytest

from tests.live.support import Project

pytestmark = pytest.mark.slow

WRITE = """
import mlflow, mlox, pathlib, tempfile
mlox.get("mlflow").use()
mlflow.set_experiment("churn")
with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
    mlflow.log_metric("loss", 0.25)
    mlflow.log_param("depth", 3)
    path = pathlib.Path(folder, "weights.bin")
    path.write_bytes(b"x" * 1000)
    mlflow.log_artifact(str(path), "model")
"""
TELL = """
import mlox
from mlox.resolve import resolve
from mlox.variables import finish
stack = mlox.Stack()
around = stack.surroundings()
(unit,) = resolve(around.spec, ["mlflow"], around.world(around.spec))
said = []
code = stack.exec("mlflow", tuple(map(finish, unit.verify)), write=lambda channel, chunk: said.append(chunk))
print(b"".join(said).decode())
raise SystemExit(code)
"""


def told(shop: Project) -> list[str]:
    said = shop.python(TELL)
    assert said.code == 0, said
    return said.out.split("\n")


def test_what_an_mlflow_holds(shop: Project) -> None:
    shop.done("up", "mlflow")
    empty = told(shop)
    assert [line.split()[:2] for line in empty if line] == [
        ["experiments", "1"],
        ["runs", "0"],
        ["models", "0"],
        ["versions", "0"],
        ["artifacts", "0"],
    ]
    wrote = shop.python(WRITE)
    assert wrote.code == 0, wrote
    full = told(shop)
    assert [line.split()[:2] for line in full if line][:2] == [["experiments", "2"], ["runs", "1"]]
    assert [line.split()[1] for line in full if line.startswith("artifacts")] == ["1"]
    shop.done("restart", "mlflow")
    assert told(shop) == full
