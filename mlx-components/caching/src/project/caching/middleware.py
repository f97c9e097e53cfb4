"""Responses that are answered from the cache: GET as Cache-Control allows, predictions by what was asked.

Requests with credentials (``Authorization``, ``Cookie``) are never answered from it, and never kept.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..api_serving.problems import Problem
from ..api_serving.settings import PREFIX
from .rules import NOT_KEPT, NOT_MODIFIED, Kept, RawHeaders, directives, entity_tag, lifetime, same_tag, seconds
from .settings import Settings
from .stores import Store, open_store
from .turns import off_loop, turn_async

PREDICTIONS = f"{PREFIX}/predictions"
PASS_S = 30
"""How long is remembered that something may not be kept, so that nobody waits for it in vain."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class ResponseCache:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, settings: Settings | None, store: Store | None) -> None:
        self.app = app
        self.settings = settings or Settings.from_environment()
        self.store = store if store is not None else open_store(self.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = directives(headers.get("cache-control", headers.get("pragma", "")))
        predicts = scope["method"] == "POST" and scope["path"] == PREDICTIONS and self.settings.predictions_ttl_s > 0
        private = "authorization" in headers or "cookie" in headers or "range" in headers
        if private or "no-store" in asked or not (scope["method"] == "GET" or predicts):
            await self.app(scope, receive, self._outdating(scope, send))
            return
        body = b""
        if predicts:
            whole, body, receive = await _read(receive, self.settings.max_body)
            if not whole:
                await self.app(scope, receive, send)
                return
        exchange = _Exchange(self, scope, receive, send, self.settings.predictions_ttl_s if predicts else 0)
        await self._answer(exchange, await self._key(scope, headers, body), asked)

    async def _answer(self, exchange: _Exchange, key: str, asked: dict[str, str]) -> None:
        oldest = 0 if "no-cache" in asked else seconds(asked, "max-age")
        if oldest is not None:
            text = await off_loop(self.store, self.store.get, key)
            kept = Kept.parse(text) if text is not None else None
            if kept is None or time.time() - kept.at > oldest or oldest == 0:
                await exchange.make(key)
                return
        if "only-if-cached" in asked:
            text = await off_loop(self.store, self.store.get, key)
            if text is None or Kept.parse(text) is None:
                await exchange.refuse(Problem(504, "there is no such response in the cache"))
                return
        async with turn_async(self.store, key) as text:
            kept = Kept.parse(text) if text is not None else None
            if text is None:
                await exchange.make(key)
        if text is not None and kept is None:
            await exchange.make("")
        elif kept is not None:
            await exchange.send_kept(kept)

    async def _key(self, scope: Scope, headers: Headers, body: bytes) -> str:
        """What tells requests apart: path, query, headers, body, the model, and how often the path was changed."""
        path = _path_key(scope)
        changed = await off_loop(self.store, self.store.get, path)
        model = getattr(scope["app"].state, "model", None) if "app" in scope else None
        parts = [scope["method"].encode(), path.encode(), scope["query_string"], changed or b"", body]
        parts += [f"{model.name}\0{model.version}".encode()] if model is not None else [b""]
        parts += [b"\0".join(value.encode("latin-1") for value in headers.getlist(one)) for one in self._vary()]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(f"{len(part)}:".encode() + part)
        return f"response:{digest.hexdigest()}"

    def _vary(self) -> tuple[str, ...]:
        return (*self.settings.vary_by, "host", "content-type")

    def _outdating(self, scope: Scope, send: Send) -> Send:
        """A change to a path makes what is kept of it void (RFC 9111, 4.4)."""
        if scope["method"] in SAFE or scope["path"] == PREDICTIONS:
            return send

        async def send_and_outdate(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                token = secrets.token_bytes(16)
                await off_loop(self.store, self.store.put, _path_key(scope), token, self.settings.longest_s + 60)
            await send(message)

        return send_and_outdate


class _Exchange:
    """One request that may be answered from the cache."""

    def __init__(self, cache: ResponseCache, scope: Scope, receive: Receive, send: Send, default_s: int) -> None:
        self.cache, self.scope, self.receive, self.send = cache, scope, receive, send
        self.default_s = default_s

    async def make(self, key: str) -> None:
        """Let the application answer; keep that under ``key`` where it may be, else remember that it may not."""
        settings, store = self.cache.settings, self.cache.store
        start: Message | None = None
        body = bytearray()
        ttl_s = 0

        async def flush(*, more: bool) -> None:
            nonlocal start
            if start is not None:
                await self.send(start)
                start = None
            if body:
                await self.send({"type": "http.response.body", "body": bytes(body), "more_body": more})
                body.clear()

        async def heard(message: Message) -> None:
            nonlocal start, ttl_s
            if message["type"] == "http.response.start":
                start = message
                told = lifetime(message["status"], message["headers"], settings.vary_by, self.default_s)
                ttl_s = min(told, settings.longest_s) if key else 0
                if ttl_s <= 0:
                    await flush(more=True)
                return
            if ttl_s <= 0 or message["type"] != "http.response.body":
                await flush(more=True)
                await self.send(message)
                return
            body.extend(message.get("body", b""))
            if len(body) > settings.max_body:
                ttl_s = 0
                await flush(more=bool(message.get("more_body")))
            elif not message.get("more_body") and start is not None:
                kept = Kept(time.time(), ttl_s, _kept_headers(start["headers"], bytes(body), self.scope), bytes(body))
                await off_loop(store, store.put, key, kept.to_bytes(), ttl_s)
                await self.send_kept(kept, fresh=True, others=start["headers"])

        await self.cache.app(self.scope, self.receive, heard)
        if key and ttl_s <= 0:
            await off_loop(store, store.put, key, b"", PASS_S)

    async def send_kept(self, kept: Kept, *, fresh: bool = False, others: RawHeaders | None = None) -> None:
        """Answer with what is kept, or, where the client has it already, with 304."""
        headers, status, body = list(kept.headers), 200, kept.body
        tag = Headers(raw=headers).get("etag", "")
        asked = Headers(scope=self.scope).get("if-none-match", "")
        if self.scope["method"] == "GET" and asked and same_tag(asked, tag):
            headers, status, body = [one for one in headers if one[0].lower() in NOT_MODIFIED], 304, b""
        age = max(0, int(time.time() - kept.at))
        if fresh:
            headers += [one for one in others or [] if one[0].lower() in NOT_KEPT]
            headers.append((b"cache-status", b"app; fwd=miss; stored"))
        else:
            headers += [
                (b"age", str(age).encode()),
                (b"cache-status", f"app; hit; ttl={int(kept.ttl_s) - age}".encode()),
            ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem."""
        response: Response = problem.response(self.scope)
        await response(self.scope, self.receive, self.send)


def _kept_headers(headers: RawHeaders, body: bytes, scope: Scope) -> RawHeaders:
    kept = [header for header in headers if header[0].lower() not in NOT_KEPT]
    if scope["method"] == "GET" and "etag" not in Headers(raw=kept):
        kept.append((b"etag", entity_tag(body).encode()))
    return kept


def _path_key(scope: Scope) -> str:
    return f"path:{hashlib.sha256(scope['path'].encode()).hexdigest()}"


async def _read(receive: Receive, limit: int) -> tuple[bool, bytes, Callable[[], Awaitable[Message]]]:
    """The body of a request, if it is no larger than ``limit``; and what gives the application all of it again."""
    messages: list[Message] = []
    body = b""
    more = True
    while more and len(body) <= limit:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    whole = not more and len(body) <= limit and messages[-1]["type"] == "http.request"
    waiting = iter(messages)

    async def again() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return whole, body, again


def cache_responses(app: FastAPI, settings: Settings | None = None, *, store: Store | None = None) -> None:
    """Answer from the cache what may be: GET whose response says ``Cache-Control: max-age``, and predictions."""
    # The environment is read when the service starts, not when this module is imported.
    app.add_middleware(ResponseCache, settings=settings, store=store)
