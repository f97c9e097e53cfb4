"""What is found in one content: a notebook by its cells, a text by its lines, anything else by its bytes."""

from __future__ import annotations

from collections.abc import Iterator

from mlox.scanning.looking import Finding, Needles
from mlox.scanning.notebooks import notebook_texts


def findings_in(content: bytes, file: str, needles: Needles, *, commit: str = "") -> tuple[Finding, ...]:
    """What stands in ``content``, each kind and name once a place.

    Example:
        >>> from mlox.secret import Secret
        >>> findings_in(b"x = 'hunter22'", "a.py", Needles([("TOKEN", Secret("hunter22"))], shapes=None))
        (Finding(file='a.py', where='line 1', kind='secret', name='TOKEN', commit='', version=''),)
    """
    return tuple(dict.fromkeys(_found(content, file, needles, commit)))


def _found(content: bytes, file: str, needles: Needles, commit: str) -> Iterator[Finding]:
    texts = notebook_texts(content)
    if texts is not None:
        for where, text in texts:
            for _, kind, name, version in needles.look(text):
                yield Finding(file, where, kind, name, commit, version)
        return
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        for byte, kind, name, version in needles.look_in_bytes(content):
            yield Finding(file, f"byte {byte}", kind, name, commit, version)
        return
    for line, kind, name, version in needles.look(text):
        yield Finding(file, f"line {line}", kind, name, commit, version)
