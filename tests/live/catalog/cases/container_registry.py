"""The container registry: an artifact of a blob and a manifest under a tag; nobody writes without the password."""

from tests.live.catalog.case import Case
from tests.live.engine.images import REGISTRY

WRITE = """
import pathlib, tempfile, mlox
service = mlox.get("container-registry")
service.use()
client = service.client()
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "weights.bin")
    path.write_bytes(bytes(range(256)) * 8192)
    client.push(f"{client.hostname}/churn/model:v1", files=[str(path)], disable_path_validation=True)
    client.auth.set_basic_auth("mlox", "wrong")
    try:
        client.push(f"{client.hostname}/churn/other:v1", files=[str(path)], disable_path_validation=True)
    except Exception as error:
        assert "authentication required" in str(error), error
    else:
        raise AssertionError("anybody may push")
"""
READ = """
import hashlib, pathlib, tempfile, mlox
service = mlox.get("container-registry")
service.use()
client = service.client()
name = f"{client.hostname}/churn/model:v1"
manifest = client.get_manifest(name)
with tempfile.TemporaryDirectory() as folder:
    (found,) = client.pull(name, outdir=folder)
    blob = hashlib.sha256(pathlib.Path(found).read_bytes()).hexdigest()
listed = client.do_request(f"http://{client.hostname}/v2/_catalog").json()
print(client.get_tags(name), manifest["layers"][0]["digest"], blob, listed)
"""

CASE = Case(WRITE, READ, packages=("oras==0.2.43",), images={"container-registry": REGISTRY})
