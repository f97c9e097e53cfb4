"""How the settings of a component stand in the user's files: as written, changed, gone; shown, and settled."""

from __future__ import annotations

from mlox.components.merge import merge
from mlox.components.records import Record, SettingsRecord, base_text
from mlox.components.settings.changing import set_settings
from mlox.components.settings.entries import Keys, plain_text, settings_in
from mlox.components.settings.following import conflicting
from mlox.components.settings.forms import form_of
from mlox.components.settings.owning import SettingsFile, owned
from mlox.components.settings.putting import put_settings
from mlox.components.shapes import Shape
from mlox.components.tree import Tree
from mlox.errors import MloxError, SpecError


def edited_settings(tree: Tree, record: Record) -> dict[str, tuple[str, ...]]:
    """Which settings are not as they were written, by file; those that are gone with a word that says so.

    Of a file that cannot be read as settings any more, all.
    """
    found = {}
    for path, known in record.settings.items():
        values = {one.keys: one for one in owned(tree, known).settings if one.digest}
        try:
            text = SettingsFile.read(tree, path).text
            now = settings_in(text or "", SettingsFile.read(tree, path).form, source=path)
        except MloxError:
            found[path] = tuple(one.name for one in values.values())
            continue
        names = tuple(
            one.name if keys in now else f"{one.name} (gone)"
            for keys, one in values.items()
            if now.get(keys) != one.digest
        )
        found |= {path: names} if names else {}
    return found


def as_written(tree: Tree, known: SettingsRecord, path: str) -> bytes | None:
    """A file of the user's with every setting of a component as it was written; None where it has none.

    Raises:
        SpecError: the file does not parse.
    """
    file, piece = SettingsFile.read(tree, path), plain_text(base_text(tree, known.base))
    values = owned(tree, known).values
    if file.text is None:
        return put_settings(None, piece, file.form, source=path, only=values).text.encode() if values else None
    now = settings_in(file.text, file.form, source=path)
    keys = [one for one, digest in values.items() if now.get(one) != digest]
    text = set_settings(file.text, piece, piece, file.form, keys, source=path)
    return Shape.of(file.content or b"").like(text)


def with_theirs(tree: Tree, known: SettingsRecord, path: str) -> bytes | None:
    """A file of the user's with upstream's version of what both changed, or of what he took out.

    Raises:
        SpecError: the file does not parse.
    """
    file, keys, old, new = _open(tree, known, path)
    if file.text is None:
        return as_written(tree, known, path)
    return Shape.of(file.content or b"").like(set_settings(file.text, old, new, file.form, keys, source=path))


def marked(tree: Tree, known: SettingsRecord, path: str) -> bytes:
    """The same file with git's markers where both sides changed something, for an editor."""
    file, keys, old, new = _open(tree, known, path)
    if file.text is None:
        return as_written(tree, known, path) or b""
    base = set_settings(file.text, new, old, file.form, keys, source=path)
    theirs = set_settings(file.text, old, new, file.form, keys, source=path)
    return Shape.of(file.content or b"").like(merge(base, file.text, theirs).text)


def check_settings(path: str, content: bytes) -> None:
    """Raise a :class:`SpecError` where a text cannot be read as settings."""
    try:
        settings_in(plain_text(content), form_of(path), source=path)
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not UTF-8 text", hint="Save it as UTF-8.") from error


def _open(tree: Tree, known: SettingsRecord, path: str) -> tuple[SettingsFile, list[Keys], str, str]:
    """A file, what both sides changed of it, and the pieces before and after the update."""
    file, new = SettingsFile.read(tree, path), plain_text(base_text(tree, known.base))
    if file.text is None or known.unresolved is None:
        return file, [], new, new
    old = plain_text(base_text(tree, known.unresolved.base))
    keys = conflicting(file.text, old, new, owned(tree, known).settings, file.form, source=path)
    return file, keys, old, new
