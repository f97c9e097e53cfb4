"""What a model has to do to be served, and how it is found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

Value = bool | int | float | str | None
"""What a feature or a prediction may be."""


@runtime_checkable
class Model(Protocol):
    """A model that is served. It is asked by several threads at once.

    Example::

        class Churn:
            name, version = "churn", "3"

            def __init__(self, pipeline: Pipeline) -> None:
                self.pipeline = pipeline

            def predict(self, instances: Sequence[Mapping[str, Value]]) -> Sequence[Value]:
                return self.pipeline.predict_proba(pd.DataFrame(instances))[:, 1].tolist()
    """

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def version(self) -> str:
        """Which one it is: clients and caches tell by it that it has changed."""

    def predict(self, instances: Sequence[Mapping[str, Value]]) -> Sequence[Value]:
        """One prediction for each instance, in their order.

        Raises:
            ValueError: an instance lacks a feature or has one that cannot be; the client is told the message.
        """


Loader = Callable[[], Model]


def loader_of(reference: str) -> Loader:
    """What ``module:function`` names; nothing is called yet.

    Raises:
        ValueError: there is no such module or function.
    """
    module, _, name = reference.partition(":")
    try:
        loader: object = getattr(importlib.import_module(module), name) if module and name else None
    except (ImportError, AttributeError) as error:
        raise ValueError(f"API_MODEL is {reference!r}: {error}") from error
    if callable(loader):
        return loader
    raise ValueError(f"API_MODEL is {reference!r}, which is no function: write module:function")


def load_model(loader: Loader) -> Model:
    """The model that ``loader`` makes.

    Raises:
        TypeError: what it makes is no model.
    """
    model = loader()
    if not isinstance(model, Model):
        raise TypeError(f"{loader!r} made {type(model).__name__}, which lacks name, version or predict")
    return model
