"""Who put what into a file of the user's, and in whose writing it stands there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlox.components.records import Record, SettingRecord, SettingsRecord, base_path, digest_of
from mlox.components.settings.changing import change_settings
from mlox.components.settings.entries import CONTAINER, Keys, Setting, plain_text, settings_in
from mlox.components.settings.forms import FORMS, FormName, form_of
from mlox.components.settings.taking import take_settings
from mlox.components.shapes import Shape
from mlox.components.tree import Tree
from mlox.errors import SpecError, WorkspaceError
from mlox.journal import Edit


@dataclass(frozen=True, slots=True)
class Owned:
    """What one component has in a file: the piece that it brought, and the settings that are written for it."""

    piece: str
    settings: tuple[Setting, ...]
    made: bool = False

    @property
    def values(self) -> dict[Keys, str]:
        """The digests of its values, by keys; not of what only holds others."""
        return {one.keys: one.digest for one in self.settings if one.digest != CONTAINER}


Owners = Mapping[str, Owned]
"""The components that have something in one file, by name."""


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A file of the user's as it is; ``text`` is None where there is none."""

    path: str
    form: FormName
    content: bytes | None
    text: str | None

    @classmethod
    def read(cls, tree: Tree, path: str) -> SettingsFile:
        """The file at a path.

        Raises:
            SpecError: it is not UTF-8.
        """
        content = tree.read(path)
        try:
            return cls(path, form_of(path), content, None if content is None else plain_text(content))
        except UnicodeDecodeError as error:
            raise SpecError(f"{path} is not UTF-8 text", hint="Save it as UTF-8.") from error

    def edit(self, tree: Tree, text: str | None) -> Edit:
        """The edit that makes ``text`` of it, with its own line ends."""
        after = None if text is None else Shape.of(self.content or b"").like(text)
        return Edit(tree.at(self.path), after, replaces=self.content)


def owners_of(tree: Tree, path: str, records: Mapping[str, Record]) -> dict[str, Owned]:
    """The components that have something in a file."""
    return {name: owned(tree, record.settings[path]) for name, record in records.items() if path in record.settings}


def owned(tree: Tree, known: SettingsRecord) -> Owned:
    """What a record tells; without the text of the piece where that is gone from the base."""
    settings = tuple(Setting(tuple(one.keys), one.digest, one.comment) for one in known.entries)
    return Owned(plain_text(tree.read(base_path(known.base)) or b""), settings, known.made)


def record_of(owned: Owned, origin: str, piece: bytes) -> SettingsRecord:
    """What is recorded of settings: sorted, so that no order of adding shows."""
    entries = [
        SettingRecord(keys=list(one.keys), digest=one.digest, comment=one.comment)
        for one in sorted(owned.settings, key=lambda one: one.keys)
    ]
    return SettingsRecord(base=digest_of(piece), template=origin, entries=entries, made=owned.made)


def everything(owners: Owners) -> list[Setting]:
    """The settings of several components."""
    return [one for owned in owners.values() for one in owned.settings]


def is_users_own(file: SettingsFile, owners: Owners) -> bool:
    """Whether there is more in a file than what components have put there."""
    if file.text is None or not any(one.made for one in owners.values()):
        return file.text is not None
    left, kept = take_settings(file.text, everything(owners), file.form, source=file.path)
    return bool(kept) or left not in ("", FORMS[file.form].empty)


def users_own(tree: Tree, paths: Iterable[str], records: Mapping[str, Record]) -> tuple[str, ...]:
    """Those files that the user has written, or written into; a project file that mlox made is none of them."""
    made = {path for record in records.values() for path in record.made}
    return tuple(
        path
        for path in paths
        if path not in made and is_users_own(SettingsFile.read(tree, path), owners_of(tree, path, records))
    )


def reformed(text: str, form: FormName, before: Owners, after: Owners, *, source: str) -> str:
    """The text with each setting as the first of its owners by name writes it: with his comment, in his quotes.

    Only what stands as it did ``before`` is written anew. So the order in which owners came and went does not show.
    """
    asked: dict[tuple[str, str], list[Keys]] = {}
    for keys in sorted({keys for owned in before.values() for keys in owned.values}):
        was = min((name for name in before if keys in before[name].values), default=None)
        now = min((name for name in after if keys in after[name].values), default=None)
        if was is not None and now is not None and before[was].piece != after[now].piece:
            asked.setdefault((before[was].piece, after[now].piece), []).append(keys)
    for (old, new), keys_ in asked.items():
        text = change_settings(text, old, new, form, keys_, source=source)
    return text


def refuse_clashes(path: str, name: str, wanted: Mapping[Keys, str], owners: Owners) -> None:
    """Raise a :class:`WorkspaceError` where another component set one of ``wanted`` to another value."""
    mine = {Setting(keys, digest).path: Setting(keys, digest) for keys, digest in wanted.items()}
    for other, owned in sorted(owners.items()):
        theirs = {one.path: one for one in owned.settings}
        for place, one in mine.items():
            above = [theirs[place[:n]] for n in range(len(place)) if place[:n] in theirs]
            clash = [there for there in above if there.digest != CONTAINER]
            if place in theirs and theirs[place].digest != one.digest:
                clash.append(one)
            if clash:
                raise WorkspaceError(
                    f"{path}: {other} has set {clash[0].name} to another value than {name} asks for; "
                    "nothing was written",
                    hint=f"Take another version of one of them, or take {other} out: mlox remove {other}.",
                )


def refuse_taken(path: str, name: str, files: Iterable[str], others: Mapping[str, Record]) -> None:
    """Raise a :class:`WorkspaceError` where a file is no settings of the user's, but a component's own."""
    owner = next((other for other, record in others.items() if path in (*record.files, *record.extends)), None)
    if owner is not None or path in files:
        raise WorkspaceError(
            f"{name} has settings for {path}, which is a file of {owner or name}; nothing was written",
            hint="Tell whoever publishes it; take another version until then.",
        )


def values_in(piece: str, form: FormName, *, source: str) -> dict[Keys, str]:
    """The digests of the values of a text, by keys; not of what only holds others."""
    found = settings_in(piece, form, source=source)
    return {keys: digest for keys, digest in found.items() if digest != CONTAINER}
