"""How a setting that is in a file of the user's gets another value, or another writing, where it stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mlox.components.merge.formats.pieces import Body, Piece
from mlox.components.settings.entries import Keys, cut, digest_of_value, ended, found_at, settings_in, written_key
from mlox.components.settings.forms import FORMS, Form, FormName, fitted
from mlox.components.settings.putting import put_settings
from mlox.errors import WorkspaceError


def change_settings(
    text: str,
    before: str,
    after: str,
    form: FormName,
    keys: Collection[Keys],
    *,
    source: str,
    edited: bool = False,
) -> str:
    r"""The text with those settings at ``keys`` as the fragment ``after`` has them that are as ``before`` has them.

    ``edited``: those with other values too. What the user wrote around a value stays: its comments, its place.

    Raises:
        SpecError: a text does not parse. WorkspaceError: it has a form that cannot be edited to the byte.

    Example:
        >>> change_settings("b: 1  # mine\na: 2\n", "a: 2\nb: 1\n", "a: 2\nb: 5\n", "yaml", [("b",)], source="x.yaml")
        'b: 5  # mine\na: 2\n'
    """
    of = FORMS[form]
    there, old, new = (cut(of, one, source) for one in (text, before, after))
    made = _changed(there, old, new, of, set(keys), edited, ())
    if made == there:
        return text
    result = ended(made.text, text)
    was, now, wished = (settings_in(one, form, source=source) for one in (text, result, after))
    below = {one for one in (*was, *now) if any(one[: len(key)] == key for key in keys)}
    untouched = {one: digest for one, digest in was.items() if one not in below}
    if untouched != {one: now[one] for one in now if one not in below} or any(
        now.get(one) not in (was.get(one), wished.get(one)) for one in keys
    ):
        raise WorkspaceError(
            f"{source} cannot be edited without touching more; nothing was written", hint="Write the settings yourself."
        )
    return result


def set_settings(text: str, before: str, after: str, form: FormName, keys: Collection[Keys], *, source: str) -> str:
    """The text with the settings at ``keys`` as ``after`` has them, whatever stands there, and if they are gone.

    Raises:
        SpecError, WorkspaceError: as :func:`change_settings`.
    """
    changed = change_settings(text, before, after, form, keys, source=source, edited=True)
    there = settings_in(changed, form, source=source)
    missing = {one for one in keys if one not in there}
    return put_settings(changed, after, form, source=source, only=missing).text if missing else changed


def comments_of(text: str, fragment: str, form: FormName, keys: Collection[Keys], *, source: str) -> dict[Keys, str]:
    """What would be written above settings of a fragment where they stand in a text; nothing in brackets."""
    of, comments = FORMS[form], {}
    there, wanted = cut(of, text, source), cut(of, fragment, source)
    for one in keys:
        place, piece = found_at(there, one), found_at(wanted, one)
        if place is not None and piece is not None:
            comments[one] = "" if place[1].flow else fitted(piece[0], place[1], of).lead
    return comments


def _changed(there: Body, old: Body, new: Body, form: Form, keys: set[Keys], edited: bool, path: Keys) -> Body:
    pieces = []
    for one in there.pieces:
        here = (*path, written_key(one.key))
        was, now = found_at(old, here), found_at(new, here)
        piece = one
        if here in keys and was is not None and now is not None:
            piece = _piece(one, fitted(was[0], there, form), fitted(now[0], there, form), there, edited)
        elif isinstance(one.value, Body):
            piece = replace(one, value=_changed(one.value, old, new, form, keys, edited, here))
        pieces.append(piece)
    return replace(there, pieces=tuple(pieces))


def _piece(one: Piece, was: Piece, now: Piece, there: Body, edited: bool) -> Piece:
    """An entry with what the new one says, and what of the old writing nobody changed in the new one."""
    same = digest_of_value(one.value) == digest_of_value(was.value)
    if not same and not edited:
        return one
    blocks = _is_block(one) or _is_block(now)
    as_written = one.value.text == was.value.text or digest_of_value(was.value) != digest_of_value(now.value)
    made = replace(
        one,
        head=now.head if one.head == was.head or _is_block(one) != _is_block(now) else one.head,
        value=now.value if as_written or not same else one.value,
        trail=now.trail if (blocks or one.trail == was.trail) and not there.flow else one.trail,
    )
    if there.flow:
        return made
    if was.lead and one.lead.endswith(was.lead):
        return replace(made, lead=one.lead.removesuffix(was.lead) + now.lead)
    return made if was.lead else replace(made, lead=one.lead + now.lead)


def _is_block(one: Piece) -> bool:
    return isinstance(one.value, Body) and not one.value.flow
