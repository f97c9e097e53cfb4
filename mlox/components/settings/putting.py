"""How the settings of a component get into a file of the user's: nothing that is there is changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from mlox.components.merge.formats.pieces import Body, Leaf, Piece, Value
from mlox.components.settings.entries import (
    CONTAINER,
    Keys,
    Setting,
    cut,
    digest_at,
    digest_of_value,
    ended,
    name_of,
    restricted,
    written_key,
)
from mlox.components.settings.forms import FORMS, Form, FormName, fitted, named, settled
from mlox.components.settings.tables import DataPath, differs, missing_tables
from mlox.components.settings.taking import taken
from mlox.errors import SpecError, WorkspaceError

_SECRET = re.compile(r"\$\{\s*secret\b")


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
            keys = (*path, written_key(one.key))
            at = next((number for number, old in enumerate(there.pieces) if written_key(old.key) == keys[-1]), None)
            if self._is_secret(one) and self.form.name != "env":
                self.withheld.append(name_of(keys))
            elif at is None:
                there = self._new(there, one, keys)
            else:
                old = there.pieces[at]
                made = replace(old, value=self._met(old, one, keys, there))
                there = replace(there, pieces=(*there.pieces[:at], made, *there.pieces[at + 1 :]))
        return there

    def elsewhere(self, path: DataPath, differ: bool) -> None:
        """Note what a TOML file has in another place than the fragment."""
        for one in self.others:
            owned = self.others[one].path
            if owned[: len(path)] == path or (self.others[one].digest != CONTAINER and path[: len(owned)] == owned):
                self._refuse(".".join(path))
        self.kept += [".".join(path)] if differ else []

    def _refuse(self, name: str) -> None:
        raise WorkspaceError(
            f"{self.source}: another component sets {name} to another value; nothing was written",
            hint="Take one of them out, or set it in the file yourself.",
        )

    def _met(self, old: Piece, one: Piece, keys: Keys, body: Body) -> Value:
        """The value that is there, with what is missing in it."""
        there, wanted = old.value, one.value
        other, digest = self.others.get(keys), digest_at(one)
        if other is not None and other.digest != digest:
            self._refuse(name_of(keys))
        if isinstance(there, Body) and isinstance(wanted, Body) and there.kind == wanted.kind and digest == CONTAINER:
            self.settings += [other] if other is not None else []
            return self.body(there, wanted, keys)
        if other is not None:
            lead = "" if body.flow else fitted(one, body, self.form).lead
            self.settings.append(replace(other, comment=lead))
        if there.meaning != wanted.meaning:
            self.kept.append(name_of(keys))
        return there

    def _new(self, there: Body, one: Piece, keys: Keys) -> Body:
        piece = one
        if self._is_secret(one):
            self.withheld.append(name_of(keys))
            piece = replace(one, value=Leaf("=", ("", True, False)))
        if isinstance(one.value, Body) and named(one.value, one.key):
            value = self._without_secrets(one.value, keys)
            if one.value.pieces and not value.pieces:
                return there
            piece = replace(one, value=value)
        piece = fitted(piece, there, self.form)
        self._record(piece, keys, piece.lead if not there.flow else "")
        ours = {*self.others, *(one.keys for one in self.settings)}
        mine = [n for n, old in enumerate(there.pieces) if (*keys[:-1], written_key(old.key)) in ours]
        after = [n for n in mine if written_key(there.pieces[n].key) > keys[-1]]
        at = after[0] if after else mine[-1] + 1 if mine else len(there.pieces)
        made = replace(there, pieces=(*there.pieces[:at], piece, *there.pieces[at:]))
        return settled(made, lambda key: (*keys[:-1], written_key(key)) in ours, self.form)

    def _without_secrets(self, body: Body, path: Keys) -> Body:
        """What may be written of a mapping or list, sorted: so no order of components shows."""
        pieces = []
        for one in sorted(body.pieces, key=lambda piece: (piece.key != (), written_key(piece.key))):
            keys = (*path, written_key(one.key))
            if self._is_secret(one) and self.form.name != "env":
                self.withheld.append(name_of(keys))
            elif isinstance(one.value, Body) and named(one.value, one.key):
                value = self._without_secrets(one.value, keys)
                pieces += [replace(one, value=value)] if value.pieces or not one.value.pieces else []
            else:
                pieces.append(one)
        return replace(body, pieces=tuple(pieces))

    def _record(self, piece: Piece, keys: Keys, comment: str) -> None:
        if isinstance(piece.value, Body) and named(piece.value, piece.key):
            self.settings.append(Setting(keys, CONTAINER))
            for one in piece.value.pieces:
                self._record(one, (*keys, written_key(one.key)), "" if piece.value.flow else one.lead)
        else:
            self.settings.append(Setting(keys, digest_of_value(piece.value), comment))

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
    only: Collection[Keys] | None = None,
) -> Put:
    r"""The text of a file (None: there is none) with what is missing of ``fragment``; nothing that is there changes.

    ``others`` are what was written for other components; ``secrets`` are names whose values are never written: in
    ``.env`` files the name is, elsewhere nothing. ``only`` are the values that are meant, if not all.

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
    there, wanted = cut(of, before, source), cut(of, fragment, f"the settings for {source}")
    wanted = wanted if only is None else restricted(wanted, only)
    if form == "toml":
        wanted, elsewhere = missing_tables(before, there, wanted)
        for path in elsewhere:
            putting.elsewhere(path, differs(before, fragment, path))
    made = putting.body(there, wanted, ())
    ours = {*putting.others, *(one.keys for one in putting.settings)}
    after = ended(settled(made, lambda key: (written_key(key),) in ours, of).text, before)
    done = Put(after, tuple(putting.settings), tuple(putting.kept), tuple(putting.withheld))
    new = [one for one in done.settings if one.keys not in putting.others]
    try:
        exact = taken(of, after, new, others, source)[0] == before
    except SpecError:
        exact = False
    if not exact:
        raise WorkspaceError(
            f"{source} cannot be edited without touching more; nothing was written", hint="Write the settings yourself."
        )
    return done
