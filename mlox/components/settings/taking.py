"""How the settings of a component get out of a file of the user's again: what he changed of them stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mlox.components.merge.formats.pieces import Body, Piece, Value
from mlox.components.settings.entries import CONTAINER, Keys, Setting, cut, digest_of_value, ended, name_of, written_key
from mlox.components.settings.forms import FORMS, Form, FormName, settled


def take_settings(
    text: str, gone: Sequence[Setting], form: FormName, *, source: str, others: Iterable[Setting] = ()
) -> tuple[str, tuple[str, ...]]:
    """The text without those of ``gone`` that are as they were written, and the names of those that stay, changed.

    Raises:
        SpecError: the text does not parse.
    """
    return taken(FORMS[form], text, gone, list(others), source)


def taken(
    form: Form, text: str, gone: Sequence[Setting], others: Sequence[Setting], source: str
) -> tuple[str, tuple[str, ...]]:
    """The same, for a form."""
    kept: list[str] = []
    staying = {one.keys for one in others}
    ours = staying | {one.keys for one in gone}
    body = cut(form, text, source)
    going = {one.keys: one for one in gone if one.keys not in staying}
    left = _less(body, (), going, ours, kept, form)
    left = left if left == body else settled(left, lambda key: (written_key(key),) in ours, form)
    return ended(left.text, text), tuple(kept)


def _less(body: Body, path: Keys, going: dict[Keys, Setting], ours: set[Keys], kept: list[str], form: Form) -> Body:
    pieces: list[Piece] = []
    left = ""  # what stands above an entry that goes, and is not ours
    for one in body.pieces:
        keys = (*path, written_key(one.key))
        piece = one
        if isinstance(one.value, Body):
            piece = replace(one, value=_less(one.value, keys, going, ours, kept, form))
        setting = going.get(keys)
        if setting is not None and _is_as_written(piece.value, setting):
            if not body.flow:
                left += one.lead.removesuffix(setting.comment).removesuffix("\n" if form.name == "toml" else "")
            continue
        if setting is not None and setting.digest != CONTAINER:
            kept.append(name_of(keys))
        pieces.append(replace(piece, lead=left + piece.lead))
        left = ""
    made = replace(body, pieces=tuple(pieces), closing=left + body.closing)
    return made if made == body else settled(made, lambda key: (*path, written_key(key)) in ours, form)


def _is_as_written(value: Value, setting: Setting) -> bool:
    if setting.digest == CONTAINER:
        return isinstance(value, Body) and not value.pieces and not value.closing.strip("]} \n")
    return digest_of_value(value) == setting.digest
