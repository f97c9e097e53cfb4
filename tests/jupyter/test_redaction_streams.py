"""Streams of several cells and threads, in any parts and any order: each comes out whole, redacted, and all at idle."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.session import Session

from mlox.matching import COLOURS, Matcher
from mlox.secret import Secret, made_values
from mlox_jupyter.redaction import Redaction

pytestmark = pytest.mark.slow

VALUES = ("abcabcab", "aabbccddee", 'ab"ab"ab')
PARENTS, NAMES = ("one", "two"), ("stdout", "stderr")


class Wire:
    """A socket that keeps what is sent: the kind, the request, the content."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.last: list[bytes] = []

    def send_multipart(self, parts: list[bytes], copy: bool = True) -> None:
        self.last = parts
        header, parent, _, content = (json.loads(part) for part in parts[parts.index(b"<IDS|MSG>") + 2 :][:4])
        self.sent.append((header["msg_type"], parent.get("msg_id", ""), content))

    def shown(self, parent: str, name: str) -> str:
        """What a reader sees of one stream of one request."""
        streams = [c for kind, about, c in self.sent if kind == "stream" and about == parent]
        return "".join(content["text"] for content in streams if content["name"] == name)


class Bench:
    """A real session with the guard, whose messages go nowhere."""

    def __init__(self) -> None:
        for value in VALUES:
            Secret(value)
        self.session: Any = Session()
        self.wire = Wire()
        events = SimpleNamespace(register=lambda *_: None, unregister=lambda *_: None)
        self.redaction = Redaction(SimpleNamespace(kernel=SimpleNamespace(session=self.session), events=events))  # type: ignore[arg-type]
        self.redaction.register()
        self.send("status", {"execution_state": "busy"}, "one")
        self.send("status", {"execution_state": "busy"}, "two")

    def send(self, kind: str, content: dict[str, Any], parent: str) -> None:
        self.session.send(self.wire, kind, content, parent={"msg_id": parent})

    def text(self, text: str, parent: str, name: str = "stdout") -> None:
        self.send("stream", {"name": name, "text": text}, parent)


PIECES = st.text(alphabet='abcde" \n\x1b[3m', max_size=12) | st.sampled_from(VALUES)


@given(st.lists(st.tuples(PIECES, st.sampled_from(PARENTS), st.sampled_from(NAMES)), max_size=25))
def test_streams_in_any_order_come_out_whole_and_redacted(written: list[tuple[str, str, str]]) -> None:
    bench = Bench()
    for text, parent, name in written:
        bench.text(text, parent, name)
    for parent in PARENTS:
        bench.send("status", {"execution_state": "idle"}, parent)
    matcher = Matcher.of(made_values())
    for parent in PARENTS:
        for name in NAMES:
            whole = "".join(text for text, about, stream in written if (about, stream) == (parent, name))
            assert bench.wire.shown(parent, name) == matcher.redacted(whole, COLOURS)
    idle = [index for index, message in enumerate(bench.wire.sent) if message[2] == {"execution_state": "idle"}]
    assert not [m for m in bench.wire.sent[idle[0] :] if m[0] == "stream" and m[1] == "one"]


@given(st.lists(PIECES, max_size=10), st.integers(0, 10))
def test_taking_the_guard_out_releases_what_is_held(written: list[str], at: int) -> None:
    bench = Bench()
    for text in written[:at]:
        bench.text(text, "one")
    bench.redaction.unregister()
    for text in written[at:]:
        bench.text(text, "one")
    before, after = "".join(written[:at]), "".join(written[at:])
    assert bench.wire.shown("one", "stdout") == Matcher.of(made_values()).redacted(before, COLOURS) + after
    assert "send" not in vars(bench.session)


@pytest.mark.parametrize(
    "kind", ["execute_input", "display_data", "comm_msg", "error", "clear_output", "shutdown_reply"]
)
def test_what_is_held_comes_before_what_is_sent_next(kind: str) -> None:
    bench = Bench()
    bench.text("say abc", "one")
    bench.send(kind, {}, "one")
    assert [message[0] for message in bench.wire.sent[2:]] == ["stream", "stream", kind]
    assert bench.wire.shown("one", "stdout") == "say abc"


def test_a_message_of_another_request_releases_nothing_but_the_end_of_all_does() -> None:
    bench = Bench()
    bench.text("abc", "one")
    bench.send("display_data", {"data": {}}, "two")
    assert bench.wire.shown("one", "stdout") == ""
    bench.send("shutdown_reply", {}, "two")
    assert bench.wire.shown("one", "stdout") == "abc"


def test_many_threads_at_once_lose_nothing() -> None:
    bench = Bench()
    text = f"say {VALUES[1]} and abc\n" * 40

    def write(parent: str) -> None:
        for character in text:
            bench.text(character, parent)

    names = [f"thread {number}" for number in range(8)]
    for name in names:
        bench.send("status", {"execution_state": "busy"}, name)
    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        bench.send("status", {"execution_state": "idle"}, name)
        assert bench.wire.shown(name, "stdout") == "say *** and abc\n" * 40


def test_a_message_that_is_sent_whole_is_left_as_it_was() -> None:
    bench = Bench()
    data = {"text/plain": VALUES[0], "application/json": {VALUES[0]: [VALUES[0], 1, None]}}
    message = bench.session.msg("display_data", {"data": data, "metadata": {}, "transient": {"display_id": "abcabcab"}})
    bench.session.send(bench.wire, message)
    assert data["text/plain"] == VALUES[0]
    assert bench.wire.sent[-1][2] == {
        "data": {"text/plain": "***", "application/json": {"***": ["***", 1, None]}},
        "metadata": {},
        "transient": {"display_id": "abcabcab"},
    }


def test_a_binary_part_keeps_its_length() -> None:
    bench = Bench()
    bench.session.send(
        bench.wire, "comm_msg", {"data": {}}, buffers=[b"\xff" + VALUES[0].encode(), memoryview(b"\0\1")]
    )
    assert bench.wire.last[-2:] == [b"\xff********", b"\0\1"]


def test_what_a_thread_writes_after_its_cell_starts_one_timer_and_not_one_a_text() -> None:
    bench = Bench()
    before = threading.active_count()
    for _ in range(50):
        bench.text("abc", "ended")
        bench.text("abd", "ended")
    assert threading.active_count() <= before + 1
    bench.redaction.unregister()
    assert bench.wire.shown("ended", "stdout") == "abcabd" * 50
