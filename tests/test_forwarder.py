"""How connections are passed on: both directions, each end by itself, no more in memory than a little."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlox.resolve import forwarder

GATEWAY = "127.0.0.9"
"""Stands for an engine's gateway: an address of this machine besides 127.0.0.1."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.9 is no address of this machine")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def passing_on(port: int) -> Iterator[psutil.Process]:
    """The script as its unit runs it."""
    argv = (sys.executable, "-I", "-S", forwarder.__file__, GATEWAY, str(port), str(port))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{GATEWAY}:{port} -> 127.0.0.1:{port}\n"
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            assert process.stdout.read() == ""


@contextlib.contextmanager
def provider(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A service on loopback that treats each connection like that."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=served, args=(connection,), daemon=True).start()

        def served(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                serve(connection)

        threading.Thread(target=work, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def read(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def client(port: int) -> socket.socket:
    return socket.create_connection((GATEWAY, port), timeout=20)


def digest_of_all(connection: socket.socket) -> None:
    """Answers after the end of what was sent: a half-closed connection."""
    connection.sendall(hashlib.sha256(read(connection)).digest())


def test_what_is_sent_arrives_and_the_answer_comes_after_the_end_of_it() -> None:
    content = os.urandom(8_000_000)
    with provider(digest_of_all) as port, passing_on(port), client(port) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        assert read(connection) == hashlib.sha256(content).digest()


def test_a_provider_that_ends_first_still_hears_what_comes() -> None:
    heard: list[bytes] = []

    def greets_and_listens(connection: socket.socket) -> None:
        connection.sendall(b"hello")
        connection.shutdown(socket.SHUT_WR)
        heard.append(read(connection))

    with provider(greets_and_listens) as port, passing_on(port), client(port) as connection:
        assert read(connection) == b"hello"
        connection.sendall(b"still here")
        connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            time.sleep(0.01)
    assert heard == [b"still here"]


def test_many_at_the_same_time_do_not_mix() -> None:
    def echo(connection: socket.socket) -> None:
        while chunk := connection.recv(1 << 16):
            connection.sendall(chunk)

    with provider(echo) as port, passing_on(port), contextlib.ExitStack() as stack:
        connections = [stack.enter_context(client(port)) for _ in range(40)]
        for round_ in range(3):
            for number, connection in enumerate(connections):
                connection.sendall(f"{round_}.{number};".encode() * 100)
            for number, connection in enumerate(connections):
                expected = f"{round_}.{number};".encode() * 100
                assert connection.recv(len(expected), socket.MSG_WAITALL) == expected


def test_a_receiver_that_does_not_read_holds_the_sender_up_and_fills_no_memory() -> None:
    released = threading.Event()
    sent = 0

    def reads_nothing(_: socket.socket) -> None:
        released.wait(30)

    def send_all(connection: socket.socket) -> None:
        nonlocal sent
        while sent < 1 << 30:
            sent += connection.send(b"x" * (1 << 20))

    with provider(reads_nothing) as port, passing_on(port) as process, client(port) as connection:
        before = process.memory_info().rss
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            send_all(connection)
        assert process.memory_info().rss - before < 8 << 20
        assert sent < 64 << 20
        released.set()


def test_without_a_provider_a_connection_is_broken_off_at_once() -> None:
    port = free_port()
    with passing_on(port), client(port) as connection:
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        assert time.monotonic() - began < 5


def test_a_client_that_breaks_off_frees_the_provider() -> None:
    ended = threading.Event()

    def waits(connection: socket.socket) -> None:
        with contextlib.suppress(ConnectionResetError):
            read(connection)
        ended.set()

    with provider(waits) as port, passing_on(port):
        connection = client(port)
        connection.sendall(b"half a")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
        assert ended.wait(10)


def test_a_provider_that_comes_back_is_reached_again() -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"again")

    with provider(greet) as port, passing_on(port):
        with client(port) as connection:
            assert read(connection) == b"again"
        with client(port) as connection:
            assert read(connection) == b"again"


def test_a_port_that_is_taken_is_told_without_a_traceback() -> None:
    with socket.create_server((GATEWAY, 0)) as taken:
        port = taken.getsockname()[1]
        said = subprocess.run(
            (sys.executable, forwarder.__file__, GATEWAY, str(port), "1"), capture_output=True, text=True, check=False
        )
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == f"cannot listen on {GATEWAY}:{port}: Address already in use\n"


def test_the_script_stands_alone() -> None:
    source = Path(forwarder.__file__).read_text("utf-8")
    assert "import mlox" not in source
    assert "from mlox" not in source
