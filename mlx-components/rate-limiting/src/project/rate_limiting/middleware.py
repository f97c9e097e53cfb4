"""Requests beyond the limit are answered with 429, and every answer tells what is left."""

from __future__ import annotations

import ipaddress
import logging
import math
from collections.abc import Callable

from fastapi import FastAPI
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..api_serving.problems import Problem
from .gcra import Limit, Verdict
from .limiters import Limiter, limiter_of
from .settings import Settings

logger = logging.getLogger(__name__)

ClientKey = Callable[[HTTPConnection], str]


def client_address(connection: HTTPConnection) -> str:
    """The address of the client; of IPv6 the network, since one client has 2**64 addresses.

    Behind a proxy it is the proxy's: start uvicorn with ``--proxy-headers`` and say which proxies it may believe.
    """
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "unknown"
    return str(address) if address.version == 4 else str(ipaddress.ip_network((int(address), 64), strict=False))


class RateLimiting:
    """ASGI middleware. Health checks, and all that is no HTTP request, are not counted."""

    def __init__(self, app: ASGIApp, settings: Settings | None, limiter: Limiter | None, key: ClientKey) -> None:
        self.app, self.key = app, key
        self.settings = settings or Settings.from_environment()
        self.limiter = limiter or limiter_of(self.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self.app(scope, receive, send)
            finally:
                await self.limiter.close()
            return
        if scope["type"] != "http" or scope["path"] in self.settings.exempt:
            await self.app(scope, receive, send)
            return
        limit = self.settings.limit
        try:
            verdict = await self.limiter.ask(self.key(HTTPConnection(scope)), limit)
        except (OSError, RedisError) as error:
            logger.warning("the rate limit cannot be asked for (%s): %s", type(error).__name__, self._on_failure)
            await self._unknown(scope, receive, send)
            return
        headers = rate_headers(limit, verdict)
        if not verdict.allowed:
            wait = math.ceil(verdict.retry_after_s)
            told = f"{limit.requests} requests in {limit.seconds:g} s are allowed; try again in {wait} s"
            problem = Problem(429, told, headers={**headers, "Retry-After": str(wait)})
            await problem.response(scope)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    @property
    def _on_failure(self) -> str:
        return "let through" if self.settings.on_failure == "allow" else "refused"

    async def _unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.settings.on_failure == "allow":
            await self.app(scope, receive, send)
            return
        problem = Problem(503, "the limit of requests cannot be checked", headers={"Retry-After": "5"})
        await problem.response(scope)(scope, receive, send)


def rate_headers(limit: Limit, verdict: Verdict) -> dict[str, str]:
    """The headers of the IETF's draft: what is allowed (quota and window), and what is left until when.

    Example:
        >>> rate_headers(Limit(100, 60), Verdict(True, 99, 0.0, 0.6))["RateLimit"]
        '"default";r=99;t=1'
    """
    return {
        "RateLimit-Policy": f'"default";q={limit.requests};w={math.ceil(limit.seconds)}',
        "RateLimit": f'"default";r={verdict.remaining};t={math.ceil(verdict.reset_s)}',
    }


def limit_requests(
    app: FastAPI, settings: Settings | None = None, *, limiter: Limiter | None = None, key: ClientKey = client_address
) -> None:
    """Limit the requests of each client of ``app``; ``key`` says who a client is.

    A key that comes from a header which nobody has checked is no limit: whoever changes it begins anew.
    """
    # The environment is read when the service starts, not when this module is imported.
    app.add_middleware(RateLimiting, settings=settings, limiter=limiter, key=key)
