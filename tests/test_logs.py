"""Logs of several services: together, filtered, followed; on a machine in memory."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime

import pytest

import mlox
from mlox.stack.logs import written_at
from mlox.testing import FakeBackend
from mlox.values.logs import LogLine
from tests.shell_stage import PASSWORD, Say

NOW = 1_795_359_600.0

Next = Callable[[], LogLine]


@pytest.fixture
def speak(stack: mlox.Stack, machine: FakeBackend) -> Callable[..., None]:
    stack.add("base")
    stack.add("redis")
    stack.up()

    def say(service: str, *lines: str, at: float | None = None) -> None:
        for line in lines:
            machine.say(stack.id or "", service, "server", line, at)

    return say


@contextlib.contextmanager
def read(lines: Generator[LogLine]) -> Iterator[Next]:
    """The next line of a follower, read in a thread; it ends with the block, and the follower's threads too."""
    found: queue.Queue[LogLine] = queue.Queue()
    ended = threading.Event()

    def run() -> None:
        with contextlib.closing(lines):
            for line in lines:
                found.put(line)
                if ended.is_set():
                    return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield lambda: found.get(timeout=10)
    finally:
        ended.set()


# what a line says of its time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T15:00:00Z ready", 0.0),
        ("[2026-11-22 16:00:00,500 +01:00] INFO", 0.5),
        ("2026-11-22 15:00:00.250 GMT [7] LOG:  x", 0.25),
        ("2026-11-22 15:00:00 +0000] x", 0.0),
        ("at 2026-11-22T15:00:00Z", None),
        ("2026-13-22T15:00:00Z", None),
        ("2026-11-22", None),
        ("2026-11-22T15:00:00:17", None),
    ],
)
def test_the_time_that_a_line_begins_with(text: str, seconds: float | None) -> None:
    assert written_at(text) == (None if seconds is None else NOW + seconds)


