"""What is written into files of the user's when a component comes, and what goes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from mlox.components.dependencies import PYPROJECT
from mlox.components.dependencies.homes import home_of
from mlox.components.records import Record, SettingsRecord
from mlox.components.settings.bringing import Pieces
from mlox.components.settings.entries import CONTAINER, Setting, plain_text, settings_in
from mlox.components.settings.forms import FORMS
from mlox.components.settings.owning import (
    Owned,
    SettingsFile,
    everything,
    owners_of,
    record_of,
    reformed,
    refuse_clashes,
    refuse_taken,
)
from mlox.components.settings.putting import Put, put_settings
from mlox.components.settings.taking import take_settings
from mlox.components.tree import Tree
from mlox.errors import WorkspaceError
from mlox.journal import Edit

Names = Mapping[str, tuple[str, ...]]
"""Settings by the file that they stand in, in words."""


@dataclass(frozen=True, slots=True)
class SettingsWritten:
    """What adding settings changes: the edits, what is recorded; ``kept``: what the user has set to another value.

    ``made`` is the ``pyproject.toml``, where there was none, as it is without them.
    """

    edits: tuple[Edit, ...] = ()
    records: dict[str, SettingsRecord] = field(default_factory=dict)
    kept: Names = field(default_factory=dict)
    made: bytes | None = None


def settings_added(
    tree: Tree,
    name: str,
    pieces: Pieces,
    others: Mapping[str, Record],
    *,
    files: Iterable[str],
    new: Callable[[], bytes],
) -> SettingsWritten:
    """The plan that puts the settings of the component ``name`` into the user's files.

    ``files`` are those of its code; ``new`` is the ``pyproject.toml`` of a project without one.

    Raises:
        SpecError: a file does not parse. WorkspaceError: another component sets the same thing to another value, or a
        file has a form that cannot be edited to the byte.
    """
    edits: list[Edit] = []
    records: dict[str, SettingsRecord] = {}
    kept: dict[str, tuple[str, ...]] = {}
    made: bytes | None = None
    files = tuple(files)
    for path, (origin, piece) in sorted(pieces.items()):
        refuse_taken(path, name, files, others)
        file = SettingsFile.read(tree, path)
        owners = owners_of(tree, path, others)
        fragment = plain_text(piece)
        refuse_clashes(path, name, settings_in(fragment, file.form, source=origin), owners)
        start = file.text
        if start is None and path == PYPROJECT and _has_no_project(tree):
            made = new()
            start = made.decode()
        put = put_settings(start, fragment, file.form, source=path, others=everything(owners))
        is_new = any(one.made for one in owners.values()) if owners else start is None and bool(put.settings)
        mine = Owned(fragment, put.settings, is_new)
        text = reformed(put.text, file.form, owners, {**owners, name: mine}, source=path)
        records[path] = record_of(mine, origin, piece)
        kept |= {path: names} if (names := told_apart(put, fragment, file)) else {}
        edits += [file.edit(tree, text)] if put.settings or made is not None else []
    return SettingsWritten(tuple(edits), records, kept, made)


@dataclass(frozen=True, slots=True)
class SettingsTaken:
    """What removing settings changes: the edits; which settings go, and which stay since the user changed them."""

    edits: tuple[Edit, ...] = ()
    gone: Names = field(default_factory=dict)
    kept: Names = field(default_factory=dict)


def settings_removed(tree: Tree, record: Record, others: Mapping[str, Record]) -> SettingsTaken:
    """The plan that takes out what only this component put into the user's files, and nobody has changed.

    Raises:
        SpecError: a file does not parse.
    """
    edits: list[Edit] = []
    gone: dict[str, tuple[str, ...]] = {}
    kept: dict[str, tuple[str, ...]] = {}
    for path in record.settings:
        file = SettingsFile.read(tree, path)
        if file.text is None:
            continue
        owners = owners_of(tree, path, others)
        mine = owners_of(tree, path, {record.name: record})
        text, left = take_settings(
            file.text, mine[record.name].settings, file.form, source=path, others=everything(owners)
        )
        text = reformed(text, file.form, {**owners, **mine}, owners, source=path)
        edits.append(file.edit(tree, emptied(text, file, mine[record.name], owners)))
        stays = settings_in(text, file.form, source=path)
        out = [one.name for one in mine[record.name].settings if one.digest != CONTAINER and one.keys not in stays]
        gone |= {path: tuple(out)} if out else {}
        kept |= {path: left} if left else {}
    return SettingsTaken(tuple(edits), gone, kept)


def emptied(text: str, file: SettingsFile, mine: Owned, owners: Mapping[str, Owned]) -> str | None:
    """The text; None where the file was made for settings, and nothing is in it any more."""
    return None if mine.made and not owners and text in ("", FORMS[file.form].empty) else text


def told_apart(put: Put, fragment: str, file: SettingsFile) -> tuple[str, ...]:
    """What the user has set to another value; a name that asks for no value is content with any."""
    if file.form != "env":
        return put.kept
    nothing = settings_in("X=\n", "env", source=file.path)["X",]
    wanted = settings_in(fragment, "env", source=file.path)
    empty = {Setting(keys, digest).name for keys, digest in wanted.items() if digest == nothing}
    return tuple(name for name in put.kept if name not in empty)


def _has_no_project(tree: Tree) -> bool:
    """Whether nothing tells what the project depends on: then its file is made whole."""
    try:
        return home_of(tree, ()) is None
    except WorkspaceError:
        return False
