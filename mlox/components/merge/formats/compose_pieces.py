"""What Compose means by the lists of a service: ports, mounts and variables are called by what they are for."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

from mlox.components.merge.formats.pieces import Body, Leaf, Piece
from mlox.components.merge.formats.yaml_pieces import yaml_pieces

_PORT = re.compile(r"(?:(?P<ip>[\d.]+|\[[^\]]*\]):)?(?:(?P<host>[^:]*):)?(?P<target>[^:/]+)(?:/(?P<protocol>\w+))?$")


def compose_pieces(text: str) -> Body:
    """The pieces of a Compose file: those of YAML, with the elements of its lists called by what Compose tells them by.

    Raises:
        UnreadableError: as for YAML.
    """
    return _keyed(yaml_pieces(text), ())


def _keyed(body: Body, path: tuple[Hashable, ...]) -> Body:
    naming = _naming(path) if body.kind == "list" else None
    pieces = []
    for one in body.pieces:
        named = naming(one) if naming is not None else None
        key = one.key if named is None else named
        value = one.value if isinstance(one.value, Leaf) else _keyed(one.value, (*path, one.key))
        pieces.append(replace(one, key=key, value=value))
    return replace(body, pieces=tuple(pieces))


def _naming(path: tuple[Hashable, ...]) -> Callable[[Piece], Hashable] | None:
    """How the elements of the list at a path of keys are called."""
    if len(path) < 3 or path[0] != "services":
        return None
    if path[2:] in {("environment",), ("labels",), ("build", "args"), ("build", "labels"), ("annotations",)}:
        return _before("=")
    if path[2:] in {("extra_hosts",), ("build", "extra_hosts")}:
        return _before("=:")
    if path[2:] in {("secrets",), ("configs",)}:
        return lambda one: _named(one, "source")
    return {"ports": _port, "volumes": _mount, "devices": _mount}.get(str(path[2])) if len(path) == 3 else None


def _before(signs: str) -> Callable[[Piece], Hashable]:
    def name(one: Piece) -> Hashable:
        text = _text(one)
        return None if text is None else ("name", re.split(f"[{signs}]", text, maxsplit=1)[0])

    return name


def _port(one: Piece) -> Hashable:
    text = _text(one)
    if text is None:
        fields = _fields(one)
        return ("port", fields.get("target"), fields.get("protocol", "tcp")) if "target" in fields else None
    found = _PORT.match(text)
    return ("port", found["target"], found["protocol"] or "tcp") if found else None


def _mount(one: Piece) -> Hashable:
    text = _text(one)
    if text is None:
        return _named(one, "target")
    parts = re.split(r":(?![^{]*\})", text)  # not the colons of ${NAME:-default}
    return ("target", parts[1 if len(parts) > 1 else 0].rstrip("/") or "/")


def _named(one: Piece, field: str) -> Hashable:
    text = _text(one)
    value = text if text is not None else _fields(one).get(field)
    return None if value is None else (field, value)


def _text(one: Piece) -> str | None:
    """The text of an element that is a scalar."""
    meaning = one.value.meaning if isinstance(one.value, Leaf) else None
    return str(meaning[2]) if isinstance(meaning, tuple) and len(meaning) == 3 else None


def _fields(one: Piece) -> Mapping[str, str]:
    body = one.value
    pieces = body.pieces if isinstance(body, Body) else ()
    texts = {str(field.key): _text(field) for field in pieces}
    return {key: text for key, text in texts.items() if text is not None}
