"""How a model of the stack's MLflow becomes a service of the stack."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlox.errors import UnknownNameError, UsageError
from mlox.specs.model import Scalar
from mlox.stack.joining import Asked, read_assignments
from mlox.stack.models import Model, Reference, Registry, read_reference
from mlox.stack.surroundings import Surroundings

if TYPE_CHECKING:
    from mlox.stack.stack import Stack

KIND = "mlflow-model"
CAPABILITY = "mlflow"
SERVED_BY = ">=3.1,<4"
"""Versions of MLflow that serve a model; one that was logged by another is served by the newest of these."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What is asked of the stack so that it serves a model, and what is to be known of it."""

    asked: Asked
    model: str
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the service."""
        return self.asked.name or KIND


def serving(
    stack: Stack,
    words: str,
    *,
    registry: str | None = None,
    name: str | None = None,
    server: str | None = None,
    assignments: tuple[str, ...] = (),
) -> Serving:
    """What ``up`` has to be asked for, so that a model is served.

    MLflow is asked only where the words are new: what is served already needs no MLflow.

    Args:
        words: a model as MLflow names it. ``registry``: the MLflow, where the stack has several.

    Raises:
        UsageError: the words name no model, or the stack has no MLflow, or several.
        UnknownNameError: MLflow has no such model. ServiceError: it does not run.
    """
    reference = read_reference(words)
    around = stack.surroundings()
    chosen = read_assignments(assignments, around.catalog.get(KIND).service)
    if "model" in chosen:
        raise UsageError("the model is what follows serve", hint="Leave --set model out.")
    own = name or service_name(reference.name)
    there = around.spec.services.get(own)
    there = there if there is not None and there.service == KIND else None
    served = there.options.get("model") if there is not None else None
    if served == words:
        needs = {CAPABILITY: registry} if registry else {}
        return Serving(Asked(KIND, None, own, server, needs, chosen), words)
    source = _registry(around, registry, there.needs.get(CAPABILITY) if there is not None else None)
    found = Registry(source, stack.service(source).env.reveal()).look_up(reference)
    if served == found.uri:
        moved = (f"{words} is {found.uri}",)
        return Serving(Asked(KIND, None, own, server, {CAPABILITY: source}, chosen), found.uri, moved)
    options: dict[str, Scalar] = {"model": found.uri, "requirements": " ".join(_served(found)), **chosen}
    asked = Asked(KIND, None, name or service_name(found.name), server, {CAPABILITY: source}, options)
    return Serving(asked, found.uri, _notes(found, reference, chosen))


def service_name(model: str) -> str:
    """What a service is called that serves a model.

    Example:
        >>> service_name("Churn_EU v2"), service_name("42"), service_name("")
        ('churn-eu-v2', 'model-42', 'model')
    """
    words = re.findall(r"[a-z0-9]+", model.lower())
    if not words or not words[0][0].isalpha():
        words = ["model", *words]
    return "-".join(words)[:40].rstrip("-")


def _registry(around: Surroundings, wanted: str | None, before: str | None) -> str:
    """The MLflow that a model comes from."""
    services = around.spec.services
    known = [name for name in services if CAPABILITY in around.service(name).provides]
    if wanted is not None and wanted not in services:
        raise UnknownNameError.among("service", wanted, services, where="--from: ")
    if wanted is not None and wanted not in known:
        raise UsageError(f"--from: {wanted} is no MLflow", hint=f"Name one of: {', '.join(known)}.")
    if not known:
        raise UsageError("the stack has no MLflow that a model could come from", hint="Start one: mlox up mlflow.")
    if wanted or before in known:
        return wanted or before or known[0]
    if len(known) > 1:
        raise UsageError(f"{' and '.join(known)} could both have the model", hint=f"Say which: --from {known[0]}.")
    return known[0]


def _served(model: Model) -> list[str]:
    """What a model needs; of MLflow itself only where that version can serve it."""
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    wanted = []
    for text in model.requirements:
        found = Requirement(text)
        pins = [one.version for one in found.specifier if one.operator == "=="]
        if not found.name.startswith("mlflow") or any(pin in SpecifierSet(SERVED_BY) for pin in pins):
            wanted.append(text)
    return wanted


def _notes(model: Model, reference: Reference, chosen: Mapping[str, Scalar]) -> tuple[str, ...]:
    notes = [f"{reference.words} is {model.uri}"] if model.uri != reference.words else []
    if "requirements" not in chosen:
        dropped = [text for text in model.requirements if text not in _served(model)]
        notes += [f"served without {text}" for text in (*dropped, *model.left_out)]
    here = ".".join(map(str, sys.version_info[:2]))
    if model.python and ".".join(model.python.split(".")[:2]) != here:
        notes.append(f"it was logged by Python {model.python}; here it is {here}")
    return tuple(notes)
