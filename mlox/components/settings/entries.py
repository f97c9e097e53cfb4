"""What is known of a setting: the keys that lead to it, and a digest of its value; and which a text has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, replace

from mlox.components.merge.formats.order import SCALAR
from mlox.components.merge.formats.pieces import Body, Piece, UnreadableError, Value
from mlox.components.merge.formats.threeway import told
from mlox.components.settings.forms import FORMS, Form, FormName, named
from mlox.components.shapes import Shape
from mlox.errors import SpecError

Keys = tuple[str, ...]
CONTAINER = ""
"""The digest of a mapping or list that was written for what is in it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """An entry that was written: where, and the digest of its value; :data:`CONTAINER` for what only holds others.

    ``comment`` is what was written above it.
    """

    keys: Keys
    digest: str
    comment: str = ""

    @property
    def name(self) -> str:
        """Its keys for people."""
        return name_of(self.keys)

    @property
    def path(self) -> Keys:
        """Its keys, each by itself: one key of TOML may stand for several."""
        return tuple(part for key in self.keys for part in parts_of(key))


def settings_in(text: str, form: FormName, *, source: str) -> dict[Keys, str]:
    r"""The digest of every value in a text, by its keys.

    Raises:
        SpecError: the text does not parse, or has a form that cannot be edited to the byte.

    Example:
        >>> [name_of(keys) for keys in settings_in("a: {b: 1}\nc: [x]\n", "yaml", source="x.yaml")]
        ['a', 'a.b', 'c', 'c.x']
    """
    return dict(_walked(cut(FORMS[form], text, source), ()))


def restricted(body: Body, only: Collection[Keys], path: Keys = ()) -> Body:
    """The body with those values alone whose keys are among ``only``, and what holds them."""
    pieces = []
    for one in body.pieces:
        keys = (*path, written_key(one.key))
        if isinstance(one.value, Body) and named(one.value, one.key):
            value = restricted(one.value, only, keys)
            pieces += [replace(one, value=value)] if value.pieces or keys in only else []
        elif keys in only:
            pieces.append(one)
    return replace(body, pieces=tuple(pieces))


def found_at(body: Body, keys: Keys) -> tuple[Piece, Body] | None:
    """The entry at a path of keys, and what it stands in."""
    for number, key in enumerate(keys, 1):
        piece = next((one for one in body.pieces if written_key(one.key) == key), None)
        if piece is None:
            return None
        if number == len(keys):
            return piece, body
        if not isinstance(piece.value, Body):
            return None
        body = piece.value
    return None


def cut(form: Form, text: str, source: str) -> Body:
    """The pieces of a text, whose last line need not be ended.

    Raises:
        SpecError: it does not parse, or has a form that cannot be edited to the byte.
    """
    plain = text if text.endswith("\n") or not text or form.name == "json" else f"{text}\n"
    if "\r" in plain.replace("\r\n", ""):
        raise SpecError(f"{source}: lines end in more than one way", hint="Save it with one kind of line ends.")
    try:
        return form.cut(plain.replace("\r\n", "\n"))
    except UnreadableError as error:
        raise SpecError(
            f"{source}: cannot be edited: {error}", hint="Mend it, or write the settings yourself."
        ) from error


def plain_text(content: bytes) -> str:
    """The text of a file with line feeds, and without a byte order mark.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    return Shape.of(content).plain(content).decode("utf-8")


def ended(text: str, like: str) -> str:
    """The text with the line ends of ``like``, and with one at its end where that has one."""
    if like and not like.endswith("\n"):
        text = text.removesuffix("\n")
    return text.replace("\n", "\r\n") if "\r\n" in like else text


def digest_of_value(value: Value) -> str:
    """The SHA-256 of what a value means."""
    return hashlib.sha256(_canonical(value.meaning).encode()).hexdigest()


def digest_at(piece: Piece) -> str:
    """The digest of an entry's value; :data:`CONTAINER` where what is in it is told by itself."""
    if isinstance(piece.value, Body) and named(piece.value, piece.key):
        return CONTAINER
    return digest_of_value(piece.value)


def written_key(key: Hashable) -> str:
    """A key as it is recorded: text as it is, anything else as JSON."""
    return key if isinstance(key, str) else json.dumps(key, default=str)


def parts_of(key: str) -> tuple[str, ...]:
    """A recorded key as names."""
    try:
        value = json.loads(key)
    except ValueError:
        return (key,)
    return tuple(map(str, value)) if isinstance(value, list) else (key,)


def name_of(keys: Keys) -> str:
    """Keys for people."""
    return ".".join(word for word in map(_shown, keys) if word) or "all of it"


def _walked(body: Body, path: Keys) -> Iterator[tuple[Keys, str]]:
    for one in body.pieces:
        if one.group is not None:
            continue
        keys = (*path, written_key(one.key))
        digest = digest_at(one)
        yield keys, digest
        if digest == CONTAINER and isinstance(one.value, Body):
            yield from _walked(one.value, keys)


def _shown(key: str) -> str:
    parts = parts_of(key)
    if parts[:1] == (SCALAR,):  # an element of a list, by what it means
        meaning = json.loads(key)[-1]
        return str(meaning[-1] if isinstance(meaning, list) else meaning)
    return told((parts,))


def _canonical(meaning: object) -> str:
    """What a value means, the same text on every run."""
    if isinstance(meaning, frozenset):
        return f"{{{','.join(sorted(map(_canonical, meaning)))}}}"
    if isinstance(meaning, tuple):
        return f"({','.join(map(_canonical, meaning))})"
    return repr(meaning)
