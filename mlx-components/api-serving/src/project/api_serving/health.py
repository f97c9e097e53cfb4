"""Whether the process lives, and whether it can serve: what an orchestrator asks."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from .problems import Problem, ProblemDetails

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The answer to a health check."""

    status: Literal["ok"] = "ok"


@router.get("/healthz")
async def healthz() -> Health:
    """The process lives. It does not say that it can serve: a restart would mend nothing."""
    return Health()


@router.get("/readyz", responses={503: {"model": ProblemDetails}})
async def readyz(request: Request) -> Health:
    """The model is loaded: requests may be sent here."""
    if getattr(request.app.state, "model", None) is None:
        raise Problem(503, "no model is loaded: API_MODEL says which")
    return Health()
