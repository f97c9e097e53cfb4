"""Whether retries end, time is measured, and logs can be read by machines."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from project.utility_framework import Backoff, Took, configure_logging, log_fields, profiled, retry, timed

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