def test_a_time_without_a_zone_is_this_machines() -> None:
    local = datetime.fromtimestamp(NOW, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert written_at(f"{local} x") == NOW


# the lines that there are


def test_lines_of_all_services_stand_behind_their_names(demo: Say, machine: FakeBackend) -> None:
    assert demo("up", "redis").code == 0
    stack = machine.observe()[0].stack
    machine.say(stack, "redis", "server", "ready")
    assert demo("logs").out == "ready\n"
    assert demo("add", "redis", "--as", "cache").code == demo("up", "cache").code == 0
    machine.say(stack, "cache", "server", "also ready")
    assert demo("logs").out == "redis | ready\ncache | also ready\n"
    assert demo("logs", "redis").out == "ready\n"
    assert demo("--json", "logs").json == {"logs": {"redis": ["ready"], "cache": ["also ready"]}}
    assert demo("logs", "mlflow").out == ""


def test_lines_with_times_are_in_the_order_of_time(demo: Say, machine: FakeBackend) -> None:
    demo("up", "redis")
    demo("add", "redis", "--as", "cache")
    demo("up", "cache")
    stack = machine.observe()[0].stack
    for service, line, at in (("redis", "one", 1.0), ("redis", "three", 3.0), ("cache", "two", 2.0)):
        machine.say(stack, service, "server", line, at)
    assert demo("logs").out == "redis | one\ncache | two\nredis | three\n"


def test_lines_are_filtered_and_the_last_of_those_that_fit_are_shown(demo: Say, machine: FakeBackend) -> None:
    demo("up", "redis")
    stack = machine.observe()[0].stack
    for number in range(200):
        machine.say(stack, "redis", "server", f"{'error' if number % 50 == 0 else 'info'} {number}")
    assert len(demo("logs", "redis").out.splitlines()) == 100
    assert demo("logs", "redis", "--grep", "^error").out == "error 0\nerror 50\nerror 100\nerror 150\n"
    assert demo("logs", "redis", "--grep", "ERR").out == ""
    assert demo("logs", "redis", "--grep", "(?i)ERR", "--lines", "1").out == "error 150\n"


def test_only_lines_since_a_time(demo: Say, machine: FakeBackend) -> None:
    demo("up", "redis")
    demo("add", "redis", "--as", "cache")
    demo("up", "cache")
    stack = machine.observe()[0].stack
    old, new = time.time() - 3600, time.time() - 5
    machine.say(stack, "redis", "server", "old", old)
    machine.say(stack, "redis", "server", f"{datetime.fromtimestamp(new, UTC).isoformat()} new")
    machine.say(stack, "redis", "server", "  and more of it")
    machine.say(stack, "cache", "server", "no time")
    said = demo("logs", "redis", "--since", "10m")
    assert [line[-3:] for line in said.out.splitlines()] == ["new", " it"]
    since = datetime.fromtimestamp(old - 10, UTC).astimezone().replace(tzinfo=None).isoformat()
    assert demo("logs", "redis", "--since", since).out.startswith("old\n")
    said = demo("logs", "--since", "2h")
    assert (said.code, said.err) == (0, "left out, since their lines have no time: cache\n")
    assert "no time" not in said.out
    said = demo("logs", "cache", "--since", "2h")
    assert (said.code, said.out) == (2, "")
    assert "the lines of cache have no time" in said.err


def test_nobody_finds_a_secret_by_a_filter(demo: Say, machine: FakeBackend) -> None:
    demo("up", "redis")
    secret = mlox.Stack().surroundings().store.get("redis.password").reveal()
    machine.say(machine.observe()[0].stack, "redis", "server", f"login with {secret}")
    assert demo("logs", "redis", "--grep", secret[:4]).out == ""
    assert demo("logs", "redis", "--grep", "login").out == "login with ***\n"
    assert PASSWORD not in demo("logs").out


# lines that are still to come


def test_several_services_are_followed_together(stack: mlox.Stack, speak: Callable[..., None]) -> None:
    speak("base", "early")
    with read(stack.follow(lines=1)) as line:
        first = line()
        assert (first.label, first.text) == ("base", "early")
        speak("redis", "from redis")
        assert line().label == "redis"
        speak("base", "from base")
        assert line().label == "base"
        speak("redis", "last")
    assert stack.logs("redis", lines=1) == ("last",)


def test_who_is_started_again_goes_on_and_who_comes_later_joins(
    stack: mlox.Stack, machine: FakeBackend, speak: Callable[..., None]
) -> None:
    with read(stack.follow()) as line:
        time.sleep(0.5)  # it shows what is written after it has begun
        speak("redis", "before")
        assert line().text == "before"
        machine.kill(stack.id or "", "redis", "server")
        speak("redis", "after")
        assert line().text == "after"
        stack.add("redis", "later")
        stack.up("later")
        speak("later", "joins")
        found = line()
        assert (found.service, found.text) == ("later", "joins")
        speak("base", "end")


def test_what_follows_is_masked_and_filtered(stack: mlox.Stack, speak: Callable[..., None]) -> None:
    secret = stack.surroundings().store.get("redis.password").reveal()
    speak("redis", "nothing", f"error: login with {secret}")
    import re

    from mlox.stack.following import Following
    from mlox.stack.logs import Wanted

    following = Following(stack.surroundings, ("redis",), Wanted(grep=re.compile("error")))
    with read(following.lines()) as line:
        assert line().text == "error: login with ***"
        speak("redis", "info", f"error again with {secret}")
        assert line().text == "error again with ***"
        speak("redis", "error: end")


def test_a_follower_that_is_closed_leaves_no_thread(stack: mlox.Stack, speak: Callable[..., None]) -> None:
    speak("redis", "one")
    lines = stack.follow(lines=1)
    assert next(lines).text == "one"
    assert any(thread.name.startswith("mlox-logs") for thread in threading.enumerate())
    lines.close()
    assert not any(thread.name.startswith("mlox-logs") for thread in threading.enumerate())


def test_a_wrong_name_is_told_before_the_first_line(stack: mlox.Stack) -> None:
    stack.add("redis")
    with pytest.raises(mlox.MloxError, match="unknown service 'rdis'"):
        stack.follow("rdis")
