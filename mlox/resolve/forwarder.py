"""Passes TCP connections on from one address of this machine to a port of its loopback; a unit of its own runs it.

Standalone, standard library only: ``forwarder.py HOST PORT TARGET`` listens on HOST:PORT and connects to
127.0.0.1:TARGET. The end of what one side sends is passed on, and the other direction stays open. Where nobody listens
on TARGET, a connection is reset at once: whoever connects can tell that from a service that says nothing.
"""

from __future__ import annotations

import asyncio
import socket
import sys

WAITING_BYTES = 65536
"""How much may wait for a slow receiver, in each direction; the sender is held up beyond that."""

QUIET_S = 60
"""After so long without a byte, the other end is asked whether it is there: a killed container says no goodbye."""

FREEBIND = 15
"""IP_FREEBIND of ip(7): the address may come later, when the engine makes its bridge again."""


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until its end, then that end."""
    while chunk := await reader.read(WAITING_BYTES):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int) -> None:
    """Serve one connection until both directions have ended, or one side broke off."""
    ends = [writer]
    try:
        there, to_there = await asyncio.open_connection("127.0.0.1", target, limit=WAITING_BYTES)
        ends.append(to_there)
        for end in ends:
            end.transport.set_write_buffer_limits(high=WAITING_BYTES)
            keep_asking(end.get_extra_info("socket"))
        async with asyncio.TaskGroup() as both:
            both.create_task(pump(reader, to_there))
            both.create_task(pump(there, writer))
    except* OSError:
        for end in ends:
            end.transport.abort()
    finally:
        for end in ends:
            end.close()


def keep_asking(connection: socket.socket) -> None:
    """Notice an end that is gone without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, QUIET_S)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there, IPv4."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform == "linux":
        made.setsockopt(socket.IPPROTO_IP, FREEBIND, 1)
    made.bind((host, port))
    return made


async def serve(host: str, port: int, target: int) -> None:
    """Accept connections until the process is ended."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await forward(reader, writer, target)

    server = await asyncio.start_server(serve_one, sock=listening(host, port), limit=WAITING_BYTES)
    print(f"{host}:{port} -> 127.0.0.1:{target}", flush=True)
    async with server:
        await server.serve_forever()


def main(words: list[str]) -> int:
    """Run it with HOST, PORT and TARGET."""
    host, port, target = words
    try:
        asyncio.run(serve(host, int(port), int(target)))
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
