"""How tables and lines look as HTML: every text escaped, addresses as links, in the colours that the page has."""

from __future__ import annotations

import html
import importlib.util
import os
import re
from collections.abc import Iterable, Sequence

from mlox.values import addressed

UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"
"""The style of what is there for readers of the screen alone."""

HANDLE = "position:sticky;left:0;height:4px;margin-bottom:-4px;outline-offset:-1px;pointer-events:none"
"""The style of what the keyboard takes hold of where a table is wider than the page: a line above it.

It is no parent of the table: a click on a cell does not give it the focus, and JupyterLab's shortcuts go on. Where it
has the focus they do not, since JupyterLab takes the arrow keys for itself.
"""

SEEN = "text-align:left;font-weight:bold;padding:.25em .5em"

_LEFT = 'style="text-align:left"'
_URL = re.compile(r"https?://[^\s<>\"'()]+")
_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost):(\d+)(/\S*)?")


def table(
    heading: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str, detail: bool, seen: bool = False
) -> str:
    """A table; in detail with a caption, in a box that scrolls by keyboard too.

    Args:
        heading: of the columns; empty where each row's first cell says all. ``caption``: what it is a table of.
        seen: whether the caption is seen; else it is for readers of the screen alone.

    Example:
        >>> table(("name",), [("redis",)], caption="Services", detail=False)[:66]
        '<table><thead><tr><th scope="col" style="text-align:left">name</th'
        >>> "<caption" in table(("name",), [("redis",)], caption="Services", detail=True)
        True
    """
    body = "".join(f"<tr>{_row(cells, detail)}</tr>" for cells in rows)
    if not body:
        return ""
    names = "".join(f'<th scope="col" {_LEFT}>{html.escape(name)}</th>' for name in heading)
    head = f"<thead><tr>{names}</tr></thead>" if names else ""
    if not detail:
        return f"<table>{head}<tbody>{body}</tbody></table>"
    called = html.escape(caption)
    above = f'<caption style="{SEEN if seen else UNSEEN}">{called}</caption>'
    handle = f'<div role="group" aria-label="{called}" tabindex="0" data-lm-suppress-shortcuts="true" style="{HANDLE}">'
    return (
        f'<div style="overflow-x:auto;position:relative">{handle}</div>'
        f"<table>{above}{head}<tbody>{body}</tbody></table></div>"
    )


def lines_of(lines: Iterable[str], *, detail: bool) -> str:
    """Lines of text; in detail a word that is longer than the page goes on below."""
    text = "\n".join(_text(line, detail) for line in lines)
    broken = ";overflow-wrap:anywhere" if detail else ""
    return f'<div style="white-space:pre-wrap{broken}">{text}</div>' if text else ""


def verbatim(text: str, *, detail: bool) -> str:
    """Somebody else's text, as it is; in detail what is longer than the page goes on below."""
    look = ' style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"' if detail else ""
    return f"<pre{look}>{html.escape(text)}</pre>"


def _row(cells: Sequence[str], detail: bool) -> str:
    first, *others = (_text(cell, detail) for cell in cells)
    return f'<th scope="row" {_LEFT}>{first}</th>' + "".join(f"<td {_LEFT}>{other}</td>" for other in others)


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
