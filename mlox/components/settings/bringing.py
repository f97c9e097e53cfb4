"""Which settings a component brings into a repository: the pieces that it ships, and the names of its environment."""

from __future__ import annotations

from collections.abc import Mapping

from mlox.components.manifest import Template, settings_path
from mlox.components.records import Record
from mlox.components.settings.entries import plain_text, settings_in
from mlox.components.settings.forms import form_of
from mlox.components.tree import Tree, inside
from mlox.errors import MloxError
from mlox.specs.component import ENV_EXAMPLE

Pieces = Mapping[str, tuple[str, bytes]]
"""For each file of the user's where the piece for it comes from in the template, and its text."""


def settings_of(template: Template, tree: Tree, records: Mapping[str, Record], project: str) -> Pieces:
    """What a component puts into files of the user's, in the folder of that project.

    The names of its environment go into the ``.env.example`` that it asks for; else into the one that the user has
    written, if it can be edited. Values never do. ``records`` are all components that are there.
    """
    spec = template.spec
    found = {
        inside(project, path): (settings_path(path), template.files.get(settings_path(path), b""))
        for path in spec.settings
    }
    examples = [path for path in found if path.rpartition("/")[2] == ENV_EXAMPLE]
    own = inside(project, ENV_EXAMPLE)
    if not examples and spec.environment and _is_users_own(tree, own, records):
        examples = [own]
        found[own] = (settings_path(ENV_EXAMPLE), b"")
    for path in examples:
        origin, piece = found[path]
        found[path] = (origin, _with_names(piece, spec.environment))
    return found


def _with_names(piece: bytes, environment: Mapping[str, str]) -> bytes:
    """The piece of an ``.env.example`` with those names that it does not have, each without a value."""
    text = plain_text(piece)
    text += "\n" if text and not text.endswith("\n") else ""
    known = {keys[-1] for keys in settings_in(text, "env", source=ENV_EXAMPLE)}
    lines = [
        f"# {' '.join(told.split())}\n{name}=\n" for name, told in sorted(environment.items()) if name not in known
    ]
    return (text + "".join(lines)).encode()


def _is_users_own(tree: Tree, path: str, records: Mapping[str, Record]) -> bool:
    """Whether there is a file of names that no component made, and that can be edited."""
    made = any(path in other.settings and other.settings[path].made for other in records.values())
    try:
        content = tree.read(path)
        if made or content is None:
            return False
        settings_in(plain_text(content), form_of(path), source=path)
    except (MloxError, UnicodeDecodeError):  # nobody asked for this file: it stays as it is
        return False
    return True
