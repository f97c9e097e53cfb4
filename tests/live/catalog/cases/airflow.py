"""Airflow: a run of a DAG from the workspace, with what its task logged, a variable, and an encrypted connection."""

from pathlib import Path

from tests.live.catalog.case import Case
from tests.live.engine.images import AIRFLOW

DAG = """
from airflow.sdk import dag, task


@dag(schedule=None)
def churn():
    @task
    def train(rows):
        print(f"trained on {rows} rows")

    train(4711)


churn()
"""


def with_dags(workspace: Path) -> None:
    """A DAG in the workspace."""
    (workspace / "dags").mkdir()
    (workspace / "dags" / "churn.py").write_text(DAG)


LOGIN = """
import json, time, urllib.request
import airflow_client.client as airflow, mlox
from airflow_client.client.api import connection_api, dag_api, dag_run_api, task_instance_api, variable_api
configuration = mlox.get("airflow").client()
word = json.dumps({"username": configuration.username, "password": configuration.password}).encode()
request = urllib.request.Request(f"{configuration.host}/auth/token", word, {"Content-Type": "application/json"})
configuration.access_token = json.load(urllib.request.urlopen(request))["access_token"]
api = airflow.ApiClient(configuration)
runs, variables = dag_run_api.DagRunApi(api), variable_api.VariableApi(api)
connections = connection_api.ConnectionApi(api)
"""
WRITE = f"""{LOGIN}
variables.post_variable(airflow.VariableBody(key="threshold", value="0.25"))
connections.post_connection(airflow.ConnectionBody(connection_id="lake", conn_type="http", host="lake", login="ada"))
deadline = time.monotonic() + 240
while "churn" not in [each.dag_id for each in dag_api.DAGApi(api).get_dags().dags]:
    assert time.monotonic() < deadline, "the DAG is not found"
    time.sleep(1)
dag_api.DAGApi(api).patch_dag("churn", airflow.DAGPatchBody(is_paused=False))
run = runs.trigger_dag_run("churn", airflow.TriggerDAGRunPostBody(dag_run_id="first", logical_date=None))
while run.state in ("queued", "running"):
    assert time.monotonic() < deadline, run
    time.sleep(1)
    run = runs.get_dag_run("churn", "first")
assert run.state == "success", run
"""
READ = f"""{LOGIN}
run, lake = runs.get_dag_run("churn", "first"), connections.get_connection("lake")
log = task_instance_api.TaskInstanceApi(api).get_log("churn", "first", "train", 1, accept="application/json")
print(variables.get_variable("threshold").value, lake.login, run.state.value, run.end_date, "on 4711 rows" in str(log))
"""

CASE = Case(
    WRITE,
    READ,
    ("apache-airflow-client==3.3.2",),
    {"airflow": AIRFLOW},
    prepare=with_dags,
    heavy={"native": "its four units start six times", "docker": "its image is built"},
)
