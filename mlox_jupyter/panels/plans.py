"""A plan as a browser shows it: rows, the digest to agree to, and how much it takes."""

from __future__ import annotations

from typing import Any

from mlox.errors import UsageError
from mlox.values import Planned, Value, plan_rows
from mlox_jupyter.views import PLAN_HEADING
from mlox_jupyter.words import in_a_cell


def plan_of(value: Value) -> dict[str, Any]:
    """The rows of the plan that a dry run found, its digest, and its notes in the words of a cell.

    Raises:
        UsageError: that was no dry run of something with a plan.
    """
    if not isinstance(value, Planned):
        raise UsageError("there is no plan of that", hint="Run the panel's cell again.")
    rows = [list(row) for row in plan_rows(value.plan, detail=True)]
    notes = [in_a_cell(note) for note in value.notes if "nothing was changed" not in note]
    return {"heading": list(PLAN_HEADING), "rows": rows, "digest": value.plan.digest, "notes": notes}
