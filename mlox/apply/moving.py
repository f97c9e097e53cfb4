"""How a service with its data comes to another server: all that can be before the point of no return, then that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from mlox.apply.passing import passed
from mlox.apply.running import Run
from mlox.apply.seams import Seams
from mlox.apply.telling import first_difference, told
from mlox.archives import Content, content
from mlox.errors import Cancelled, ServiceError
from mlox.moves import Move
from mlox.plan import Plan
from mlox.protocols import Emit, Event, Passage
from mlox.units import Unit


def carry(move: Move, seams: Seams, *, emit: Emit, commit: Callable[[], None]) -> Content:
    """Stop a service, copy its data, start it on the other server, and see that it is the same; then ``commit``.

    What it notes on both sides says how far it is: whoever finds that finishes it or takes it back. Before the first
    note nothing is changed. What the service was is neither removed nor changed.

    Raises:
        MloxError: it did not come to ``commit``, or that failed.
    """
    seams = seams.guarded()
    source, target = seams.backends[move.source], seams.backends[move.target]
    run = Run(Plan(move.stack), seams, emit, threading.Event())
    units = tuple(run.ready(unit) for unit in move.after)
    for unit in units:
        target.prepare(replace(unit, ports=()), emit)  # the old one has them yet
    stopped = (*move.starts, *move.stops)
    source.note_passage(move.stack, Passage(move.service, "leaving", move.target, stopped))
    for unit in move.consumers:
        emit(Event(unit.service, "stopping"))
        seams.backends[unit.server].stop(unit.stack, unit.service, unit.name, purge=False, emit=emit)
    held = told(move.before, source, run) if move.compares else ""
    for unit in reversed(move.before):
        emit(Event(unit.service, f"stopping on {move.source}"))
        source.stop(unit.stack, unit.service, unit.name, purge=False, emit=emit)
    arriving = Passage(move.service, "arriving", move.source, stopped)
    target.note_passage(move.stack, arriving)
    found = _copy(move, units, seams, emit)
    for unit in (*move.forwarders, *units):
        run.start(unit)
    if move.compares:
        _compare(move, held, told(units, target, run))
    target.note_passage(move.stack, replace(arriving, role="arrived"))
    commit()
    return found


def _copy(move: Move, units: Sequence[Unit], seams: Seams, emit: Emit) -> Content:
    """Copy the data; what lies on the other side is read again and compared.

    Raises:
        ServiceError: it is not the same.
    """
    source, target = seams.backends[move.source], seams.backends[move.target]
    done = {job.name for unit in move.before for job in unit.jobs if job.when == "init"}
    ended = threading.Event()

    def followed(chunks: Iterable[bytes], what: str) -> Iterator[bytes]:
        return passed(chunks, move.service, what, emit, seams.check, move.size_bytes)

    with ThreadPoolExecutor(1, thread_name_prefix="mlox-move") as pool:
        reading = pool.submit(content, _until(ended, source.data_out(move.before)))
        try:
            chunks = followed(source.data_out(move.before), "copying its data")
            target.data_in(units, chunks, done=done)
        except BaseException:
            ended.set()
            raise
        sent = reading.result()
    found = content(followed(target.data_out(units), "comparing its data"))
    if found != sent:
        raise ServiceError(
            f"the data of {move.service} is not the same on {move.target}: {sent.entries} files and folders with "
            f"{sent.size_bytes} bytes were sent, {found.entries} with {found.size_bytes} bytes are there",
            hint="Try it again; if it happens again, look at the disks.",
        )
    return found


def _until(ended: threading.Event, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if ended.is_set():
            raise Cancelled("the copy has ended", hint="Run the same command again.")
        yield chunk


def _compare(move: Move, before: str, after: str) -> None:
    """Raise a :class:`ServiceError` that names the first line that differs."""
    if before == after:
        return
    was, became = first_difference(before, after)
    raise ServiceError(
        f"{move.service} does not hold the same on {move.target}: {was!r} became {became!r}",
        hint="End what else writes to it, then move it again.",
    )
