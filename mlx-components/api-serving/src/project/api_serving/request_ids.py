"""An id for each request: the caller's, or a new one; in the response, in problems and in the log."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
_ALLOWED = re.compile(r"[A-Za-z0-9._~+/=-]{1,128}")  # what cannot break a line of a log
_CURRENT: ContextVar[str] = ContextVar("request_id", default="")


class RequestIds:
    """ASGI middleware, outermost, so that errors too have an id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        identity = given if _ALLOWED.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = identity

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        token = _CURRENT.set(identity)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            _CURRENT.reset(token)


class RequestIdFilter(logging.Filter):
    """Gives every record of a handler the field ``request_id``, for its format."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _CURRENT.get() or "-"
        return True


def request_id_of(scope: Mapping[str, object]) -> str:
    """The id of a request; empty where there is none."""
    state = scope.get("state")
    return str(state.get("request_id", "")) if isinstance(state, MutableMapping) else ""
