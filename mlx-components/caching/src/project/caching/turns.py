"""One at a time makes what is missing in a store; the others wait for it (no stampede when something runs out)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import ParamSpec, TypeVar

from .stores import Store

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_S = 10.0
"""How long is waited for somebody else, who may have died, before it is made without them."""

STEP_S = 0.02


@contextlib.contextmanager
def turn(store: Store, key: str, patience_s: float = PATIENCE_S) -> Iterator[bytes | None]:
    """What is kept under ``key``; or None, and then it is our turn to make it and to put it there."""
    deadline = time.monotonic() + patience_s
    found, token = _look(store, key, patience_s)
    while found is None and token is None and time.monotonic() < deadline:
        time.sleep(STEP_S)
        found, token = _look(store, key, patience_s)
    try:
        yield found
    finally:
        if token is not None:
            store.release(key, token)


@contextlib.asynccontextmanager
async def turn_async(store: Store, key: str, patience_s: float = PATIENCE_S) -> AsyncIterator[bytes | None]:
    """The same in an event loop, which is not held up."""
    deadline = time.monotonic() + patience_s
    found, token = await off_loop(store, _look, store, key, patience_s)
    while found is None and token is None and time.monotonic() < deadline:
        await asyncio.sleep(STEP_S)
        found, token = await off_loop(store, _look, store, key, patience_s)
    try:
        yield found
    finally:
        if token is not None:
            await off_loop(store, store.release, key, token)


async def off_loop(store: Store, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call what uses the store: in a thread, where the store waits for the network."""
    return await asyncio.to_thread(function, *args, **kwargs) if store.blocks else function(*args, **kwargs)


def _look(store: Store, key: str, patience_s: float) -> tuple[bytes | None, str | None]:
    """What is kept; else the claim to make it, where that is free."""
    found = store.get(key)
    token = store.claim(key, patience_s) if found is None else None
    if token is None:
        return found, None
    found = store.get(key)  # it may have been made just before we had the claim
    if found is not None:
        store.release(key, token)
        return found, None
    return None, token
