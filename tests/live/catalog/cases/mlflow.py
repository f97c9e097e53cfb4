"""MLflow: a run with what it logs, and a model with a version."""

from tests.live.catalog.case import Case
from tests.live.engine.images import MLFLOW

WRITE = """
import mlflow, mlox, pathlib, tempfile
client = mlox.get("mlflow").client()
mlox.get("mlflow").use()
mlflow.set_experiment("churn")
with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
    mlflow.log_metric("loss", 0.25)
    mlflow.log_param("depth", 3)
    path = pathlib.Path(folder, "weights.bin")
    path.write_bytes(bytes(range(256)) * 4096)
    mlflow.log_artifact(str(path), "model")
client.create_registered_model("churn")
client.create_model_version("churn", f"runs:/{run.info.run_id}/model", run.info.run_id)
"""
READ = """
import hashlib, mlox, pathlib, tempfile
client = mlox.get("mlflow").client()
mlox.get("mlflow").use()
(run,) = client.search_runs([client.get_experiment_by_name("churn").experiment_id])
with tempfile.TemporaryDirectory() as folder:
    found = client.download_artifacts(run.info.run_id, "model/weights.bin", folder)
    artifact = hashlib.sha256(pathlib.Path(found).read_bytes()).hexdigest()
(version,) = client.search_model_versions("name='churn'")
print(run.info.run_id, run.data.metrics, run.data.params, version.name, version.run_id, artifact)
"""

CASE = Case(WRITE, READ, images={"mlflow": MLFLOW})
