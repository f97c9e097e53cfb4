"""Whether the table of services in the docs is the one that the records tell, and leaves nothing out."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from mlox.catalog import Catalog
from tests.live.catalog.case import all_cases
from tests.live.catalog.record import KEPT, STEPS, Record, read, recorded
from tests.live.catalog.table import BACKENDS, ELSEWHERE, table

PAGE = Path(__file__).parents[1] / "docs" / "services-table.md"


def whole(**changes: object) -> Record:
    """A record of what passed."""
    return Record("redis", "native", "7", "2026-11-22", dict.fromkeys(STEPS, 1.5), **changes)  # type: ignore[arg-type]


def test_the_page_is_that_of_the_records() -> None:
    assert PAGE.read_text() == table(read(KEPT)), "python -m tests.live.catalog.table > docs/services-table.md"


def test_every_service_of_the_catalog_has_a_case_or_is_shown_elsewhere() -> None:
    assert {*all_cases(), *ELSEWHERE} == {*Catalog().names()}


def test_every_service_and_back_end_has_a_row_or_a_reason() -> None:
    text = table({})
    rows, _, reasons = text.partition("## Not had")
    assert "| redis |" not in rows
    for name, case in all_cases().items():
        assert f"**{name}**" in reasons
        assert all(why in reasons for why in case.absent.values())


def test_a_row_tells_each_step_that_was_passed() -> None:
    rows, _, reasons = table({("redis", "native"): whole()}).partition("## Not had")
    assert "| redis | native | 7 | 2 s | 2 s | 2 s | 2 s | 2 s | 2 s | 2 s | 2 s | 2026-11-22 |" in rows
    assert "- **redis** (docker): not run whole on record" in reasons


def test_a_row_that_ended_says_where_and_one_that_needs_no_step_why() -> None:
    failed, spared = whole(failed="kill"), whole(unneeded={"backup": "it keeps no data"})
    del failed.steps["kill"], spared.steps["backup"]
    assert (failed.whole, spared.whole, whole().whole) == (False, True, True)
    assert "| 2 s | ✗ | 2 s |" in table({("redis", "native"): failed})
    assert "(native): it ended at kill" in table({("redis", "native"): failed})
    assert "(native): backup: it keeps no data" in table({("redis", "native"): spared})


def test_what_is_done_is_recorded_however_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.live.catalog.record.PLACE", str(tmp_path / "records"))
    with recorded("redis", "native") as row, row.step("up"):
        row.version = "7"
    with contextlib.suppress(AssertionError), recorded("redis", "docker") as row:
        with row.step("up"):
            pass
        with row.step("write"):
            raise AssertionError
    found = read(tmp_path / "records")
    assert [(pair, list(row.steps), row.failed) for pair, row in found.items()] == [
        (("redis", "docker"), ["up"], "write"),
        (("redis", "native"), ["up"], ""),
    ]
    assert {backend for _, backend in found} == {*BACKENDS}
