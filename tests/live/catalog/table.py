"""``python -m tests.live.catalog.table [FOLDER]``: the table of services, as Markdown, from what runs have recorded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from mlox.catalog import Catalog
from tests.live.catalog.case import all_cases
from tests.live.catalog.record import KEPT, STEPS, Record, read

BACKENDS = ("native", "docker")
ELSEWHERE = {
    "mlflow-model": "it serves a model of another service: tests/live/test_serving.py shows it on both",
    "github": "it is a clone of a repository of somebody's: tests/live/test_github.py shows it natively",
}
"""Services that have no row of their own: where they are shown."""

HEAD = """\
# Services, live: a table

What became of each service of the catalog on each back end, in a real program or image, through its own client. Made by
`tests/live/test_services.py`, which records what it did (`MLOX_TEST_RECORDS=FOLDER`), and written from those records:
`python -m tests.live.catalog.table FOLDER > docs/services-table.md`. A number is how many seconds a step took, on a
machine of two cores with other work on it: not how fast a service is. *no need* is a step that a service has no use
for, and ✗ the one at which it ended. Where no image could be pulled, it was built from upstream's Dockerfile, on bases
that `tests/live/images` makes: the README beside each says where it differs.
"""


def table(records: dict[tuple[str, str], Record]) -> str:
    """The whole page."""
    steps = "\n".join(f"- **{name}**: {what}" for name, what in STEPS.items())
    head = f"| service | back end | version | {' | '.join(STEPS)} | date |\n|{'---|' * (len(STEPS) + 4)}"
    cases = all_cases()
    pairs = [(name, backend) for name in cases for backend in BACKENDS]
    had = [_row(records[pair]) for pair in pairs if pair in records]
    return "\n".join([HEAD, steps, "", head, *had, "", "## Not had", "", *_missing(records), ""])


def _row(record: Record) -> str:
    cells = [
        f"{record.steps[step]:.0f} s"
        if step in record.steps
        else "*no need*"
        if step in record.unneeded
        else "✗"
        if step == record.failed
        else ""
        for step in STEPS
    ]
    return f"| {' | '.join((record.service, record.backend, record.version, *cells, record.date))} |"


def _missing(records: dict[tuple[str, str], Record]) -> Iterator[str]:
    """A line for each that is not in the table, or did not pass whole, and each step that was left out: why."""
    whys: dict[tuple[str, str], list[str]] = {}
    for name, case in all_cases().items():
        for backend in BACKENDS:
            record = records.get((name, backend))
            if backend not in Catalog().get(name).service.backends:
                why = case.absent.get(backend, "")
            elif backend in case.absent:
                why = case.absent[backend]
            elif record is None:
                why = "not run whole on record" + (f", since {case.heavy[backend]}" if backend in case.heavy else "")
            elif record.failed:
                why = f"it ended at {record.failed}"
            else:
                why = "; ".join(f"{step}: {reason}" for step, reason in record.unneeded.items())
            if why:
                whys.setdefault((name, why), []).append(backend)
    for (name, why), backends in whys.items():
        yield f"- **{name}** ({', '.join(backends)}): {why}"
    for name, why in ELSEWHERE.items():
        yield f"- **{name}**: {why}"


if __name__ == "__main__":
    sys.stdout.write(table(read(Path(sys.argv[1]) if len(sys.argv) > 1 else KEPT)))
