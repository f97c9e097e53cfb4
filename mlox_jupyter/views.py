"""How values look as HTML: which tables and which lines each is made of."""

from __future__ import annotations

from collections.abc import Sequence

from mlox.plan import undo_lines
from mlox.values import Deployed, Planned, ServiceRow, Status, Table, Value, plan_rows
from mlox.values.differences import Differences, WouldWrite
from mlox.values.stats import HEADING, Stats
from mlox_jupyter.diffs import file_diffs, plain_diff
from mlox_jupyter.tables import lines_of, table, verbatim
from mlox_jupyter.words import in_a_cell

SERVICE_HEADING = ("name", "status", "server", "version", "address", "memory", "note")
PLAN_HEADING = ("action", "service", "server", "why")


def view(value: Value, *, detail: bool, caption: str = "") -> str:
    """The HTML of a value; without ``detail`` it is the same on every run, like its text.

    In detail it has captions, labels, and everything that scrolls is reached by the keyboard.

    Args:
        caption: what stands above a table, in detail; empty: what follows from the value, unseen.

    Example:
        >>> from mlox.values import Notice
        >>> view(Notice(("2 < 3",), {}), detail=False)
        '<div class="mlox"><div style="white-space:pre-wrap">2 &lt; 3</div></div>'
    """
    return f'<div class="mlox">{"".join(_parts(value, detail, caption))}</div>'


def facts_view(facts: Sequence[tuple[str, str]], caption: str) -> str:
    """The HTML of names and what belongs to each, in detail.

    Example:
        >>> facts_view((("state", "a < b"),), "Component x").count("a &lt; b")
        1
    """
    rows = [[in_a_cell(cell) for cell in row] for row in facts]
    return f'<div class="mlox">{table((), rows, caption=caption, detail=True)}</div>'


def _parts(value: Value, detail: bool, caption: str) -> list[str]:
    if isinstance(value, Differences):
        return [lines_of(value.before, detail=detail), _diffs(value, detail), lines_of(value.after, detail=detail)]
    if value.verbatim:
        return [verbatim(value.text(detail=detail), detail=detail)]
    if isinstance(value, WouldWrite):
        written = file_diffs(value.files, opened=False) if detail else ""
        return [lines_of(value.text(detail=detail).splitlines(), detail=detail), written]
    if isinstance(value, Status) and (value.services or value.components):
        hidden = [] if detail else [in_a_cell(f"{row.name}: {row.note}") for row in value.services if row.note]
        told = [*hidden, *value.told(detail), *value.notes]
        return [_status(value, detail), lines_of(told, detail=detail)]
    if isinstance(value, Deployed):
        first = [] if value.plan.actions else ["nothing to do"]
        services = _services(value.services, detail, "Services")
        return [lines_of(first, detail=detail), services, lines_of(value.notes, detail=detail)]
    if isinstance(value, Planned) and value.plan:
        rows = plan_rows(value.plan, detail=detail)
        told = _about_plan(value) if detail else list(value.notes)
        caption = f"Plan of {len(rows)} action{'' if len(rows) == 1 else 's'}"
        return [table(PLAN_HEADING, rows, caption=caption, detail=detail), lines_of(told, detail=detail)]
    if isinstance(value, Stats) and value.services:
        cells = [row.cells(detail) for row in value.services]
        return [table(HEADING[: len(cells[0])], cells, caption="What services use", detail=detail)]
    if isinstance(value, Table) and value.rows:
        return [_rows(value, detail, caption), lines_of(value.notes, detail=detail)]
    return [lines_of(value.text(detail=detail).splitlines(), detail=detail)]


def _diffs(value: Differences, detail: bool) -> str:
    return file_diffs(value.files, opened=True) if detail else "".join(map(plain_diff, value.files.values()))


def _about_plan(value: Planned) -> list[str]:
    """What a plan says below its actions: how failures end, what else runs, and how it is carried out."""
    told = [*undo_lines(value.plan)]
    told += [f"{name} runs but is not in mlox.yaml (stop it: {{mlox}} up --prune)" for name in value.plan.unlisted]
    carried = [f"carry it out: {{mlox}} {value.by} --plan {value.plan.digest}"] if value.by else []
    return [*told, *value.notes, *carried]


def _status(status: Status, detail: bool) -> str:
    """One table; where it has components, a column says what each row is."""
    of = f" of {status.stack}" if status.stack else ""
    if not status.components:
        return _services(status.services, detail, f"Services{of}")
    if detail:
        return _both(status, f"{'Services and components' if status.services else 'Components'}{of}")
    rows = [[in_a_cell(cell) for cell in row] for row in status.rows(detail)]
    heading = ("name", "kind", *SERVICE_HEADING[1:])[: max(map(len, rows))]
    return table(heading, [[*row, *[""] * (len(heading) - len(row))] for row in rows], caption="", detail=False)


def _both(status: Status, caption: str) -> str:
    """Services and components in full, each cell below the heading that it belongs to; no column is empty."""
    rows = [(row.name, "service", *row.cells(detail=True)[1:]) for row in status.services]
    for each in status.components:
        name, kind, state, files, version = each.cells(detail=True)
        rows.append((name, kind, state, "", version, "", "", "; ".join(filter(None, (files, each.note)))))
    heading = ("name", "kind", *SERVICE_HEADING[1:])
    kept = [i for i in range(len(heading)) if any(row[i] for row in rows)]
    cells = [[in_a_cell(row[i]) for i in kept] for row in rows]
    return table([heading[i] for i in kept], cells, caption=caption, detail=True)


def _services(rows: Sequence[ServiceRow], detail: bool, caption: str) -> str:
    cells = [[in_a_cell(cell) for cell in row.cells(detail)] for row in rows]
    return table(SERVICE_HEADING[: max(map(len, cells), default=0)], cells, caption=caption, detail=detail)


def _rows(value: Table, detail: bool, caption: str) -> str:
    kept = [i for i, name in enumerate(value.heading) if detail or name not in value.detailed]
    rows = [[row[i] for i in kept] for row in value.rows]
    heading = [value.heading[i] for i in kept]
    called = caption or f"{len(rows)} row{'' if len(rows) == 1 else 's'} of {', '.join(filter(None, heading))}"
    return table(heading, rows, caption=called, detail=detail, seen=bool(caption))
