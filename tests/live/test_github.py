"""The service github for real: a repository over SSH and HTTP, pulled, killed, changed here, and rewritten there."""

from __future__ import annotations

import base64
import functools
import http.server
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live import ssh_stage
from tests.live.support import Project, data_home, project, until

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("github")]

READER = """\
name: reader
version: "3"
summary: shows a file of a checkout
needs: {code: {capability: git-checkout}}
ports: {http: {port: 18300, scheme: http}}
units:
  server:
    native:
      binary: {name: python3, version_argv: [python3, --version], version_pattern: 'Python (.*)'}
      command: [python3, -m, http.server, --bind, "${bind}", --directory, "${need.code.path}", "${port.http}"]
    probe: {http: {port: http, path: /word}}
"""


@dataclass(frozen=True)
class Upstream:
    """A bare repository that others push to, and the clone from which they do."""

    bare: Path
    work: Path

    def git(self, *words: str) -> str:
        """What git says in the clone."""
        settings = ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(("git", *settings, *words), cwd=self.work, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def push(self, name: str, text: str, *words: str) -> str:
        """Write a file, commit and push it; the commit."""
        (self.work / name).write_text(text)
        self.git("add", name)
        self.git("commit", "-q", "-m", f"{name}: {text}", *words)
        self.git("push", "-q", "--force", "origin", "HEAD")
        subprocess.run(("git", "update-server-info"), cwd=self.bare, check=True)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder that the account of services may go through."""
    with data_home() as folder:
        yield folder


@pytest.fixture
def upstream(place: Path) -> Upstream:
    made = Upstream(place / "upstream.git", place / "work")
    subprocess.run(("git", "init", "-q", "--bare", "-b", "main", made.bare), check=True)
    subprocess.run(("git", "clone", "-q", made.bare, made.work), check=True, capture_output=True)
    made.git("checkout", "-q", "-B", "main")
    made.push("word", "first")
    return made


@pytest.fixture
def shop(place: Path, data_home: Path) -> Iterator[Project]:
    with project(place / "shop", data_home) as made:
        made.done("init", "demo")
        yield made


def checkout(shop: Project) -> Path:
    return Path(shop.json("env", "github", "--reveal")["env"]["GIT_CHECKOUT"])


def has(shop: Project, name: str, text: str) -> bool:
    path = checkout(shop) / name
    return path.exists() and path.read_text() == text


def told(shop: Project, words: str) -> bool:
    return words in shop.done("logs", "github") and shop.row("github")["status"] != "running"


def test_over_ssh_with_a_deploy_key(shop: Project, upstream: Upstream, place: Path) -> None:
    with ssh_stage.server(place / "sshd") as far, ssh_stage.server(place / "other") as other:
        url = f"ssh://{far.user}@127.0.0.1:{far.port}{upstream.bare}"
        key = far.key.read_text()
        right = far.known.read_text().strip()
        wrong = f"[127.0.0.1]:{far.port} {(other.folder / 'host.pub').read_text().strip()}"
        shop.done("add", "github", "--set", f"url={url}", "--set", f"known_hosts={wrong}", "--set", "interval=1")
        shop.done("secrets", "set", "github.key", stdin=key)
        refused = shop.mlox("up")
        assert refused.code == 1
        assert "Host key verification failed" in refused.err
        with watched() as commands:
            shop.done("up", "github", "--set", f"known_hosts={wrong};{right}")
            assert shop.row("github")["status"] == "running"
            assert has(shop, "word", "first")
            assert shop.json("up")["actions"] == []
            second = upstream.push("word", "second")
            until(lambda: has(shop, "word", "second"), 60)
        body = key.splitlines()[1]
        assert any(f"{far.port}" in command for command in commands)  # its ssh was seen
        assert not any(body in command for command in commands)
        assert body not in shop.done("logs", "github")
        files = [path for path in shop.data.rglob("*") if path.is_file() and body.encode() in path.read_bytes()]
        assert files
        assert all(path.stat().st_mode & 0o077 == 0 for path in files)
        assert second[:7] in shop.done("logs", "github")
        kill(shop)
        upstream.push("word", "third")
        until(lambda: has(shop, "word", "third") and shop.row("github")["status"] == "running", 120)


def test_what_is_here_is_not_overwritten_and_what_was_rewritten_is_told(shop: Project, upstream: Upstream) -> None:
    shop.done("up", "github", "--set", f"url=file://{upstream.bare}", "--set", "interval=1")
    folder = checkout(shop)
    (folder / "notes").write_text("mine")
    (folder / "word").write_text("edited here")
    upstream.push("other", "theirs")
    until(lambda: has(shop, "other", "theirs"), 60)
    upstream.push("word", "edited there")
    until(lambda: told(shop, "local changes are in the way"), 60)
    assert has(shop, "word", "edited here")
    (folder / "word").write_text("first")
    until(lambda: has(shop, "word", "edited there") and shop.row("github")["status"] == "running", 60)
    before = upstream.git("rev-parse", "HEAD")
    upstream.push("word", "rewritten", "--amend")
    until(lambda: told(shop, "the history of its branch was rewritten"), 60)
    assert has(shop, "word", "edited there")
    shop.done("up", "github", "--set", "rewritten=follow")
    assert has(shop, "word", "rewritten")
    assert has(shop, "notes", "mine")
    assert (folder / ".git" / "refs" / "mlox" / "before" / before).exists()
    upstream.git("tag", "v1", before)
    upstream.git("push", "-q", "origin", "v1")
    shop.done("up", "github", "--set", "ref=v1")
    assert has(shop, "word", "edited there")
    lost = shop.mlox("up", "github", "--set", "ref=nowhere")
    assert lost.code == 1
    assert "has no branch, tag or commit nowhere" in lost.err


def test_a_consumer_gets_the_path_and_a_backup_the_checkout(shop: Project, upstream: Upstream) -> None:
    (shop.folder / "services").mkdir()
    (shop.folder / "services" / "reader.yaml").write_text(READER)
    shop.done("add", "github", "--set", f"url=file://{upstream.bare}", "--set", "interval=0")
    shop.done("add", "reader")
    shop.done("up")
    url = shop.row("reader")["url"]
    read = ("python3", "-c", f"import urllib.request as u; print(u.urlopen('{url}/word').read().decode())")
    assert shop.run(*read).out == "first\n"
    upstream.push("word", "second")
    assert shop.run(*read).out == "first\n"
    shop.done("restart", "github")
    until(lambda: shop.run(*read).out == "second\n")
    (checkout(shop) / "notes").write_text("mine")
    kept = str(shop.home / "kept")
    shop.done("backup", "github", "--to", kept)
    shop.done("down", "github", "--purge", "-y")
    shop.done("restore", "github", "--from", kept, "-y")
    assert has(shop, "notes", "mine")
    assert shop.json("up")["actions"] == []


def test_over_http_with_a_token(shop: Project, upstream: Upstream) -> None:
    token = "t0ken-of-a-deployment"
    with served(upstream.bare, token) as url:
        shop.done("add", "github", "--set", f"url={url}", "--set", "interval=1")
        refused = shop.mlox("up")
        assert refused.code == 1
        assert "cannot be fetched" in refused.err
        shop.done("secrets", "set", "github.token", stdin=token)
        shop.done("up")
        upstream.push("word", "second")
        until(lambda: has(shop, "word", "second"), 60)
        assert token not in shop.done("logs", "github")


def test_a_password_in_the_address_is_refused(shop: Project) -> None:
    said = shop.mlox("add", "github", "--set", "url=https://ada:hunter22@example.org/a.git")
    assert said.code == 2
    assert "does not match" in said.err


def kill(shop: Project) -> None:
    """End its main process, and wait until another one runs."""
    before = {process.pid for process in shop.runs("follow.sh")}
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: {process.pid for process in shop.runs("follow.sh")} - before, 60)


@contextmanager
def watched() -> Iterator[set[str]]:
    """The commands of all processes that are seen meanwhile."""
    seen: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.01):
            for process in psutil.process_iter(["cmdline"]):
                seen.add(" ".join(process.info["cmdline"] or ()))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        ended.set()
        looking.join()


class Asking(http.server.SimpleHTTPRequestHandler):
    """Files for those who send a token as their password."""

    token = ""

    def do_GET(self) -> None:
        login = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        if self.headers.get("Authorization") == f"Basic {login}":
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="repository"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        """Says nothing."""


@contextmanager
def served(bare: Path, token: str) -> Iterator[str]:
    """A repository by git's plain HTTP; its address."""
    handler = functools.partial(type("Handler", (Asking,), {"token": token}), directory=str(bare.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/{bare.name}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
