"""Whether retries end, logs can be read by machines, files are whole, and wrong variables are told by name."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from project.utility_framework import (
    Backoff,
    Environment,
    EnvironmentProblem,
    Took,
    atomic_file,
    chunks,
    chunks_within,
    configure_logging,
    log_fields,
    profiled,
    retry,
    timed,
    write_atomic,
)

SOON = Backoff(attempts=3, first_s=0.001)


class Flaky:
    """Fails as often as it is told to, then gives its number of calls."""

    def __init__(self, failures: int, error: type[Exception] = ConnectionError) -> None:
        self.failures, self.error, self.calls = failures, error, 0

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"call {self.calls}")
        return self.calls


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    stream = io.StringIO()
    configure_logging("INFO", stream)
    yield stream
    root.setLevel(level)
    root.handlers[:] = handlers


def test_what_fails_twice_is_tried_three_times() -> None:
    heard: list[tuple[str, int]] = []
    flaky = Flaky(2)
    told = retry(ConnectionError, backoff=SOON, told=lambda error, tries, _: heard.append((str(error), tries)))
    assert told(flaky)() == 3
    assert heard == [("call 1", 1), ("call 2", 2)]


def test_the_last_error_is_raised_as_it_came() -> None:
    flaky = Flaky(9)
    with pytest.raises(ConnectionError, match="call 3") as caught:
        retry(ConnectionError, backoff=SOON)(flaky)()
    assert flaky.calls == 3
    assert caught.value.__notes__[0].startswith("tried 3 times in 0.")


@pytest.mark.parametrize(("raised", "agrees"), [(ValueError, True), (ConnectionError, False)])
def test_what_is_not_to_be_tried_again_is_not(raised: type[Exception], agrees: bool) -> None:
    flaky = Flaky(9, raised)
    with pytest.raises(raised, match="call 1"):
        retry(ConnectionError, backoff=SOON, when=lambda _: agrees)(flaky)()
    assert flaky.calls == 1


def test_no_try_begins_once_the_time_is_over() -> None:
    flaky = Flaky(9)
    with pytest.raises(ConnectionError):
        retry(ConnectionError, backoff=Backoff(first_s=60, jitter=0, within_s=1))(flaky)()
    assert flaky.calls == 1


def test_coroutines_are_tried_again_without_blocking_the_loop() -> None:
    flaky = Flaky(2)

    @retry(ConnectionError, backoff=Backoff(attempts=3, first_s=0.02, jitter=0))
    async def fetch() -> int:
        return flaky()

    async def both() -> list[int]:
        ticks = 0

        async def ticking() -> int:
            nonlocal ticks
            while flaky.calls < 3:
                await asyncio.sleep(0.001)
                ticks += 1
            return ticks

        return list(await asyncio.gather(fetch(), ticking()))

    tries, ticks = asyncio.run(both())
    assert tries == 3
    assert ticks > 5


def test_a_cancelled_coroutine_is_not_tried_again() -> None:
    calls = 0

    @retry(Exception, backoff=SOON)
    async def wait() -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert calls == 1


def test_waits_grow_to_their_bound_and_jitter_stays_below() -> None:
    assert list(Backoff(attempts=6, first_s=1, longest_s=5, jitter=0).waits()) == [1, 2, 4, 5, 5]
    drawn = list(Backoff(attempts=2000, first_s=1, longest_s=1).waits(random.Random(7).random))
    assert all(0 <= wait <= 1 for wait in drawn)
    assert 0.45 < sum(drawn) / len(drawn) < 0.55
    with pytest.raises(ValueError, match="at least one try"):
        Backoff(attempts=0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Backoff(jitter=2)
    with pytest.raises(ValueError, match="on which errors"):
        retry()


def test_a_block_and_a_function_are_measured_also_where_they_fail() -> None:
    heard: list[Took] = []

    @timed("work", heard.append)
    def work(fails: bool) -> int:
        total = sum(range(20_000))
        if fails:
            raise KeyError
        return total

    assert work(fails=False) == 199_990_000
    with pytest.raises(KeyError):
        work(fails=True)
    assert [took.name for took in heard] == ["work", "work"]
    assert all(0 < took.seconds < 5 for took in heard)
    with timed("outer", heard.append) as took:
        assert took.seconds == 0.0
    assert took.seconds > 0


def test_a_profile_names_where_the_time_went() -> None:
    heard: list[str] = []
    with profiled(heard.append, lines=5):
        sorted(random.Random(1).random() for _ in range(1000))
    assert "sorted" in heard[0]


def test_a_line_of_the_log_is_an_object(lines: io.StringIO) -> None:
    logger = logging.getLogger("shop.training")
    with log_fields(run="r1", level="inner"):
        with log_fields(fold=2):
            logger.info("trained on %d rows", 3, extra={"path": Path("a"), "text": "ä\n"})
        logger.warning("done")
    logger.debug("not shown")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first["message"] == "trained on 3 rows"
    assert (first["level"], first["level_"], first["logger"]) == ("info", "inner", "shop.training")
    assert (first["run"], first["fold"], first["path"], first["text"]) == ("r1", 2, "a", "ä\n")
    assert first["time"].endswith("+00:00")
    assert "fold" not in second


def test_an_error_is_in_its_line(lines: io.StringIO) -> None:
    try:
        int("lost")
    except ValueError:
        logging.getLogger("shop").exception("failed")
    (line,) = lines.getvalue().splitlines()
    assert json.loads(line)["error"].endswith("invalid literal for int() with base 10: 'lost'")


def test_configuring_again_writes_each_line_once(lines: io.StringIO) -> None:
    again = io.StringIO()
    configure_logging("info", again)
    logging.getLogger("shop").info("once")
    assert lines.getvalue() == ""
    assert len(again.getvalue().splitlines()) == 1
    with pytest.raises(ValueError, match="LOUD"):
        configure_logging("loud")


def test_a_timed_block_is_logged_with_its_seconds(lines: io.StringIO) -> None:
    with timed("load"):
        pass
    line = json.loads(lines.getvalue())
    assert line["message"].startswith("load took ")
    assert 0 <= line["seconds"] < 1


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.json"
    write_atomic(path, "old\r\n")
    path.chmod(0o640)

    def fail() -> None:
        with atomic_file(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old\r\n"
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in path.parent.iterdir()] == ["model.json"]


def test_a_new_file_has_the_mode_asked_for_and_a_link_stays_one(tmp_path: Path) -> None:
    write_atomic(tmp_path / "key", "x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "key")
    write_atomic(tmp_path / "link", "y")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "key").read_text() == "y"


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path, done, seen = tmp_path / "value", threading.Event(), set()
    write_atomic(path, "a" * 100_000)

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for letter in "bcdefgh":
        write_atomic(path, letter * 100_000)
    done.set()
    reader.join()
    assert {len(text) for text in seen} == {100_000}
    assert {len(set(text)) for text in seen} == {1}


def test_chunks_hold_all_in_order() -> None:
    assert list(chunks(iter(range(7)), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []
    assert next(chunks(iter(int, 1), 2)) == [0, 0]  # something endless
    with pytest.raises(ValueError, match="at least one"):
        next(chunks([1], 0))


def test_chunks_stay_within_their_weight() -> None:
    words = ["aaa", "b", "", "cccc", "dd", "dd"]
    found = list(chunks_within(words, 4, len))
    assert found == [["aaa", "b", ""], ["cccc"], ["dd", "dd"]]
    with pytest.raises(ValueError, match="item 1 weighs 5, and the limit is 4"):
        list(chunks_within(["a", "bbbbb"], 4, len))


VARIABLES = Environment(
    "APP_",
    {"APP_N": " 7 ", "APP_X": "0.5", "APP_ON": "Yes", "APP_T": "1h30m", "APP_L": "a, b,,c", "APP_P": "/x", "APP_E": ""},
)


def test_variables_have_types() -> None:
    assert VARIABLES.integer("N") == 7
    assert VARIABLES.number("X") == 0.5
    assert VARIABLES.flag("ON") is True
    assert VARIABLES.seconds("T") == 5400
    assert VARIABLES.items("L") == ["a", "b", "c"]
    assert VARIABLES.path("P") == Path("/x")
    assert VARIABLES.choice("P", ("/w", "/x")) == "/x"
    assert VARIABLES.text("E", "else") == "else"
    assert VARIABLES.flag("GONE", default=False) is False


def test_a_wrong_variable_is_told_by_name_and_without_its_value() -> None:
    wrong = Environment("APP_", {"APP_PORT": "hunter2"})
    for read in (wrong.integer, wrong.number, wrong.flag, wrong.seconds):
        with pytest.raises(EnvironmentProblem, match="APP_PORT does not hold") as caught:
            read("PORT")
        assert "hunter2" not in f"{caught.value!r}{caught.value.__cause__!r}"
    with pytest.raises(EnvironmentProblem, match="one of dev, prod"):
        wrong.choice("PORT", ("dev", "prod"))
    with pytest.raises(EnvironmentProblem, match="APP_HOST is not set"):
        wrong.text("HOST")


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("1.5s", 1.5), ("250ms", 0.25), ("2d", 172800)])
def test_durations(text: str, seconds: float) -> None:
    assert Environment("", {"T": text}).seconds("T") == seconds
