"""How differences of files look as HTML: what goes and what comes by its sign, its element, and only then a colour."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

HEADER_LINES = 2
"""How many lines of a unified diff name its files."""
LOOKS = {
    "+": "background:rgba(46,160,67,.25)",
    "-": "background:rgba(248,81,73,.25)",
    "@": "opacity:.65",
}
"""How the lines of a unified diff look, by what each begins with."""

WRAPPED = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
"""How what is longer than the page goes on below, so that nothing has to be scrolled."""

ELEMENTS = {"+": "ins", "-": "del"}
"""What a reader of the screen calls a line, by what it begins with."""


def plain_diff(lines: Iterable[str]) -> str:
    """A unified diff: what goes and what comes by colours that let the page's own shine through, light or dark."""
    text = "\n".join(_line(number, line) for number, line in enumerate(lines))
    return f'<pre class="mlox-diff" style="overflow-x:auto">{text}</pre>' if text else ""


def file_diffs(files: Mapping[str, Sequence[str]], *, opened: bool) -> str:
    """A block for each file that differs, which opens and closes, below its path and how many lines came and went.

    Example:
        >>> print(file_diffs({"a.py": ("--- a/a.py", "+++ b/a.py", "@@ -1 +1 @@", "-x", "+y", "+z")}, opened=True)[:64])
        <details class="mlox-file" open><summary>a.py (+2 -1)</summary><
    """
    return "".join(_file(path, lines, opened) for path, lines in files.items() if lines)


def counted(lines: Sequence[str]) -> str:
    """How many lines a unified diff adds and removes.

    Example:
        >>> counted(("--- a/a.py", "+++ b/a.py", "@@ -1 +1 @@", "-x", "+y", "+z"))
        '+2 -1'
    """
    body = lines[HEADER_LINES:]
    return f"+{sum(line.startswith('+') for line in body)} -{sum(line.startswith('-') for line in body)}"


def _file(path: str, lines: Sequence[str], opened: bool) -> str:
    named = html.escape(path)
    text = "\n".join(_spoken(number, line) for number, line in enumerate(lines))
    return (
        f'<details class="mlox-file"{" open" if opened else ""}><summary>{named} ({counted(lines)})</summary>'
        f'<pre class="mlox-diff" role="group" aria-label="diff of {named}" style="{WRAPPED}">'
        f"{text}</pre></details>"
    )


def _spoken(number: int, line: str) -> str:
    """A line, in the element of what happens to it; that draws no line of its own through the text or below."""
    element = ELEMENTS.get(line[:1]) if number >= HEADER_LINES else None
    told = _line(number, line)
    return f'<{element} style="text-decoration:none">{told}</{element}>' if element else told


def _line(number: int, line: str) -> str:
    look = "font-weight:bold" if number < HEADER_LINES else LOOKS.get(line[:1])
    return f'<span style="{look}">{html.escape(line)}</span>' if look else html.escape(line)
