"""Which responses may be kept and for how long, and which answer a request: RFC 9111, the part of a shared cache."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers

RawHeaders = list[tuple[bytes, bytes]]

NOT_KEPT = frozenset(
    {b"age", b"cache-status", b"connection", b"date", b"ratelimit", b"ratelimit-policy", b"transfer-encoding"}
    | {b"x-request-id"}
)
"""Headers that belong to one response and not to what is kept of it, in lower case."""

NOT_MODIFIED = frozenset({b"cache-control", b"content-location", b"etag", b"expires", b"vary"})
"""Those of a 304."""


@dataclass(frozen=True)
class Kept:
    """A response with status 200 that is kept; ``at`` is when it came, in seconds of the epoch."""

    at: float
    ttl_s: float
    headers: RawHeaders
    body: bytes

    def to_bytes(self) -> bytes:
        """One line of JSON, then the body."""
        headers = [[base64.b64encode(part).decode() for part in header] for header in self.headers]
        head = json.dumps({"at": self.at, "ttl_s": self.ttl_s, "headers": headers})
        return head.encode() + b"\n" + self.body

    @classmethod
    def parse(cls, text: bytes) -> Kept | None:
        """What :meth:`to_bytes` wrote; None for the mark of what is not kept."""
        head, _, body = text.partition(b"\n")
        if not head:
            return None
        told = json.loads(head)
        headers = [(base64.b64decode(name), base64.b64decode(value)) for name, value in told["headers"]]
        return cls(told["at"], told["ttl_s"], headers, body)


def directives(value: str) -> dict[str, str]:
    """The directives of a ``Cache-Control``.

    Example:
        >>> directives('Max-Age=60, private="x", no-cache')
        {'max-age': '60', 'private': 'x', 'no-cache': ''}
    """
    parts = (part.partition("=") for part in value.split(",") if part.strip())
    return {name.strip().lower(): text.strip().strip('"') for name, _, text in parts}


def seconds(given: dict[str, str], *names: str) -> int | None:
    """The first of ``names`` that is there, as seconds; what is no number is 0."""
    text = next((given[name] for name in names if name in given), None)
    return None if text is None else int(text) if text.isdecimal() else 0


def lifetime(status: int, headers: RawHeaders, vary_by: Iterable[str], default_s: int = 0) -> int:
    """For how many seconds a response may be kept and given to others; 0: not at all. ``default_s`` if it is silent."""
    response = Headers(raw=[(name.lower(), value) for name, value in headers])
    given = directives(",".join(response.getlist("cache-control")))
    vary = {name.strip().lower() for name in ",".join(response.getlist("vary")).split(",") if name.strip()}
    refused = {"no-store", "private", "no-cache"} & set(given) or "set-cookie" in response or vary - set(vary_by)
    if status != 200 or refused:
        return 0
    told = seconds(given, "s-maxage", "max-age")
    return default_s if told is None else told


def entity_tag(body: bytes) -> str:
    """The tag of a body, the same in every process."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def same_tag(asked: str, tag: str) -> bool:
    """Whether ``If-None-Match`` names a tag; weak ones count, as they do for GET."""
    names = {one.strip().removeprefix("W/") for one in asked.split(",")}
    return "*" in names or tag.removeprefix("W/") in names
