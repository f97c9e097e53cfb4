"""Registries for tests: a folder that is published, a git repository of it, and a web server on loopback below it."""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mlox.components.index import entries_of, write_index
from mlox.registries.folder import FolderRegistry

Components = Mapping[str, Mapping[str, bytes]]


def lay_out(folder: Path, components: Components) -> Path:
    """Write components as their authors do; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, files in components.items():
        for path, content in files.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return folder


def publish(folder: Path, components: Components) -> Path:
    """The same, with a ``registry.json`` that is right."""
    lay_out(folder, components)
    (folder / "registry.json").write_bytes(write_index(entries_of(FolderRegistry(folder))))
    return folder


def git(folder: Path, *argv: str) -> str:
    """Run git in a folder, with nothing of the user's own settings."""
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(["git", *argv], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, *, tag: str = "") -> str:
    """Commit all that is in a folder, which becomes a repository; returns the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=components")
    if tag:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and keeps the headers of what it was asked."""

    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base calls it so
        """Say nothing."""


@contextlib.contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A web server on loopback, with a ``context`` one that speaks TLS; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True)
    thread.start()
    try:
        host = "http://127.0.0.1" if context is None else "https://localhost"
        yield f"{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def served(
    folder: Path, context: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A folder on a web server: its address, and what was asked of it so far."""
    asked: list[tuple[str, dict[str, str]]] = []
    handler = type("Handler", (Quiet,), {"asked": asked})
    with serving(partial(handler, directory=str(folder)), context) as url:
        yield url, asked


def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> type[BaseHTTPRequestHandler]:
    """A web server that answers everything by one function."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base calls it so
            """Say nothing."""

    return Handler


def says(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Length": str(len(body))} | named).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def raw(*parts: bytes, pause_s: float = 0.0, times: int = 1) -> Callable[[BaseHTTPRequestHandler], None]:
    """Bytes as they are, some of them again and again until nobody listens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        try:
            for part in parts[:-1]:
                handler.wfile.write(part)
            for _ in range(times):
                handler.wfile.write(parts[-1])
                time.sleep(pause_s)
        except OSError:
            handler.close_connection = True

    return answer
