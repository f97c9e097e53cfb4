"""JupyterHub: a user, and a notebook that is written and read through a server of that user's own."""

from tests.live.catalog.case import Case
from tests.live.engine.npm import path_with_proxy

LOGIN = """
import json, time, urllib.request, mlox
hub = mlox.get("jupyterhub").client()

def ask(method, path, body=None, token=hub.api_token, top=hub.api_url):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{top}/{path}", data, {"Authorization": f"token {token}"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")

def served():
    deadline = time.monotonic() + 150
    if not ask("GET", "users/ada")["server"]:
        ask("POST", "users/ada/server")
    while not ask("GET", "users/ada")["servers"].get("", {}).get("ready"):
        assert time.monotonic() < deadline, "the notebook server does not start"
        time.sleep(1)
    return hub.api_url.replace("/hub/api", "/user/ada/api/contents")
"""
WRITE = f"""{LOGIN}
ask("POST", "users/ada")
cell = {{"cell_type": "markdown", "id": "one", "metadata": {{}}, "source": "# Churn, ü"}}
book = {{"cells": [cell], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}
ask("PUT", "churn.ipynb", {{"type": "notebook", "content": book}}, top=served())
"""
READ = f"""{LOGIN}
user = ask("GET", "users/ada")
book = ask("GET", "churn.ipynb", top=served())["content"]
print(user["name"], user["created"], hub.user_for_token(hub.api_token)["name"], book["cells"][0]["source"])
"""

CASE = Case(
    WRITE,
    READ,
    ("jupyterhub==6.1.1",),
    path=path_with_proxy,
    absent={"docker": "upstream's image has the hub alone, and no JupyterLab that it could start for a user"},
)
