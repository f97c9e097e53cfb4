"""What every back end must do with data on its way: hand it over whole, take it in whole, and note what goes on."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.archives import content
from mlox.errors import ServiceError
from mlox.protocols import Passage
from mlox.units import Unit
from tests.contracts.benches import BENCHES, STACK, Bench, a_unit, seen, start, stop, up
from tests.contracts.conftest import marks

LEAVING = Passage("web", "leaving", "docker", ("shop",))
ARRIVING = Passage("web", "arriving", "local")

NAMES = st.one_of(
    st.sampled_from(["word", "a", "a.b", ".hidden", "with space", "ünïcode", "-rf", "new\nline", "x" * 200]),
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=12),
    st.binary(min_size=1, max_size=6).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
).filter(lambda name: name not in (".", "..") and "/" not in name and "\0" not in name)
FILE = st.tuples(
    st.just("file"),
    st.one_of(st.binary(max_size=300), st.integers(0, 3 << 20).map(bytes)),
    st.sampled_from([0o600, 0o644, 0o755, 0o400]),
    st.integers(0, 2**31 * 10**9 - 1),
)
LINK = st.tuples(st.just("link"), st.sampled_from(["words", "../..", "/etc/passwd", "gone"]))
SAME = st.just(("same",))
FIFO = st.just(("fifo",))
TREES = st.recursive(
    st.one_of(FILE, FILE, LINK, SAME, FIFO),
    lambda inner: st.dictionaries(NAMES, inner, max_size=5).map(lambda found: ("folder", found)),
    max_leaves=12,
)
DATA = st.dictionaries(NAMES, TREES, max_size=5)


def archive(tree: dict[str, object], top: str = "data") -> bytes:
    """A tree as an archive; ``same`` is a hard link to the first file."""
    stream = io.BytesIO()
    first: list[str] = []

    def add(path: str, what: tuple[object, ...]) -> None:
        entry = tarfile.TarInfo(path)
        body = b""
        match what:
            case ("folder", dict(inside)):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o750
                out.addfile(entry)
                for name, inner in inside.items():
                    add(f"{path}/{name}", inner)
                return
            case ("file", bytes(body), int(mode), int(time_ns)):
                entry.mode = mode
                entry.pax_headers = {"mtime": f"{time_ns // 10**9}.{time_ns % 10**9:09d}"}
                first.append(path)
            case ("link", str(target)):
                entry.type, entry.linkname = tarfile.SYMTYPE, target
            case ("same",) if first:
                entry.type, entry.linkname = tarfile.LNKTYPE, first[0]
            case _:
                entry.type, entry.mode = tarfile.FIFOTYPE, 0o600
        entry.size = len(body)
        out.addfile(entry, io.BytesIO(body))

    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as out:
        add(top, ("folder", tree))
    return stream.getvalue()


def in_parts(whole: bytes, size: int = 777) -> Iterator[bytes]:
    yield from (whole[at : at + size] for at in range(0, len(whole), size))


def headers(whole: bytes, *, whole_seconds: bool) -> dict[str, tuple[object, ...]]:
    """What of each entry must come back as it was, but for owners, and for hard links, which may be told otherwise."""
    with tarfile.open(fileobj=io.BytesIO(whole)) as found:
        return {
            e.name: (e.isdir(), e.issym(), e.linkname if e.issym() else "", e.isfifo(), e.mode if e.isreg() else 0)
            + (
                ()
                if not e.isreg()
                else (int(e.mtime),)
                if whole_seconds
                else (str(e.pax_headers.get("mtime", e.mtime)),)
            )
            for e in found
            if not e.islnk() and e.name != "data"
        }


@pytest.mark.parametrize("name", [pytest.param(n, marks=marks(n)) for n in BENCHES])
def test_what_is_taken_in_is_handed_over_again(name: str) -> None:
    with BENCHES[name]() as bench:
        unit = a_unit(bench)
        start(bench, unit)
        stop(bench, unit, purge=True)

        @settings(max_examples=8 if name == "docker" else 25)
        @given(tree=DATA)
        def carry(tree: dict[str, object]) -> None:
            whole = archive(tree)
            second = replace(unit, service="web2", directories=bench.directories("web2"))
            try:
                bench.backend.data_in((unit,), in_parts(whole), done=())
                again = b"".join(bench.backend.data_out((unit,)))
                assert content([again]).entries == content([whole]).entries
                assert content([again]).size_bytes == content([whole]).size_bytes
                if b"same" not in repr(tree).encode():
                    assert content([again]) == content([whole])
                    seconds = bench.whole_seconds
                    assert headers(again, whole_seconds=seconds) == headers(whole, whole_seconds=seconds)
                bench.backend.data_in((second,), in_parts(again), done=())
                assert content(bench.backend.data_out((second,))) == content([again])
            finally:
                for each in (second, unit):
                    stop(bench, each, purge=True)

        carry()


def carried(bench: Bench, unit: Unit, **tree: object) -> bytes:
    whole = archive(tree)
    bench.backend.data_in((unit,), in_parts(whole), done=())
    return whole


def words(text: str) -> tuple[object, ...]:
    return "file", text.encode(), 0o600, 10**18


def test_a_unit_finds_the_data_that_was_taken_in_before_it_began(bench: Bench) -> None:
    unit = a_unit(bench)
    whole = carried(bench, unit, words=words("precious"))
    up(bench, unit)
    assert bench.read_data(unit) == "precious"
    bench.write_data(unit, "more precious")
    stop(bench, unit)
    assert bench.backend.data_size((unit,)) > 0
    again = content(bench.backend.data_out((unit,)))
    assert (again.entries, again.size_bytes) == (1, len("more precious"))
    assert again.digest != content([whole]).digest


def test_what_runs_is_not_handed_over(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    with pytest.raises(ServiceError, match="web runs, and its data changes"):
        content(bench.backend.data_out((unit,)))


def test_data_is_not_laid_over_data(bench: Bench) -> None:
    unit = a_unit(bench)
    carried(bench, unit, words=words("precious"))
    with pytest.raises(ServiceError, match="there is data of web already"):
        carried(bench, unit, words=words("another"))
    up(bench, unit)
    assert bench.read_data(unit) == "precious"


def test_of_an_archive_that_is_cut_off_nothing_is_there(bench: Bench) -> None:
    unit = a_unit(bench)
    whole = archive({"words": words("precious"), "more": words("x" * 5000)})
    for length in (0, 100, 1024, len(whole) // 2, 4096, len(whole.rstrip(b"\0")) + 512):
        with pytest.raises(ServiceError, match="cut off|cannot be read"):
            bench.backend.data_in((unit,), in_parts(whole[:length]), done=())
    carried(bench, unit, words=words("precious"))
    up(bench, unit)
    assert bench.read_data(unit) == "precious"


@pytest.mark.parametrize("name", ["/etc/words", "data/../../words", "../words", "elsewhere/words"])
def test_what_leads_out_of_the_data_is_refused(bench: Bench, name: str) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as out:
        out.addfile(tarfile.TarInfo(name))
    unit = a_unit(bench)
    with pytest.raises(ServiceError, match="leads out of the data|no folder of its data"):
        bench.backend.data_in((unit,), [stream.getvalue()], done=())
    stop(bench, unit, purge=True)


def test_a_purge_takes_data_that_was_never_used(bench: Bench) -> None:
    unit = a_unit(bench)
    carried(bench, unit, words=words("precious"))
    bench.backend.note_passage(STACK, ARRIVING)
    stop(bench, unit, purge=True)
    assert bench.backend.passages(STACK) == ()
    carried(bench, unit, words=words("another"))
    up(bench, unit)
    assert bench.read_data(unit) == "another"


def test_a_job_that_was_done_before_is_not_done_again(bench: Bench) -> None:
    unit = replace(a_unit(bench), jobs=(bench.failing("first", "it was done already"),))
    bench.backend.data_in((unit,), in_parts(archive({"words": words("precious")})), done=("first", "another"))
    up(bench, unit)
    other = replace(a_unit(bench, service="other"), jobs=unit.jobs)
    bench.backend.data_in((other,), in_parts(archive({})), done=())
    with pytest.raises(ServiceError, match="it was done already"):
        start(bench, other)


def test_data_that_is_gone_makes_room_for_other_data(bench: Bench) -> None:
    unit = replace(a_unit(bench), jobs=(bench.failing("first", "it was forgotten"),))
    bench.backend.data_in((unit,), in_parts(archive({"words": words("precious")})), done=("first",))
    up(bench, unit)
    with pytest.raises(ServiceError, match="web runs, and its data changes"):
        bench.backend.data_gone((unit,))
    assert bench.read_data(unit) == "precious"
    stop(bench, unit)
    bench.backend.data_gone((unit,))
    bench.backend.data_gone((unit,))
    with pytest.raises(ServiceError, match="it was forgotten"):
        start(bench, unit)
    stop(bench, unit)
    bench.backend.data_gone((unit,))
    bench.backend.data_in((unit,), in_parts(archive({"words": words("another")})), done=("first",))
    up(bench, unit)
    assert bench.read_data(unit) == "another"


def test_what_is_kept_comes_back_after_its_data_was_gone(bench: Bench) -> None:
    unit = a_unit(bench)
    carried(bench, unit, words=words("precious"))
    up(bench, unit)
    assert bench.backend.keep(STACK, "web", data=True).data
    bench.backend.data_gone((unit,))
    carried(bench, unit, words=words("another"))
    start(bench, unit)
    assert bench.backend.take_back(STACK, "web").units == (unit,)
    up(bench, unit)
    bench.backend.settle(STACK, "web")
    assert bench.read_data(unit) == "precious"


def test_notes_are_kept_until_they_are_forgotten(bench: Bench) -> None:
    assert bench.backend.passages(STACK) == ()
    bench.backend.note_passage(STACK, LEAVING)
    bench.backend.note_passage(STACK, replace(ARRIVING, service="shop"))
    assert bench.backend.passages(STACK) == (replace(ARRIVING, service="shop"), LEAVING)
    arrived = replace(LEAVING, role="arrived")
    bench.backend.note_passage(STACK, arrived)
    bench.backend.recover(STACK)
    assert bench.backend.passages(STACK)[1] == arrived
    assert bench.backend.passages("other-0001") == ()
    for name in ("web", "shop", "never"):
        bench.backend.forget_passage(STACK, name)
    assert bench.backend.passages(STACK) == ()
    stop(bench, a_unit(bench), purge=True)


def test_notes_do_not_change_what_runs(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    bench.backend.note_passage(STACK, LEAVING)
    bench.backend.recover(STACK)
    assert seen(bench, unit).pid == before.pid
    stop(bench, unit)
    assert bench.backend.passages(STACK) == (LEAVING,)
