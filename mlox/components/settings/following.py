"""How the settings of a component change with an update: three texts (its piece before, the user's file, its piece)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlox.components.changes import Change, Word, incoming_path
from mlox.components.merge import Conflict
from mlox.components.records import Record, SettingsRecord, Unresolved, base_text
from mlox.components.settings.bringing import Pieces
from mlox.components.settings.changing import comments_of, set_settings
from mlox.components.settings.entries import CONTAINER, Keys, Setting, name_of, plain_text, settings_in
from mlox.components.settings.forms import FormName
from mlox.components.settings.owning import (
    Owned,
    Owners,
    SettingsFile,
    everything,
    is_users_own,
    owned,
    owners_of,
    record_of,
    reformed,
    refuse_clashes,
)
from mlox.components.settings.planning import emptied, settings_added, told_apart
from mlox.components.settings.putting import Put, put_settings
from mlox.components.settings.taking import take_settings
from mlox.components.tree import Tree
from mlox.journal import Edit

BOTH = "both sides changed it"
GONE = "you took it out, and upstream changed it"
DROPPED = "you changed it, and upstream has it no more"
OWN = "you have set it to another value"


@dataclass(frozen=True, slots=True)
class SettingsFollowed:
    """What an update does to settings: the edits, what is recorded then, and what becomes of each file."""

    edits: tuple[Edit, ...] = ()
    records: dict[str, SettingsRecord] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    made: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Followed:
    edits: tuple[Edit, ...] = ()
    record: SettingsRecord | None = None
    change: Change | None = None
    made: bytes | None = None


def settings_updated(
    tree: Tree,
    record: Record,
    pieces: Pieces,
    others: Mapping[str, Record],
    *,
    files: Iterable[str],
    new: Callable[[], bytes],
) -> SettingsFollowed:
    """The plan that brings the settings of a component to ``pieces``, with what the user made of them.

    A value that the user left alone becomes the new one, where it stands. One that both sides changed stays, and is
    written down as unresolved. One that the user took out stays out, and an upstream change to it is told.

    Raises:
        SpecError, WorkspaceError: see :func:`mlox.components.settings.planning.settings_added`.
    """
    found: dict[str, _Followed] = {}
    paths = tuple(files)
    for path in sorted({*record.settings, *pieces}):
        if path not in record.settings:
            found[path] = _added(tree, record.name, path, pieces, others, paths, new)
        elif path not in pieces:
            found[path] = _dropped(tree, record, path, others)
        else:
            found[path] = _followed(tree, record, path, pieces[path], others)
    return SettingsFollowed(
        tuple(edit for one in found.values() for edit in one.edits),
        {path: one.record for path, one in found.items() if one.record is not None},
        tuple(one.change for one in found.values() if one.change is not None),
        next((one.made for one in found.values() if one.made is not None), None),
    )


def conflicting(
    text: str, old: str, new: str, settings: Iterable[Setting], form: FormName, *, source: str
) -> list[Keys]:
    """The settings that both sides changed, and not to the same value; one that is gone was changed too."""
    before, after = (settings_in(one, form, source=source) for one in (old, new))
    now = settings_in(text, form, source=source)
    values = [one.keys for one in settings if one.digest != CONTAINER and one.keys in before and one.keys in after]
    return [keys for keys in values if before[keys] != after[keys] and now.get(keys) not in (before[keys], after[keys])]


def _added(
    tree: Tree,
    name: str,
    path: str,
    pieces: Pieces,
    others: Mapping[str, Record],
    files: Iterable[str],
    new: Callable[[], bytes],
) -> _Followed:
    """A file that upstream has settings for now."""
    written = settings_added(tree, name, {path: pieces[path]}, others, files=files, new=new)
    own = is_users_own(SettingsFile.read(tree, path), owners_of(tree, path, others))
    kept = tuple(Conflict(one, OWN) for one in written.kept.get(path, ()))
    changes = any(edit.content != edit.replaces for edit in written.edits)
    change = Change(path, "merged" if own else "added", kept) if changes else None
    return _Followed(written.edits, written.records[path], change, written.made)


def _dropped(tree: Tree, record: Record, path: str, others: Mapping[str, Record]) -> _Followed:
    """A file that upstream has no settings for any more: what the user changed is his."""
    file, known = SettingsFile.read(tree, path), owned(tree, record.settings[path])
    if file.text is None:
        return _Followed()
    owners = owners_of(tree, path, others)
    text, left = take_settings(file.text, known.settings, file.form, source=path, others=everything(owners))
    text = reformed(text, file.form, {**owners, record.name: known}, owners, source=path)
    after = emptied(text, file, known, owners)
    word: Word = "kept" if left else "removed" if after is None else _word(file, {**owners, record.name: known})
    change = Change(path, word, tuple(Conflict(one, DROPPED) for one in left)) if left or after != file.text else None
    return _Followed((file.edit(tree, after),), None, change)


def _followed(
    tree: Tree, record: Record, path: str, piece: tuple[str, bytes], others: Mapping[str, Record]
) -> _Followed:
    """A file that both have settings for."""
    origin, content = piece
    file, before = SettingsFile.read(tree, path), record.settings[path]
    known, owners = owned(tree, before), owners_of(tree, path, others)
    old, new = plain_text(base_text(tree, before.base)), plain_text(content)
    wanted = settings_in(new, file.form, source=origin)
    refuse_clashes(path, record.name, wanted, owners)
    if file.text is None:
        settings = tuple(Setting(keys, digest) for keys, digest in wanted.items()) if known.settings else ()
        fresh = record_of(Owned(new, settings, known.made), origin, content)
        return _Followed((), fresh, Change(path, "gone") if known.settings and old != new else None)
    stays = [one for one in known.settings if (one.digest == CONTAINER) == (wanted.get(one.keys) == CONTAINER)]
    stays = [one for one in stays if one.keys in wanted]
    left, put = _exchanged(file, known, stays, new, wanted, owners)
    after = {one.keys: replace(one, digest=wanted[one.keys]) for one in stays} | {one.keys: one for one in put.settings}
    was, mine = Owned(old, tuple(stays)), Owned(new, tuple(after.values()), known.made)
    text = reformed(put.text, file.form, {**owners, record.name: was}, {**owners, record.name: mine}, source=path)
    told = comments_of(text, new, file.form, mine.values, source=path)
    mine = replace(mine, settings=tuple(replace(one, comment=told.get(one.keys, one.comment)) for one in mine.settings))
    keys = conflicting(file.text, old, new, stays, file.form, source=path)
    fresh = record_of(mine, origin, content)
    edits = [file.edit(tree, emptied(text, file, mine, owners))]
    if keys:
        fresh = fresh.model_copy(update={"unresolved": Unresolved(base=before.base, keys=list(map(name_of, keys)))})
        shown = SettingsFile.read(tree, path).edit(tree, set_settings(text, old, new, file.form, keys, source=path))
        place = incoming_path(record.name, path)
        edits.append(Edit(tree.at(place), shown.content, replaces=tree.read(place)))
    there = settings_in(file.text, file.form, source=path)
    conflicts = [Conflict(name_of(one), BOTH if one in there else GONE) for one in keys]
    conflicts += [Conflict(one, DROPPED) for one in left]
    wished = settings_in(old, file.form, source=path)
    anew = {name_of(one) for one in wanted if wished.get(one) != wanted[one]}
    conflicts += [Conflict(one, OWN) for one in told_apart(put, new, file) if one in anew]
    word: Word = "conflict" if keys else "kept" if left else _word(file, {**owners, record.name: known})
    change = Change(path, word, tuple(conflicts)) if text != file.text or conflicts else None
    return _Followed(tuple(edits), fresh, change)


def _exchanged(
    file: SettingsFile, known: Owned, stays: Sequence[Setting], new: str, wanted: Mapping[Keys, str], owners: Owners
) -> tuple[tuple[str, ...], Put]:
    """The file without what upstream dropped and with what is new; first what of the former the user has changed."""
    out = [one for one in known.settings if one not in stays]
    out += _holding(out, stays)
    left_in = [one for one in stays if one not in out]
    theirs = everything(owners)
    text, left = take_settings(file.text or "", out, file.form, source=file.path, others=[*theirs, *left_in])
    there = settings_in(text, file.form, source=file.path)
    others = [*theirs, *(one for one in stays if one.digest != CONTAINER or one.keys in there)]
    staying = {one.keys for one in stays}
    fresh = {keys for keys in wanted if keys not in staying and not _is_holding(keys, wanted)}
    return left, put_settings(text, new, file.form, source=file.path, others=others, only=fresh)


def _holding(gone: Iterable[Setting], stays: Iterable[Setting]) -> list[Setting]:
    """Those of ``stays`` that hold what goes: they go where nothing is left in them, and come with what is new."""
    inner = [one.keys for one in gone if one.digest != CONTAINER]
    return [one for one in stays if one.digest == CONTAINER and any(_is_below(keys, one.keys) for keys in inner)]


def _is_holding(keys: Keys, wanted: Iterable[Keys]) -> bool:
    return any(_is_below(other, keys) for other in wanted)


def _is_below(keys: Keys, above: Keys) -> bool:
    return len(keys) > len(above) and keys[: len(above)] == above


def _word(file: SettingsFile, owners: Mapping[str, Owned]) -> Word:
    return "merged" if is_users_own(file, owners) else "updated"
