"""What every back end remembers of a stack: the entries in order, as much as there is room for; gone when told so."""

from __future__ import annotations

from dataclasses import replace

from mlox.protocols import Entry, Step
from mlox.protocols.history import KEPT
from tests.contracts.benches import STACK, Bench, a_unit, seen, stop, up

STEP = Step("create", "web", "server", "local", ("workers: 2 → 4",))


def entry(number: int) -> Entry:
    return Entry(f"e{number}", "token", float(number), "anna", "laptop", "mlox", "d1", (STEP,), "done", number + 0.5)


def test_nothing_is_remembered_of_a_stack_that_never_was(bench: Bench) -> None:
    assert bench.backend.history("other-0000") == ()
    bench.backend.forget("other-0000")


def test_entries_come_back_in_order_and_as_they_were(bench: Bench) -> None:
    failed = replace(entry(2), outcome="failed", failures=(("web", "it died: \u00fc"),))
    bench.backend.record(STACK, entry(1))
    bench.backend.record(STACK, failed)
    assert bench.backend.history(STACK) == (entry(1), failed)
    assert bench.backend.history("other-0000") == ()
    bench.backend.forget(STACK)
    assert bench.backend.history(STACK) == ()


def test_an_entry_that_is_recorded_again_is_the_same_one_later_on(bench: Bench) -> None:
    begun = replace(entry(2), outcome="under way", ended=None)
    bench.backend.record(STACK, entry(1))
    bench.backend.record(STACK, begun)
    assert bench.backend.history(STACK) == (entry(1), begun)
    bench.backend.record(STACK, entry(2))
    assert bench.backend.history(STACK) == (entry(1), entry(2))
    bench.backend.forget(STACK)


def test_what_is_still_under_way_when_the_next_begins_was_interrupted(bench: Bench) -> None:
    bench.backend.record(STACK, replace(entry(1), outcome="under way", ended=None))
    bench.backend.record(STACK, replace(entry(2), outcome="under way", ended=None))
    assert [each.outcome for each in bench.backend.history(STACK)] == ["interrupted", "under way"]
    bench.backend.forget(STACK)


def test_it_does_not_grow_without_end(bench: Bench) -> None:
    wordy = replace(entry(0), steps=(replace(STEP, reasons=("x" * 10_000,)),))
    for number in range(150):
        bench.backend.record(STACK, replace(wordy, id=f"w{number}"))
    kept = bench.backend.history(STACK)
    assert 20 < len(kept) < 150 < KEPT
    assert kept[-1].id == "w149"
    bench.backend.forget(STACK)


def test_it_stays_while_units_come_and_go_and_is_no_unit(bench: Bench) -> None:
    unit = a_unit(bench)
    bench.backend.record(STACK, entry(1))
    up(bench, unit)
    assert [o.key for o in bench.backend.observe(STACK)] == [seen(bench, unit).key]
    stop(bench, unit)
    stop(bench, unit, purge=True)
    assert bench.backend.history(STACK) == (entry(1),)
    assert bench.backend.observe(STACK) == ()
    bench.backend.forget(STACK)
