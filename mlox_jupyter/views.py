"""How values look as HTML: tables and lines, every text escaped, in the colours that the page has."""

from __future__ import annotations

import html
import importlib.util
import os
import re
from collections.abc import Iterable, Sequence

from mlox.values import Deployed, Planned, ServiceRow, Status, Table, Value, addressed, plan_rows
from mlox.values.differences import Differences
from mlox.values.stats import HEADING, Stats
from mlox_jupyter.words import in_a_cell

SERVICE_HEADING = ("name", "status", "server", "version", "address", "memory", "note")
PLAN_HEADING = ("action", "service", "server", "why")

HEADER_LINES = 2
"""How many lines of a unified diff name its files."""
LOOKS = {
    "+": "background:rgba(46,160,67,.25)",
    "-": "background:rgba(248,81,73,.25)",
    "@": "opacity:.65",
}
"""How the lines of a unified diff look, by what each begins with."""

_LEFT = 'style="text-align:left"'
_URL = re.compile(r"https?://[^\s<>\"'()]+")
_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost):(\d+)(/\S*)?")


def view(value: Value, *, detail: bool) -> str:
    """The HTML of a value; without ``detail`` it is the same on every run, like its text.

    Example:
        >>> from mlox.values import Notice
        >>> view(Notice(("2 < 3",), {}), detail=True)
        '<div class="mlox"><div style="white-space:pre-wrap">2 &lt; 3</div></div>'
    """
    if isinstance(value, Differences):
        parts = [_lines(value.before, detail), *map(_diff, value.files.values()), _lines(value.after, detail)]
    elif value.verbatim:
        parts = [f"<pre>{html.escape(value.text(detail=detail))}</pre>"]
    elif isinstance(value, Status) and (value.services or value.components):
        hidden = [] if detail else [in_a_cell(f"{row.name}: {row.note}") for row in value.services if row.note]
        parts = [_status(value, detail), _lines([*hidden, *value.told(detail), *value.notes], detail)]
    elif isinstance(value, Deployed):
        first = [] if value.plan.actions else ["nothing to do"]
        parts = [_lines(first, detail), _services(value.services, detail), _lines(value.notes, detail)]
    elif isinstance(value, Planned) and value.plan:
        parts = [_table(PLAN_HEADING, plan_rows(value.plan, detail=detail), detail), _lines(value.notes, detail)]
    elif isinstance(value, Stats) and value.services:
        cells = [row.cells(detail) for row in value.services]
        parts = [_table(HEADING[: len(cells[0])], cells, detail)]
    elif isinstance(value, Table) and value.rows:
        kept = [i for i, name in enumerate(value.heading) if detail or name not in value.detailed]
        rows = [[row[i] for i in kept] for row in value.rows]
        parts = [_table([value.heading[i] for i in kept], rows, detail), _lines(value.notes, detail)]
    else:
        parts = [_lines(value.text(detail=detail).splitlines(), detail)]
    return f'<div class="mlox">{"".join(parts)}</div>'


def _diff(lines: Iterable[str]) -> str:
    """A unified diff: what goes and what comes by colours that let the page's own shine through, light or dark."""
    text = "\n".join(_diff_line(number, line) for number, line in enumerate(lines))
    return f'<pre class="mlox-diff" style="overflow-x:auto">{text}</pre>' if text else ""


def _diff_line(number: int, line: str) -> str:
    look = "font-weight:bold" if number < HEADER_LINES else LOOKS.get(line[:1])
    return f'<span style="{look}">{html.escape(line)}</span>' if look else html.escape(line)


def _status(status: Status, detail: bool) -> str:
    """One table; where it has components, a column says what each row is."""
    if not status.components:
        return _services(status.services, detail)
    rows = [[in_a_cell(cell) for cell in row] for row in status.rows(detail)]
    heading = ("name", "kind", *SERVICE_HEADING[1:])[: max(map(len, rows))]
    return _table(heading, [[*row, *[""] * (len(heading) - len(row))] for row in rows], detail)


def _services(rows: Sequence[ServiceRow], detail: bool) -> str:
    cells = [[in_a_cell(cell) for cell in row.cells(detail)] for row in rows]
    return _table(SERVICE_HEADING[: max(map(len, cells), default=0)], cells, detail)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]], detail: bool) -> str:
    head = "".join(f'<th scope="col" {_LEFT}>{html.escape(name)}</th>' for name in heading)
    body = "".join(f"<tr>{_row(cells, detail)}</tr>" for cells in rows)
    if not body:
        return ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(cells: Sequence[str], detail: bool) -> str:
    first, *others = (_text(cell, detail) for cell in cells)
    return f'<th scope="row" {_LEFT}>{first}</th>' + "".join(f"<td {_LEFT}>{other}</td>" for other in others)


def _lines(lines: Iterable[str], detail: bool) -> str:
    text = "\n".join(_text(line, detail) for line in lines)
    return f'<div style="white-space:pre-wrap">{text}</div>' if text else ""


def _text(text: str, detail: bool) -> str:
    """Escaped, in the words of a cell, and in detail with addresses as links."""
    text = addressed(text, "notebook")
    if not detail:
        return html.escape(text)
    parts = []
    end = 0
    for match in _URL.finditer(text):
        parts += [html.escape(text[end : match.start()]), _link(match.group())]
        end = match.end()
    return "".join([*parts, html.escape(text[end:])])


def _link(url: str) -> str:
    link = _anchor(url, url)
    proxied = _through_the_hub(url)
    return f"{link} (through this hub: {_anchor(proxied, proxied)})" if proxied else link


def _anchor(url: str, text: str) -> str:
    return f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">{html.escape(text)}</a>'


def _through_the_hub(url: str) -> str | None:
    """Where a browser outside reaches a loopback address: through jupyter-server-proxy, where JupyterHub has it.

    Source: https://jupyter-server-proxy.readthedocs.io/en/latest/arbitrary-ports-hosts.html
    """
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    match = _LOOPBACK.fullmatch(url)
    if not prefix or match is None or importlib.util.find_spec("jupyter_server_proxy") is None:
        return None
    return f"{prefix.rstrip('/')}/proxy/{match.group(1)}{match.group(2) or '/'}"
