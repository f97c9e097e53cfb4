"""Results of functions that are kept for a while: ``@cached(ttl_s=60)``."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, cast

from .stores import Store, open_store
from .turns import off_loop, turn, turn_async

P = ParamSpec("P")
R = TypeVar("R")


def dump_json(value: object) -> bytes:
    """A result as JSON: never pickled, since whoever can write into Redis could then run code here."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@functools.cache
def shared_store() -> Store:
    """The store of all functions that have none of their own, opened with the first call."""
    return open_store()


def cached(
    ttl_s: float,
    *,
    store: Store | None = None,
    key: Callable[..., str] | None = None,
    dump: Callable[[Any], bytes] = dump_json,
    load: Callable[[bytes], Any] = json.loads,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep what a function, or a coroutine, gives for the same arguments; several callers at once wait for one result.

    Results go through ``dump`` and ``load``, by default JSON, the first time too: a tuple is a list from the start.
    ``key`` makes a text of arguments that are no JSON, such as ``self``. An error is not kept.

    Example::

        @cached(ttl_s=60)
        def embedding(text: str) -> list[float]: ...
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        name = f"{function.__module__}.{function.__qualname__}"

        def key_of(*args: P.args, **kwargs: P.kwargs) -> str:
            text = key(*args, **kwargs) if key is not None else _arguments(name, args, kwargs)
            return f"function:{name}:{hashlib.sha256(text.encode()).hexdigest()}"

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            kept = store if store is not None else shared_store()
            where = key_of(*args, **kwargs)
            with turn(kept, where) as found:
                text = dump(function(*args, **kwargs)) if found is None else found
                if found is None:
                    kept.put(where, text, ttl_s)
            return cast("R", load(text))

        @functools.wraps(function)
        async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            kept = store if store is not None else shared_store()
            where = key_of(*args, **kwargs)
            async with turn_async(kept, where) as found:
                text = dump(await cast("Awaitable[Any]", function(*args, **kwargs))) if found is None else found
                if found is None:
                    await off_loop(kept, kept.put, where, text, ttl_s)
            return load(text)

        return cast("Callable[P, R]", call_async if inspect.iscoroutinefunction(function) else call)

    return decorate


def _arguments(name: str, args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    try:
        return json.dumps([args, kwargs], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} is cached by its arguments, and they are no JSON ({error}): give key=") from error
