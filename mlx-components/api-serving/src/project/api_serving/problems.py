"""Errors as problem details (RFC 9457): what went wrong, for people and for programs, and nothing of what was sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from .request_ids import request_id_of

logger = logging.getLogger(__name__)


class ProblemDetails(BaseModel):
    """The body of an error, as it stands in the API's description; further members depend on its type."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None


class Problem(Exception):
    """An error that the client is told. ``members`` are further members of the body, ``headers`` of the response."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str = "",
        kind: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind = status, detail, kind
        self.title = title or HTTPStatus(status).phrase
        self.headers, self.members = dict(headers or {}), members

    def response(self, scope: Mapping[str, object]) -> JSONResponse:
        """The response to the request of an ASGI ``scope``: what middleware sends, which cannot raise a problem."""
        body: dict[str, object] = {"type": self.kind, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if identity := request_id_of(scope):
            body["instance"] = f"urn:request:{identity}"
        return JSONResponse(
            body | self.members, self.status, headers=self.headers, media_type="application/problem+json"
        )


def tell_problems(app: FastAPI) -> None:
    """Answer every error of ``app`` with problem details."""
    app.add_exception_handler(Problem, _told)
    app.add_exception_handler(HTTPException, _told)
    app.add_exception_handler(RequestValidationError, _told)
    app.add_exception_handler(Exception, _told)


async def _told(request: Request, error: Exception) -> JSONResponse:
    return _problem(error).response(request.scope)


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        # Only where and why: what was sent may be personal, and would end in the logs of others.
        errors = [{"pointer": _pointer(one["loc"]), "detail": one["msg"]} for one in error.errors()]
        return Problem(422, "the request is not as the API describes it", errors=errors)
    if isinstance(error, HTTPException):
        return Problem(error.status_code, error.detail, headers=error.headers)
    logger.error("unexpected", exc_info=error)
    return Problem(500, "an unexpected error; the log of the service has it under this instance")


def _pointer(location: tuple[int | str, ...]) -> str:
    """A place in the request as a JSON pointer behind the part that it is in, ``body#/instances/0``."""
    part, *steps = location
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return f"{part}#{''.join(f'/{step}' for step in escaped)}"
