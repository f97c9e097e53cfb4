"""How one file is fetched over https: bounded in size and in time, from one host, and by no other way."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from mlox.errors import WorkspaceError
from mlox.secret import Secret
from mlox.specs.registry import is_loopback

MAX_REDIRECTS = 3
CONNECT_S = 10.0
_MOVED = frozenset({301, 302, 303, 307, 308})
_GONE = "Look whether it is still there; what you have added works without it."


class _Answer(NamedTuple):
    status: int
    location: str
    body: bytes


def fetch(url: str, *, limit: int, timeout_s: float, token: Secret | None, name: str) -> bytes:
    """What is at ``url``; ``name`` is what the registry is called in a message.

    A redirect is followed to the same host alone, so that ``token`` goes nowhere else.

    Raises:
        WorkspaceError: it cannot be reached or is not there, sends to another host, is packed, has more than ``limit``
            bytes, or took more than ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    for _ in range(MAX_REDIRECTS + 1):
        answer = _get(url, limit=limit, deadline=deadline, token=token, name=name)
        if answer.status not in _MOVED:
            return _checked(answer, url, name, token)
        url = _followed(url, answer.location, name)
    raise WorkspaceError(f"{name}: {_shown(url)} sends in circles", hint="Name the right address.")


def _followed(url: str, location: str, name: str) -> str:
    """Where a redirect leads, which has to be the same host."""
    try:
        target = urljoin(url, location)
    except ValueError:
        target = location
    if _origin(target) != _origin(url):
        raise WorkspaceError(
            f"{name}: {_shown(url)} sends to another place, {_shown(target)}", hint="Name the right address."
        )
    return target


def _get(url: str, *, limit: int, deadline: float, token: Secret | None, name: str) -> _Answer:
    parts = urlsplit(url)
    headers = {"Accept-Encoding": "identity", "User-Agent": "mlox", "Connection": "close"}
    headers |= {"Authorization": f"Bearer {_plain(token, name)}"} if token is not None else {}
    left = deadline - time.monotonic()
    try:
        with _connected(parts, left) as connection:
            connection.request("GET", parts.path or "/", headers=headers)
            response = connection.getresponse()
            length = response.length
            packed = response.getheader("Content-Encoding", "identity").lower() != "identity"
            if packed or (length or 0) > limit:
                why = "is packed" if packed else f"has more than {limit:,} bytes"
                raise WorkspaceError(f"{name}: {_shown(url)} {why}", hint="It is not taken; nothing was written.")
            body = response.read(limit + 1) if response.status == 200 else b""
            short = response.status == 200 and length is not None and len(body) < length
            location = response.getheader("Location", "")
    except (http.client.HTTPException, OSError, ValueError) as error:
        if isinstance(error, WorkspaceError):
            raise
        raise _unreached(url, error, deadline, name) from error
    if time.monotonic() > deadline or short:
        raise _unreached(url, None, deadline, name)
    if len(body) > limit:
        raise WorkspaceError(
            f"{name}: {_shown(url)} has more than {limit:,} bytes", hint="It is not taken; nothing was written."
        )
    return _Answer(response.status, location, body)


@contextlib.contextmanager
def _connected(parts: SplitResult, left: float) -> Iterator[http.client.HTTPConnection]:
    """A connection that is cut when time is over, however slowly the other side still sends."""
    connection = _connection(parts, max(min(CONNECT_S, left), 0.01))
    try:
        connection.connect()
        wire = connection.sock
        # An SSL socket's own shutdown is not made for another thread.
        cut = threading.Timer(max(left, 0.01), lambda: _shut(wire))
        cut.daemon = True
        cut.start()
        try:
            yield connection
        finally:
            cut.cancel()
    finally:
        connection.close()


def _shut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(wire, socket.SHUT_RDWR)


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    """To the host, or to it through the proxy that the environment names."""
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "http":
        if not is_loopback(host):
            raise ValueError("only https")
        return http.client.HTTPConnection(host, port, timeout=timeout_s)
    context = ssl.create_default_context()
    proxy = None if is_loopback(host) or proxy_bypass(host) else getproxies().get("https")
    if proxy is None:
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
    between = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = http.client.HTTPSConnection(between.hostname or "", between.port, timeout=timeout_s, context=context)
    connection.set_tunnel(host, port or 443, headers=_proxy_headers(between))
    return connection


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    import base64

    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _checked(answer: _Answer, url: str, name: str, token: Secret | None) -> bytes:
    if answer.status == 200:
        return answer.body
    if answer.status in (401, 403):
        hint = "Look at the token." if token else "Name the variable that holds a token: token_env."
        raise WorkspaceError(f"{name}: {_shown(url)} does not let us in ({answer.status})", hint=hint)
    if answer.status in (404, 410):
        raise WorkspaceError(f"{name}: there is no {_shown(url)}", hint=_GONE)
    raise WorkspaceError(f"{name}: {_shown(url)} answers {answer.status}", hint="Try again later.")


def _unreached(url: str, error: Exception | None, deadline: float, name: str) -> WorkspaceError:
    if time.monotonic() > deadline or isinstance(error, TimeoutError):
        return WorkspaceError(f"{name}: {_shown(url)} took too long", hint="Try again later.")
    why = error.strerror if isinstance(error, OSError) else ""
    seen = why or (type(error).__name__ if error else "it ended early")
    return WorkspaceError(f"{name}: {_shown(url)} cannot be reached: {seen}", hint=_GONE)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port


def _plain(token: Secret, name: str) -> str:
    """The token; a character that has no place in a header would be told by others, with the whole of it."""
    text = token.reveal()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise WorkspaceError(f"{name}: the token has a character that no token has", hint="Look at how it is set.")
    return text


def _shown(url: str) -> str:
    """An address that a stranger may have written, for a message."""
    text = "".join(c if c.isprintable() else "?" for c in url.partition("?")[0])
    return text if len(text) <= 200 else f"{text[:197]}..."
