"""What an MLflow knows of a model: which version it is and what it needs; asked of its server, without its client."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from mlox.errors import ServiceError, UnknownNameError, UsageError

PATIENCE_S = 60.0
FORMS = "models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-ID or runs:/ID/NAME"

_FORMS = {
    "version": re.compile(r"models:/(?P<name>[^/@]+)/(?P<which>[0-9]+)"),
    "alias": re.compile(r"models:/(?P<name>[^/@]+)@(?P<which>[^/@]+)"),
    "logged": re.compile(r"models:/(?P<which>m-[0-9a-f]{32})(?P<name>)"),
    "run": re.compile(r"runs:/(?P<which>[0-9a-f]{32})/(?P<name>.+)"),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A model as somebody names it: ``kind`` is version, alias, logged or run; ``which`` the version, alias or id."""

    kind: str
    name: str
    which: str
    words: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model that there is: what it is called, what always means it, what it needs, and the Python that made it.

    ``left_out`` are lines of its requirements that are options of pip's, or cannot be read.
    """

    name: str
    uri: str
    requirements: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    python: str = ""


def read_reference(words: str) -> Reference:
    """What ``words`` name.

    Raises:
        UsageError: they are of none of the forms.

    Example:
        >>> read_reference("models:/churn@champion")
        Reference(kind='alias', name='churn', which='champion', words='models:/churn@champion')
    """
    for kind, form in _FORMS.items():
        if found := form.fullmatch(words):
            return Reference(kind, found["name"], found["which"], words)
    known = re.fullmatch(r"(?:models:/)?([\w .-]+)", words)
    hint = f"Say which version: models:/{known[1]}/1." if known else f"Write {FORMS}."
    raise UsageError(f"{words!r} does not name a model", hint=hint)


def read_requirements(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    r"""The requirements of this Python in a file of pip's, none with a space in it; and the lines that are left out.

    Example:
        >>> read_requirements("numpy >= 2, <3 # fast\n--pre\ncolorama; sys_platform == 'win32'\n")
        (('numpy<3,>=2',), ('--pre',))
    """
    wanted: list[str] = []
    left: list[str] = []
    for line in text.splitlines():
        said = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not said:
            continue
        try:
            found = Requirement(said)
        except InvalidRequirement:
            left.append(said)
            continue
        if found.marker is None or found.marker.evaluate():
            extras = f"[{','.join(sorted(found.extras))}]" if found.extras else ""
            wanted.append(f"{found.name}{extras}{f'@{found.url}' if found.url else found.specifier}")
    return tuple(wanted), tuple(left)


class Registry:
    """The models of one MLflow.

    Args:
        service: its name in the stack. ``environment``: what its clients read, with the login.
    """

    def __init__(self, service: str, environment: Mapping[str, str]) -> None:
        self.service = service
        self._address = environment["MLFLOW_TRACKING_URI"]
        login = f"{environment.get('MLFLOW_TRACKING_USERNAME', '')}:{environment.get('MLFLOW_TRACKING_PASSWORD', '')}"
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}"

    def look_up(self, reference: Reference) -> Model:
        """The model that is named.

        Raises:
            UnknownNameError: there is none. ServiceError: MLflow does not answer, or refuses.
        """
        if reference.kind in ("version", "alias"):
            return self._registered(reference)
        if reference.kind == "logged":
            found = self._asked(f"api/2.0/mlflow/logged-models/{reference.which}")
            if found is None:
                raise UnknownNameError(f"{self.service} has no model {reference.which}", hint="Look at its page.")
            return self._logged(json.loads(found)["model"]["info"], reference.words)
        return self._of_run(reference)

    def _registered(self, reference: Reference) -> Model:
        name, version = reference.name, reference.which
        if reference.kind == "alias":
            found = self._asked("api/2.0/mlflow/registered-models/alias", name=name, alias=version)
        else:
            found = self._asked("api/2.0/mlflow/model-versions/get", name=name, version=version)
        if found is None:
            raise self._no_version(reference)
        version = str(json.loads(found)["model_version"]["version"])
        files = {
            file: self._asked("model-versions/get-artifact", name=name, version=version, path=file)
            for file in ("requirements.txt", "python_env.yaml")
        }
        return _model(name, f"models:/{name}/{version}", files)

    def _no_version(self, reference: Reference) -> UnknownNameError:
        """That a model or its version is not there, with those that are."""
        found = self._asked("api/2.0/mlflow/registered-models/get", name=reference.name)
        if found is None:
            page = json.loads(self._asked("api/2.0/mlflow/registered-models/search", max_results="1000") or "{}")
            names = [one["name"] for one in page.get("registered_models", [])]
            return UnknownNameError.among("model", reference.name, names, where=f"{self.service}: ")
        model = json.loads(found)["registered_model"]
        if reference.kind == "alias":
            has = [one["alias"] for one in model.get("aliases", [])]
        else:
            has = [f"the latest is {one['version']}" for one in model.get("latest_versions", [])][-1:]
        hint = f"There is: {', '.join(has)}." if has else f"Give it one, or say: models:/{reference.name}/1."
        return UnknownNameError(
            f"{self.service}: the model {reference.name!r} has no {reference.kind} {reference.which}", hint=hint
        )

    def _of_run(self, reference: Reference) -> Model:
        run, name = reference.which, reference.name
        found = self._asked("api/2.0/mlflow/runs/get", run_id=run)
        if found is None:
            raise UnknownNameError(f"{self.service} has no run {run}", hint="Look at its page.")
        body = {
            "experiment_ids": [json.loads(found)["run"]["info"]["experiment_id"]],
            "filter": f"source_run_id = '{run}'",
        }
        models = json.loads(self._asked("api/2.0/mlflow/logged-models/search", body) or "{}").get("models", [])
        of_run = {one["info"]["name"]: one["info"] for one in models}
        if name in of_run:
            return self._logged(of_run[name], reference.words)
        files = {  # clients before 3.0 put a model among the files of its run
            file: self._asked("get-artifact", run_uuid=run, path=f"{name}/{file}")
            for file in ("MLmodel", "requirements.txt", "python_env.yaml")
        }
        if files["MLmodel"] is None:
            raise UnknownNameError.among("model", name, of_run, where=f"{self.service}, run {run}: ")
        return _model(name, reference.words, files)

    def _logged(self, info: Mapping[str, Any], words: str) -> Model:
        route = f"ajax-api/2.0/mlflow/logged-models/{info['model_id']}/artifacts/files"
        files = {file: self._asked(route, artifact_file_path=file) for file in ("requirements.txt", "python_env.yaml")}
        return _model(info["name"], words, files)

    def _asked(self, route: str, body: object = None, **query: str) -> str | None:
        """What the server answers; None where there is no such thing."""
        parts = urlsplit(self._address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_S)
        headers = {"Authorization": self._login, "Content-Type": "application/json"}
        asked = ("GET", None) if body is None else ("POST", json.dumps(body))
        try:
            connection.request(asked[0], f"{parts.path}/{route}?{urlencode(query)}", asked[1], headers)
            answer = connection.getresponse()
            said = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            hint = f"Look: mlox why {self.service}."
            raise ServiceError(f"{self.service} does not answer: {error}", hint=hint) from error
        finally:
            connection.close()
        if answer.status == 200:
            return said
        if answer.status == 404 or (answer.status == 400 and "alias" in said and "not found" in said):
            return None
        hint = f"Look: mlox logs {self.service}."
        raise ServiceError(f"{self.service} answered {answer.status}: {said.strip()[:300]}", hint=hint)


def _model(name: str, uri: str, files: Mapping[str, str | None]) -> Model:
    wanted, left = read_requirements(files["requirements.txt"] or "")
    python = re.search(r"^python:\s*([0-9.]+)", files["python_env.yaml"] or "", re.MULTILINE)
    return Model(name, uri, wanted, left, python[1] if python else "")
