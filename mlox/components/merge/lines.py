"""The merge of lines, by git: what is clean there is the result to the byte, and what is not is the fall-back."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlox.components.merge.outcome import Conflict, MergeResult
from mlox.errors import RequirementError

LABELS = ("mine", "base", "theirs")
GIT_S = 60
_HUNK = re.compile(
    r"^<{7}(?: [^\n]*)?\r?\n(?P<left>.*?)^\|{7}(?: [^\n]*)?\r?\n.*?^={7}\r?\n.*?^>{7}(?: [^\n]*)?(?:\r?\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
_MARKER = re.compile(rb"^<{7}( |\r?$)", re.MULTILINE)


def merge_lines(base: bytes, left: bytes, right: bytes) -> MergeResult:
    r"""``git merge-file --diff3`` of three texts; conflicts carry git's markers, with :data:`LABELS`.

    Raises:
        RequirementError: there is no git, or it cannot merge these (they are binary).

    Example:
        >>> merge_lines(b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nC\n").text
        'A\nb\nC\n'
    """
    if right in (left, base):
        return MergeResult(_decoded(left))
    if base == left:
        return MergeResult(_decoded(right))
    with tempfile.TemporaryDirectory(prefix="mlox-merge-") as folder:
        names = [Path(folder) / name for name in LABELS]
        for path, content in zip(names, (left, base, right), strict=True):
            path.write_bytes(content)
        command = ["git", "merge-file", "--diff3", "-p", *(f"-L{label}" for label in LABELS), *map(str, names)]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=GIT_S, cwd=folder)
        except FileNotFoundError as error:
            raise RequirementError("merging needs git, which is not on the PATH", hint="Install git.") from error
    if done.returncode < 0 or done.returncode > 127:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("error: ")
        raise RequirementError(f"git cannot merge this: {said}", hint="Binary files are not merged: choose a side.")
    text = _decoded(done.stdout)
    return MergeResult(text, tuple(_conflicts(done.stdout)) if done.returncode else ())


def with_left(text: str) -> str:
    r"""A text with markers, with the left side of every conflict.

    Example:
        >>> with_left("a\n<<<<<<< mine\nb\n||||||| base\nc\n=======\nd\n>>>>>>> theirs\ne\n")
        'a\nb\ne\n'
    """
    return _HUNK.sub(lambda found: found["left"], text)


def _conflicts(text: bytes) -> Iterator[Conflict]:
    for found in _MARKER.finditer(text):
        line = text.count(b"\n", 0, found.start()) + 1
        yield Conflict(f"line {line}", "both sides changed these lines", line)


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
