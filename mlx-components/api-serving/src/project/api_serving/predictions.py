"""Predictions: instances in, one prediction for each out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from .model import Model, Value
from .problems import Problem, ProblemDetails
from .settings import PREFIX, Settings

router = APIRouter(prefix=PREFIX, tags=["predictions"])


class PredictionRequest(BaseModel):
    """Instances: the features of each by their names."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"instances": [{"calls": 3, "plan": "basic"}]}]}
    )

    instances: Annotated[list[dict[str, Value]], Field(min_length=1)]


class ServedModel(BaseModel):
    """Which model has answered."""

    name: str
    version: str


class PredictionResponse(BaseModel):
    """A prediction for each instance, in their order."""

    model: ServedModel
    predictions: list[Value]


def served_model(request: Request) -> Model:
    """The model, which is loaded when the service starts."""
    model: Model | None = getattr(request.app.state, "model", None)
    if model is None:
        raise Problem(503, "no model is loaded: API_MODEL says which", headers={"Retry-After": "10"})
    return model


# Not async: a model computes, and would hold up all other requests in the event loop.
@router.post("/predictions", responses={status: {"model": ProblemDetails} for status in (413, 422, 503)})
def predict(
    body: PredictionRequest, request: Request, model: Annotated[Model, Depends(served_model)]
) -> PredictionResponse:
    """Ask the model for one prediction for each instance."""
    settings: Settings = request.app.state.settings
    if len(body.instances) > settings.max_instances:
        raise Problem(413, f"{len(body.instances)} instances; one request may hold {settings.max_instances}")
    try:
        predictions = list(model.predict(body.instances))
    except ValueError as error:
        raise Problem(422, str(error), title="The model cannot read an instance") from error
    if len(predictions) != len(body.instances):
        raise RuntimeError(f"{model.name} gave {len(predictions)} predictions for {len(body.instances)} instances")
    return PredictionResponse(model=ServedModel(name=model.name, version=model.version), predictions=predictions)
