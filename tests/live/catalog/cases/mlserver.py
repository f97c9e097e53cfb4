"""MLServer: a model that its own Python has trained, put into its folder, loaded and asked by the protocol."""

from tests.live.catalog.case import Case
from tests.live.engine.images import MLSERVER_IMAGE

WRITE = """
import mlox
TRAIN = '''
import json, os, pathlib, joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
folder = pathlib.Path(os.environ["MLSERVER_MODEL_REPOSITORY_ROOT"], "iris")
folder.mkdir()
joblib.dump(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), folder / "model.joblib")
settings = {"name": "iris", "implementation": "mlserver_sklearn.SKLearnModel"}
settings["parameters"] = {"uri": "./model.joblib", "version": "1"}
(folder / "model-settings.json").write_text(json.dumps(settings))
'''
done = mlox.get("mlserver").exec(["python3", "-c", TRAIN])
assert done.code == 0, done
mlox.get("mlserver").client().post("/v2/repository/models/iris/load").raise_for_status()
"""
READ = """
import mlox
client = mlox.get("mlserver").client()
told = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3], [5.9, 3.0, 4.2, 1.5]]
tensor = {"name": "x", "shape": [3, 4], "datatype": "FP64", "data": told}
found = client.post("/v2/models/iris/infer", json={"inputs": [tensor]}).raise_for_status().json()
assert found["outputs"][0]["data"] == [0, 2, 1], found
index = client.post("/v2/repository/index", json={}).json()
print(found["model_name"], found["model_version"], found["outputs"], index)
"""

CASE = Case(WRITE, READ, packages=("httpx==0.28.1",), images={"mlserver": MLSERVER_IMAGE})
