"""The models of a registry of MLflow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import mlflow
import mlflow.pyfunc
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel

from .comparing import Change, Rule, compared
from .errors import ModelError, NotBetterError, NothingToRollBackError, UnknownModelError
from .versions import ALIAS, ModelVersion, history_key, read_history, write_history


class ModelStore:
    """Versions of models, where ``MLFLOW_TRACKING_URI`` says, or ``uri``.

    A version is a number or an alias everywhere. Loading a model runs code of whoever saved it: only load what your
    colleagues registered.

    Example::

        store = ModelStore()
        new = store.log("churn", forest, flavor=mlflow.sklearn, metrics={"auc": 0.91})
        store.promote("churn", new.version, rule=Rule("auc"))
        store.load("churn").predict(frame)
        store.rollback("churn")
    """

    def __init__(self, uri: str | None = None) -> None:
        self.uri = uri or mlflow.get_tracking_uri()
        self.client = MlflowClient(self.uri, self.uri)

    def log(
        self,
        name: str,
        model: object,
        *,
        flavor: ModuleType | None = None,
        experiment: str = "",
        metrics: Mapping[str, float] | None = None,
        parameters: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        **given: Any,
    ) -> ModelVersion:
        """Save a model in a run of its own, or in the one that goes on, and register it as a new version.

        ``flavor`` is the module of MLflow that knows the model, ``mlflow.sklearn``; without it, it is a
        ``mlflow.pyfunc.PythonModel`` or the path of a file with one. ``given`` goes to its ``log_model``, such as
        ``input_example`` or ``pip_requirements``.

        Raises:
            ModelError: it cannot be saved.
        """
        with _told(f"{name} cannot be logged"), self._here():
            running = mlflow.active_run()
            with contextlib.ExitStack() as stack:
                if running is None:
                    running = stack.enter_context(mlflow.start_run(experiment_id=self._experiment(experiment or name)))
                mlflow.log_params(dict(parameters or {}))
                mlflow.log_metrics(dict(metrics or {}))
                if flavor is None:
                    info = mlflow.pyfunc.log_model(name="model", python_model=model, **given)
                else:
                    info = flavor.log_model(model, name="model", **given)
            return self.register(name, info.model_uri, run_id=running.info.run_id, tags=tags)

    def register(
        self, name: str, model_uri: str, *, run_id: str | None = None, tags: Mapping[str, str] | None = None
    ) -> ModelVersion:
        """Make a saved model, ``models:/m-...`` or ``runs:/RUN/model``, a new version of ``name``.

        Raises:
            ModelError: there is no such model.
        """
        with _told(f"{name} cannot be registered"), self._here():
            made = mlflow.register_model(model_uri, name, tags=dict(tags or {}))
            if run_id is None:
                run_id = made.run_id or ""
            elif not made.run_id:
                self.client.set_model_version_tag(name, made.version, "run_id", run_id)
        return self.version(name, int(made.version))

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions, the newest first.

        Raises:
            UnknownModelError: there is no such model.
        """
        with _told(f"there is no model {name}", UnknownModelError):
            self.client.get_registered_model(name)
            found = self.client.search_model_versions(f"name = '{name}'", max_results=1000)
        numbers = sorted((int(one.version) for one in found), reverse=True)
        return [self.version(name, number) for number in numbers]

    def version(self, name: str, version: int | str = ALIAS) -> ModelVersion:
        """One version, by its number or its alias.

        Raises:
            UnknownModelError: there is none.
        """
        alias = isinstance(version, str) and not version.isdecimal()
        with _told(f"there is no {name} {version}", UnknownModelError):
            ask = self.client.get_model_version_by_alias if alias else self.client.get_model_version
            found = ask(name, str(version))
        run_id = str(found.run_id or found.tags.get("run_id", ""))
        metrics: dict[str, float] = {}
        if run_id:
            with contextlib.suppress(MlflowException):  # a run may be deleted, and its model stay
                metrics = dict(self.client.get_run(run_id).data.metrics)
        return ModelVersion(name, int(found.version), run_id, tuple(found.aliases), metrics, dict(found.tags))

    def promote(self, name: str, version: int | str, *, alias: str = ALIAS, rule: Rule | None = None) -> ModelVersion:
        """Give the alias to a version; with a ``rule`` only if it is better than the one that has it.

        Raises:
            UnknownModelError: there is no such version. NotBetterError: the rule does not hold.
        """
        new = self.version(name, version)
        old = self._serving(name, alias)
        if old is not None and old.version == new.version:
            return new
        if rule is not None and old is not None and not rule.holds(old.metrics, new.metrics):
            told = f"{rule.metric} is {new.metrics.get(rule.metric)}, and {old.metrics.get(rule.metric)} of {old}"
            raise NotBetterError(
                f"{new} does not become {alias}: its {told}; {rule.better} by {rule.by:g} is asked for"
            )
        # First what was, then what is: whoever is killed between the two has lost nothing.
        history = self._history(name, alias)
        if old is not None and history[-1:] != [old.version]:
            history.append(old.version)
        self._serve(name, alias, new.version, history)
        return self.version(name, new.version)

    def rollback(self, name: str, *, alias: str = ALIAS) -> ModelVersion:
        """Give the alias back to the version that had it before; again, to the one before that.

        Raises:
            NothingToRollBackError: no version had it before, or all that had are deleted.
        """
        now = self._serving(name, alias)
        history = self._history(name, alias)
        while history:
            before = history.pop()
            if now is not None and before == now.version:
                continue
            try:
                found = self.version(name, before)
            except UnknownModelError:
                continue  # deleted since
            with _told(f"{found} cannot become {alias} again"):
                self.client.set_registered_model_alias(name, alias, str(found.version))
                self.client.set_registered_model_tag(name, history_key(alias), write_history(history))
            return self.version(name, found.version)
        raise NothingToRollBackError(f"no version of {name} was {alias} before {now or 'any other'}")

    def compare(self, name: str, before: int | str = ALIAS, after: int | str | None = None) -> list[Change]:
        """The metrics of two versions, by default of the one that serves and the newest.

        Raises:
            UnknownModelError: there is no such version.
        """
        newest = self.versions(name)[0].version if after is None else after
        return compared(self.version(name, before).metrics, self.version(name, newest).metrics)

    def load(self, name: str, version: int | str = ALIAS) -> PyFuncModel:
        """A model that predicts; of the native kind with ``mlflow.<flavor>.load_model(store.version(name).uri)``.

        Raises:
            UnknownModelError: there is no such version. ModelError: it cannot be loaded.
        """
        found = self.version(name, version)
        with _told(f"{found} cannot be loaded"), self._here():
            loaded: PyFuncModel = mlflow.pyfunc.load_model(found.uri)
        return loaded

    def _serving(self, name: str, alias: str) -> ModelVersion | None:
        try:
            return self.version(name, alias)
        except UnknownModelError:
            return None

    def _history(self, name: str, alias: str) -> list[int]:
        with _told(f"there is no model {name}", UnknownModelError):
            return read_history(self.client.get_registered_model(name).tags.get(history_key(alias)))

    def _serve(self, name: str, alias: str, version: int, history: Sequence[int]) -> None:
        with _told(f"{name} {version} cannot become {alias}"):
            self.client.set_registered_model_tag(name, history_key(alias), write_history(history))
            self.client.set_registered_model_alias(name, alias, str(version))

    def _experiment(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        return str(found.experiment_id if found is not None else self.client.create_experiment(name))

    @contextlib.contextmanager
    def _here(self) -> Iterator[None]:
        """With MLflow's own functions at this store, and back at where they were."""
        tracking, registry = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(tracking)
            mlflow.set_registry_uri(registry)


@contextlib.contextmanager
def _told(problem: str, kind: type[ModelError] = ModelError) -> Iterator[None]:
    """What MLflow raises, in our words; that something is not there only where ``kind`` says so."""
    try:
        yield
    except MlflowException as error:
        missing = error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND")
        raise (kind if missing else ModelError)(f"{problem}: {error.message}") from error
