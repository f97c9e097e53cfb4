"""One run: what goes in is logged when it starts, what comes out while it goes, and how it ended at its end."""

from __future__ import annotations

import contextlib
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException

from .facts import git_facts, machine_facts, requirements, seed_everything
from .parameters import flattened

_BATCH = 100  # parameters of one request


class TrackingError(RuntimeError):
    """Runs cannot be kept: nobody said where, or it cannot be reached."""


@dataclass(frozen=True)
class Run:
    """A run that goes on. What ``mlflow.log_...`` and ``mlflow.autolog`` log meanwhile goes into it as well."""

    id: str
    name: str
    experiment: str

    def metric(self, name: str, value: float, step: int | None = None) -> None:
        """One value; with ``step`` one of a curve."""
        self.metrics({name: value}, step)

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Several values at once."""
        mlflow.log_metrics({name: float(value) for name, value in values.items()}, step=step, run_id=self.id)

    def tags(self, values: Mapping[str, str]) -> None:
        """What the run is found by later."""
        mlflow.MlflowClient().log_batch(self.id, tags=[mlflow.entities.RunTag(*one) for one in values.items()])

    def file(self, path: str | Path, folder: str = "") -> None:
        """A file, or a folder with all that is in it."""
        where = Path(path)
        log = mlflow.log_artifacts if where.is_dir() else mlflow.log_artifact
        log(str(where), folder or None, run_id=self.id)

    def text(self, name: str, content: str) -> None:
        """A text as a file, such as ``reports/errors.md``."""
        mlflow.log_text(content, name, run_id=self.id)


@contextlib.contextmanager
def track(
    experiment: str,
    parameters: object = None,
    *,
    name: str = "",
    seed: int | None = None,
    tags: Mapping[str, str] | None = None,
) -> Iterator[Run]:
    """A run of ``experiment``; inside another one it is a part of that, such as a fold.

    ``parameters`` may be nested: a mapping, a dataclass, a pydantic model. With ``seed`` all that draws random numbers
    is seeded. A run that fails is marked so, and has the error as an artifact; one that is interrupted is marked too.

    Raises:
        TrackingError: ``MLFLOW_TRACKING_URI`` is not set, or what it names cannot be reached.

    Example::

        with track("churn", {"model": {"depth": 3}}, seed=7) as run:
            model = train(depth=3)
            run.metrics({"auc": 0.91})
    """
    given = flattened(parameters) if parameters is not None else {}
    facts = {**machine_facts(), **git_facts(), **(tags or {})}
    if seed is not None:
        given |= {"seed": str(seed)}
        facts["seeded"] = ", ".join(seed_everything(seed))
    outer = mlflow.active_run()
    with _reached():
        made = mlflow.start_run(
            experiment_id=_experiment(experiment), run_name=name or None, nested=outer is not None, tags=facts
        )
    run = Run(made.info.run_id, made.info.run_name or "", experiment)
    status = "FAILED"
    try:
        _log_inputs(run, given, whole=outer is None)
        yield run
        status = "FINISHED"
    except Exception as error:
        run.tags({"error": type(error).__name__})
        run.text("error.txt", traceback.format_exc())
        raise
    except BaseException:
        status = "KILLED"
        raise
    finally:
        mlflow.end_run(status)


def _experiment(name: str) -> str:
    """The id of an experiment, which is made where there is none of that name."""
    is_set: Callable[[], bool] = mlflow.is_tracking_uri_set  # which has no types
    if not is_set():
        raise TrackingError(
            "MLFLOW_TRACKING_URI is not set: with mlox, %mlox use mlflow, or mlox run mlflow -- COMMAND"
        )
    found = mlflow.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    try:
        return str(mlflow.create_experiment(name))
    except MlflowException:
        found = mlflow.get_experiment_by_name(name)  # somebody else has just made it
        if found is None:
            raise
        return str(found.experiment_id)


def _log_inputs(run: Run, parameters: dict[str, str], *, whole: bool) -> None:
    items: list[tuple[str, Any]] = list(parameters.items())
    for begin in range(0, len(items), _BATCH):
        mlflow.log_params(dict(items[begin : begin + _BATCH]), run_id=run.id)
    if whole:  # parts of a run are made in the same environment
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "requirements.txt"
            path.write_text(requirements(), "utf-8")
            run.file(path, "environment")


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        raise TrackingError(f"runs cannot be kept: {error.message}") from error
