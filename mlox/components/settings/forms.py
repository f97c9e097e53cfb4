"""How a new entry is written in each format of settings: what stands before it, and a value for lines or brackets."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Literal

from mlox.components.merge.formats.compose_pieces import compose_pieces
from mlox.components.merge.formats.json_pieces import json_pieces
from mlox.components.merge.formats.line_pieces import env_pieces
from mlox.components.merge.formats.pieces import Body, Leaf, Piece, Value, shifted_body
from mlox.components.merge.formats.threeway import ORDERED
from mlox.components.merge.formats.toml_pieces import toml_pieces
from mlox.components.merge.formats.yaml_pieces import yaml_pieces
from mlox.errors import SpecError

FormName = Literal["yaml", "toml", "json", "env", "compose"]
STEP = 2


@dataclass(frozen=True, slots=True)
class Form:
    """A format: how a text is cut into pieces, and the text of a file that has nothing in it yet."""

    name: FormName
    cut: Callable[[str], Body]
    empty: str = ""


FORMS: dict[FormName, Form] = {
    "yaml": Form("yaml", yaml_pieces),
    "compose": Form("compose", compose_pieces),
    "toml": Form("toml", toml_pieces),
    "json": Form("json", json_pieces, "{\n}\n"),
    "env": Form("env", env_pieces),
}


def form_of(path: str) -> FormName:
    """The format of a file, by its name.

    Raises:
        SpecError: it has none in which settings can be put.

    Example:
        >>> form_of("conf/app.yml"), form_of("compose.yaml"), form_of(".env.example")
        ('yaml', 'compose', 'env')
    """
    name = PurePosixPath(path).name.lower()
    if fnmatchcase(name, "compose*.y*ml") or fnmatchcase(name, "docker-compose*.y*ml"):
        return "compose"
    endings: dict[str, FormName] = {".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".json": "json"}
    found: FormName | None = "env" if name == ".env.example" else endings.get(PurePosixPath(name).suffix)
    if found is None:
        raise SpecError(
            f"{path}: settings cannot be put into such a file", hint=f"Files end with {', '.join(endings)}."
        )
    return found


def fitted(piece: Piece, body: Body, form: Form) -> Piece:
    """The piece of a fragment as it stands in ``body``: in brackets, or on lines of its own."""
    if body.flow:
        lead = lead_of(body, first=not body.pieces)
        value = _in_brackets(piece.value, lead, form)
        head = f"{piece.head.rstrip()} " if piece.head.strip() and not piece.head.startswith("-") else ""
        return replace(piece, lead=lead, head=head, value=value, foot="", trail="")
    return _on_lines(piece, body.kind, body.indent, form)


def _on_lines(piece: Piece, kind: str, indent: int, form: Form) -> Piece:
    """The piece on lines of its own, and all in it; comments go with scalars: what holds others may be shared."""
    value, head = piece.value, piece.head
    trail, told = ("\n", []) if isinstance(value, Body) else (piece.trail or "\n", piece.lead.splitlines())
    lead = "".join(f"{' ' * indent}{line.strip()}\n" for line in told if line.strip())
    if isinstance(value, Body) and value.flow and form.name == "toml":
        value = _in_brackets(value, "", form)
    elif isinstance(value, Body) and value.pieces and value.flow and named(value, piece.key):
        value = replace(value, flow=False, opening="", closing="", comma=False, indent=0)
        head = f"{head.rstrip()}\n"
    if isinstance(value, Body) and not value.flow:
        inner = indent if form.name == "toml" else indent + STEP
        value = replace(shifted_body(value, inner - value.indent), closing="")
        laid = (_on_lines(one, value.kind, inner, form) for one in value.pieces)
        value = replace(value, pieces=tuple(replace(one, lead="") if value.compact else one for one in laid))
        trail = ""
    head = "- " if kind == "list" and not head else head
    return replace(piece, lead=lead, head=head, value=value, foot="", trail=trail)


def named(body: Body, key: Hashable) -> bool:
    """Whether each of its entries can be told by its key, and be put between others."""
    if body.kind == "list" and (key[-1] if isinstance(key, tuple) and key else key) in ORDERED:
        return False
    return (body.kind == "map" or bool(body.pieces)) and all(
        one.key is not None and one.group is None for one in body.pieces
    )


def lead_of(body: Body, *, first: bool) -> str:
    """The blanks before an entry in brackets: as before the first one; alone, as the closing bracket has them."""
    if body.pieces and not first:
        like = body.pieces[0].lead
        return f"\n{_indent(like)}" if "\n" in like else " "
    gap = body.closing[:-1]
    return f"\n{_indent(gap)}{' ' * STEP}" if "\n" in gap else ""


def settled(body: Body, ours: Callable[[Hashable], bool], form: Form) -> Body:
    """The body with the blanks before our own entries that their places ask for."""
    pieces = list(body.pieces)
    if body.flow and pieces and all(ours(one.key) for one in pieces):
        alone = lead_of(body, first=True)
        rest = alone or " "
        pieces = [replace(one, lead=rest if number else alone) for number, one in enumerate(pieces)]
    if form.name == "toml" and not body.flow and body.pieces and body.pieces[0].key == ():
        pieces = _parted(pieces, ours)
    return replace(body, pieces=tuple(pieces))


def _parted(pieces: list[Piece], ours: Callable[[Hashable], bool]) -> list[Piece]:
    """The tables of a document, ours with a blank line above them, unless nothing stands there."""
    above = ""
    found = []
    for piece in pieces:
        one = piece
        if piece.key != () and ours(piece.key):
            told = piece.lead.lstrip("\n") if not above.strip() else piece.lead
            blank = "" if not above or told.startswith("\n") or "\n\n" in told else "\n"
            one = replace(piece, lead=f"{blank}{told}")
        found.append(one)
        above += one.lead + one.head + one.value.text
    return found


def _in_brackets(value: Value, lead: str, form: Form) -> Value:
    """A value on one line; in JSON, in brackets on lines where what is around it has lines."""
    if isinstance(value, Leaf):
        plain = "\n" not in value.text and value.text
        return value if plain else replace(value, text=json.dumps(_said(value)))
    opening, closing = ("{", "}") if value.kind == "map" else ("[", "]")
    inner = f"{lead}{' ' * STEP}" if "\n" in lead and form.name == "json" else ""
    empty = replace(
        value, pieces=(), opening=opening, closing=f"{lead if inner else ''}{closing}", flow=True, comma=False
    )
    pieces = []
    for number, one in enumerate(value.pieces):
        made = fitted(one, empty, form)
        pieces.append(replace(made, lead=inner or (" " if number else ""), value=_in_brackets(one.value, inner, form)))
    if not pieces:
        return replace(empty, closing=closing)
    return replace(empty, pieces=tuple(pieces), indent=0, compact=False)


def _said(leaf: Leaf) -> object:
    meaning = leaf.meaning
    said = meaning[2] if isinstance(meaning, tuple) and len(meaning) == 3 else ""
    return None if said == "" and not leaf.text else said


def _indent(text: str) -> str:
    last = text.rpartition("\n")[2]
    return last[: len(last) - len(last.lstrip())]
