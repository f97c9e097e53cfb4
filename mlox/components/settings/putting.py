"""How the settings of a component get into a file of the user's, and out again: nothing that is there is changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from mlox.components.merge.formats.pieces import Body, Leaf, Piece, UnreadableError, Value
from mlox.components.merge.formats.threeway import told
from mlox.components.settings.forms import FORMS, Form, FormName, fitted, named, settled
from mlox.components.settings.tables import DataPath, differs, missing_tables
from mlox.errors import SpecError, WorkspaceError

Keys = tuple[str, ...]
_SECRET = re.compile(r"\$\{\s*secret\b")
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
        return ".".join(key for key in map(_shown, self.keys) if key)


@dataclass(frozen=True, slots=True)
class Put:
    """A text with settings: what was written, what was left since it is there with another value, what is secret."""

    text: str
    settings: tuple[Setting, ...]
    kept: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(slots=True)
class _Putting:
    form: Form
    source: str
    others: dict[Keys, Setting]
    secrets: Collection[str]
    settings: list[Setting] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)

    def body(self, there: Body, wanted: Body, path: Keys) -> Body:
        for one in wanted.pieces:
            if one.key is None or one.group is not None:
                raise SpecError(f"{self.source}: a list of mappings cannot be put together", hint="Give it names.")
            keys = (*path, _written(one.key))
            at = next((number for number, old in enumerate(there.pieces) if _written(old.key) == keys[-1]), None)
            if self._is_secret(one) and self.form.name != "env":
                self.withheld.append(_name(keys))
            elif at is None:
                there = self._new(there, one, keys)
            else:
                old = there.pieces[at]
                made = replace(old, value=self._met(old.value, one.value, keys, one.key))
                there = replace(there, pieces=(*there.pieces[:at], made, *there.pieces[at + 1 :]))
        return there

    def elsewhere(self, path: DataPath, differ: bool) -> None:
        """Note what a TOML file has in another place than the fragment."""
        for one in self.others:
            owned = tuple(part for key in one for part in _parts(key))
            if owned[: len(path)] == path or (self.others[one].digest != CONTAINER and path[: len(owned)] == owned):
                self._refuse(".".join(path))
        self.kept += [".".join(path)] if differ else []

    def _refuse(self, name: str) -> None:
        raise WorkspaceError(
            f"{self.source}: another component sets {name} to another value; nothing was written",
            hint="Take one of them out, or set it in the file yourself.",
        )

    def _met(self, there: Value, wanted: Value, keys: Keys, key: Hashable) -> Value:
        """The value that is there, with what is missing in it."""
        if isinstance(there, Body) and isinstance(wanted, Body) and there.kind == wanted.kind and named(wanted, key):
            if keys in self.others:
                self.settings.append(self.others[keys])
            return self.body(there, wanted, keys)
        same = there.meaning == wanted.meaning
        if keys in self.others:
            if not same:
                self._refuse(_name(keys))
            self.settings.append(self.others[keys])
        elif not same:
            self.kept.append(_name(keys))
        return there

    def _new(self, there: Body, one: Piece, keys: Keys) -> Body:
        piece = one
        if self._is_secret(one):
            self.withheld.append(_name(keys))
            piece = replace(one, value=Leaf("=", ("", True, False)))
        if isinstance(one.value, Body) and named(one.value, one.key):
            value = self._without_secrets(one.value, keys)
            if one.value.pieces and not value.pieces:
                return there
            piece = replace(one, value=value)
        piece = fitted(piece, there, self.form)
        self._record(piece, keys, piece.lead if not there.flow else "")
        ours = {*self.others, *(one.keys for one in self.settings)}
        mine = [n for n, old in enumerate(there.pieces) if (*keys[:-1], _written(old.key)) in ours]
        after = [n for n in mine if _written(there.pieces[n].key) > keys[-1]]
        at = after[0] if after else mine[-1] + 1 if mine else len(there.pieces)
        made = replace(there, pieces=(*there.pieces[:at], piece, *there.pieces[at:]))
        return settled(made, lambda key: (*keys[:-1], _written(key)) in ours, self.form)

    def _without_secrets(self, body: Body, path: Keys) -> Body:
        """What may be written of a mapping or list, sorted: so no order of components shows."""
        pieces = []
        for one in sorted(body.pieces, key=lambda piece: (piece.key != (), _written(piece.key))):
            keys = (*path, _written(one.key))
            if self._is_secret(one) and self.form.name != "env":
                self.withheld.append(_name(keys))
            elif isinstance(one.value, Body) and named(one.value, one.key):
                value = self._without_secrets(one.value, keys)
                pieces += [replace(one, value=value)] if value.pieces else []
            else:
                pieces.append(one)
        return replace(body, pieces=tuple(pieces))

    def _record(self, piece: Piece, keys: Keys, comment: str) -> None:
        if isinstance(piece.value, Body) and named(piece.value, piece.key):
            self.settings.append(Setting(keys, CONTAINER))
            for one in piece.value.pieces:
                self._record(one, (*keys, _written(one.key)), "" if piece.value.flow else one.lead)
        else:
            self.settings.append(Setting(keys, _digest(piece.value), comment))

    def _is_secret(self, piece: Piece) -> bool:
        name = piece.key[-1] if isinstance(piece.key, tuple) and piece.key else piece.key
        return name in self.secrets or (isinstance(piece.value, Leaf) and bool(_SECRET.search(piece.value.text)))


def put_settings(
    text: str | None,
    fragment: str,
    form: FormName,
    *,
    source: str,
    others: Iterable[Setting] = (),
    secrets: Collection[str] = (),
) -> Put:
    r"""The text of a file (None: there is none) with what is missing of ``fragment``; nothing that is there changes.

    ``others`` are what was written for other components; ``secrets`` are names whose values are never written: in
    ``.env`` files the name is, elsewhere nothing.

    Raises:
        SpecError: a text does not parse. WorkspaceError: it has a form that cannot be edited to the byte, or another
        component sets the same thing otherwise.

    Example:
        >>> put_settings("a: 1  # mine\n", "a: 2\nb: 3\n", "yaml", source="x.yaml").text
        'a: 1  # mine\nb: 3\n'
    """
    of, others = FORMS[form], list(others)
    before = text if text is not None else of.empty
    putting = _Putting(of, source, {one.keys: one for one in others}, secrets)
    there, wanted = _cut(of, before, source), _cut(of, fragment, f"the settings for {source}")
    if form == "toml":
        wanted, elsewhere = missing_tables(before, there, wanted)
        for path in elsewhere:
            putting.elsewhere(path, differs(before, fragment, path))
    made = putting.body(there, wanted, ())
    ours = {*putting.others, *(one.keys for one in putting.settings)}
    after = _ended(settled(made, lambda key: (_written(key),) in ours, of).text, before)
    done = Put(after, tuple(putting.settings), tuple(putting.kept), tuple(putting.withheld))
    new = [one for one in done.settings if one.keys not in putting.others]
    try:
        exact = _taken(of, after, new, others, source)[0] == before
    except SpecError:
        exact = False
    if not exact:
        raise WorkspaceError(
            f"{source} cannot be edited without touching more; nothing was written", hint="Write the settings yourself."
        )
    return done


def take_settings(
    text: str, gone: Sequence[Setting], form: FormName, *, source: str, others: Iterable[Setting] = ()
) -> tuple[str, tuple[str, ...]]:
    """The text without those of ``gone`` that are as they were written, and the names of those that stay, changed.

    Raises:
        SpecError: the text does not parse.
    """
    return _taken(FORMS[form], text, gone, list(others), source)


def _taken(
    form: Form, text: str, gone: Sequence[Setting], others: Sequence[Setting], source: str
) -> tuple[str, tuple[str, ...]]:
    kept: list[str] = []
    staying = {one.keys for one in others}
    ours = staying | {one.keys for one in gone}
    body = _cut(form, text, source)
    going = {one.keys: one for one in gone if one.keys not in staying}
    left = _less(body, (), going, ours, kept, form)
    left = left if left == body else settled(left, lambda key: (_written(key),) in ours, form)
    return _ended(left.text, text), tuple(kept)


def _less(body: Body, path: Keys, going: dict[Keys, Setting], ours: set[Keys], kept: list[str], form: Form) -> Body:
    pieces: list[Piece] = []
    left = ""  # what stands above an entry that goes, and is not ours
    for one in body.pieces:
        keys = (*path, _written(one.key))
        piece = one
        if isinstance(one.value, Body):
            piece = replace(one, value=_less(one.value, keys, going, ours, kept, form))
        setting = going.get(keys)
        if setting is not None and _is_as_written(piece.value, setting):
            if not body.flow:
                left += one.lead.removesuffix(setting.comment).removesuffix("\n" if form.name == "toml" else "")
            continue
        if setting is not None and setting.digest != CONTAINER:
            kept.append(_name(keys))
        pieces.append(replace(piece, lead=left + piece.lead))
        left = ""
    made = replace(body, pieces=tuple(pieces), closing=left + body.closing)
    return made if made == body else settled(made, lambda key: (*path, _written(key)) in ours, form)


def _is_as_written(value: Value, setting: Setting) -> bool:
    if setting.digest == CONTAINER:
        return isinstance(value, Body) and not value.pieces and not value.closing.strip("]} \n")
    return _digest(value) == setting.digest


def _cut(form: Form, text: str, source: str) -> Body:
    plain = text if text.endswith("\n") or not text or form.name == "json" else f"{text}\n"
    if "\r" in plain.replace("\r\n", ""):
        raise SpecError(f"{source}: lines end in more than one way", hint="Save it with one kind of line ends.")
    try:
        return form.cut(plain.replace("\r\n", "\n"))
    except UnreadableError as error:
        raise SpecError(
            f"{source}: cannot be edited: {error}", hint="Mend it, or write the settings yourself."
        ) from error


def _ended(text: str, like: str) -> str:
    """The text with the line ends of ``like``, and with one at its end where that has one."""
    if like and not like.endswith("\n"):
        text = text.removesuffix("\n")
    return text.replace("\n", "\r\n") if "\r\n" in like else text


def _digest(value: Value) -> str:
    return hashlib.sha256(_canonical(value.meaning).encode()).hexdigest()


def _canonical(meaning: object) -> str:
    """What a value means, the same text on every run."""
    if isinstance(meaning, frozenset):
        return f"{{{','.join(sorted(map(_canonical, meaning)))}}}"
    if isinstance(meaning, tuple):
        return f"({','.join(map(_canonical, meaning))})"
    return repr(meaning)


def _written(key: Hashable) -> str:
    """A key as it is recorded: text as it is, anything else as JSON."""
    return key if isinstance(key, str) else json.dumps(key, default=str)


def _parts(key: str) -> tuple[str, ...]:
    """A recorded key as names."""
    try:
        value = json.loads(key)
    except ValueError:
        return (key,)
    return tuple(map(str, value)) if isinstance(value, list) else (key,)


def _shown(key: str) -> str:
    return told((_parts(key),))


def _name(keys: Keys) -> str:
    return Setting(keys, CONTAINER).name
