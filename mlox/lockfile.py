"""What ``mlox.lock.yaml`` holds: exact versions of packages and digests of images, committed, comments kept."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode

from mlox.documents import edited, load
from mlox.errors import SpecError, WorkspaceError
from mlox.journal import Edit, Journal

LOCK = "mlox.lock.yaml"
HEADER = "# Exact versions of what runs; written by mlox, to be committed.\n"
PACKAGES, IMAGES = "packages", "images"
AGAIN = "Delete it; the next up makes it again."


class LockFile:
    """``mlox.lock.yaml``: what colleagues install and pull, so that it is the same."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self.path = path
        self.journal = journal

    def read(self) -> dict[str, tuple[str, ...]]:
        """The pins of packages by key (the packages, sorted, joined by a comma)."""
        packages = self._sections().get(PACKAGES) or {}
        if not isinstance(packages, dict) or not all(isinstance(pins, list) for pins in packages.values()):
            raise SpecError(f"{LOCK} does not hold packages with lists of versions", hint=AGAIN)
        return {str(key): tuple(map(str, pins)) for key, pins in packages.items()}

    def images(self) -> dict[str, str]:
        """The pins of images by the names that are written in the catalog."""
        images = self._sections().get(IMAGES) or {}
        if not isinstance(images, dict) or not all(isinstance(pin, str) for pin in images.values()):
            raise SpecError(f"{LOCK} does not hold images with a digest each", hint=AGAIN)
        return {str(name): pin for name, pin in images.items()}

    def pins(self) -> dict[str, tuple[str, ...]]:
        """Both, as a plan asks for them: an image has the one pin."""
        return {**self.read(), **{name: (pin,) for name, pin in self.images().items()}}

    def put(self, key: str, pins: Sequence[str]) -> None:
        """Add the pins of packages; entries that are there are never changed."""
        if key not in self.read():
            self._add(PACKAGES, key, list(pins))

    def put_image(self, name: str, pin: str) -> None:
        """Add the pin of an image; entries that are there are never changed."""
        if name not in self.images():
            self._add(IMAGES, name, pin)

    def _sections(self) -> Mapping[str, object]:
        if not self.path.exists():
            return {}
        value = load(self._text(), source=LOCK)
        if not isinstance(value, dict) or not (PACKAGES in value or IMAGES in value):
            raise SpecError(f"{LOCK} holds neither packages nor images", hint=AGAIN)
        return value

    def _add(self, section: str, key: str, value: str | list[str]) -> None:
        before = self._text() if self.path.exists() else None
        text = _with(before or HEADER, section, key, value)
        self.journal.write([Edit(self.path, text.encode(), replaces=None if before is None else before.encode())])

    def _text(self) -> str:
        try:
            return self.path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise SpecError(f"{self.path} is not UTF-8 text", hint="Save it as UTF-8.") from error
        except OSError as error:
            raise WorkspaceError(f"cannot read {self.path}: {error.strerror}", hint="Mend its permissions.") from error


def _with(text: str, section: str, key: str, value: str | list[str]) -> str:
    """``text`` with one more entry, in the order of keys, so that colleagues' additions seldom meet in one place."""
    before = load(text, source=LOCK) or {}
    changes: dict[str, object] = {section: {key: value}}
    wanted = {**before, section: {**(before.get(section) or {}), key: value}} if isinstance(before, dict) else None
    with contextlib.suppress(SpecError):
        written = _spliced(text, section, key, value)
        if load(written, source=LOCK) == wanted:
            return written
    return edited(text, changes, source=LOCK)  # a form that people wrote


def _spliced(text: str, section: str, key: str, value: str | list[str]) -> str:
    text = text if text.endswith("\n") else f"{text}\n"
    root = YAML(typ="safe", pure=True).compose(text)
    sections = {name.value: (name, node) for name, node in root.value} if isinstance(root, MappingNode) else {}
    if section not in sections:
        later = sections.get(IMAGES) if section == PACKAGES else None
        at = later[0].start_mark.index if later else len(text)
        return f"{text[:at]}{section}:\n{_entry(key, value, 2)}{text[at:]}"
    node = sections[section][1]
    entries = node.value if isinstance(node, MappingNode) else []
    column = entries[0][0].start_mark.column if entries else 2
    later_keys = [name for name, _ in entries if name.value > key]
    if later_keys:
        at = _above_comments(text, later_keys[0].start_mark.index - column)
    else:
        at = _end_of_section(text, sections[section][0].start_mark.index)
    return f"{text[:at]}{_entry(key, value, column)}{text[at:]}"


def _entry(key: str, value: str | list[str], column: int) -> str:
    begin = f"{' ' * column}{json.dumps(key)}:"
    if isinstance(value, str):
        return f"{begin} {json.dumps(value)}\n"
    return "".join([f"{begin}\n", *(f"{' ' * column}- {json.dumps(pin)}\n" for pin in value)])


def _above_comments(text: str, at: int) -> int:
    """The begin of the comment lines that stand right above ``at``, which belong to what is below them."""
    while True:
        start = text.rfind("\n", 0, max(at - 1, 0)) + 1
        line = text[start:at]
        if not line.strip().startswith("#") or not line.startswith(" "):
            return at
        at = start


def _end_of_section(text: str, at: int) -> int:
    """Behind the last line of the section that begins at ``at``: lines that are indented, comments too."""
    end = at = text.index("\n", at) + 1
    for line in text[at:].splitlines(keepends=True):
        if line.strip() and not line.startswith((" ", "\t")):
            break
        at += len(line)
        end = at if line.strip() else end
    return end
