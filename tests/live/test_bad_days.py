"""What may go wrong with the real thing: services that die, ports that are taken, keys that are not there."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.live.support import LEAK, MLOX, Project, data_home, project, until

# Services


def test_a_service_that_dies_at_start(shop: Project) -> None:
    """Its last lines are told, the secret in them masked; mended, the same command goes on."""
    shop.write_page(code=f"{LEAK}; sys.exit(3)")
    said = shop.mlox("up", "page")
    token = shop.password("page", "token")
    assert (said.code, said.out) == (1, "")
    assert "page died at start" in said.err
    assert "exit status 3" in said.err
    assert "my token is *** indeed" in said.err
    assert said.err.splitlines()[-1].startswith("hint: ")
    logs = shop.done("logs", "page")
    assert "my token is *** indeed" in logs
    assert token not in said.err + logs
    assert shop.row("page")["status"] == "stopped"
    assert shop.runs("page.py") == []
    shop.write_page(code="pass")
    shop.done("up", "page")
    assert shop.password("page", "token") == token
    assert shop.row("page")["status"] == "running"


def test_a_service_that_never_becomes_healthy(shop: Project) -> None:
    shop.write_page(code=f"{LEAK}; time.sleep(1000)", wait=2)
    began = time.monotonic()
    said = shop.mlox("up", "page")
    assert time.monotonic() - began < 30
    assert said.code == 1
    assert "page is not healthy after" in said.err
    assert "my token is *** indeed" in said.err
    assert "mlox why page" in said.err.splitlines()[-1]
    assert shop.password("page", "token") not in said.err
    assert shop.row("page")["status"] == "unhealthy"
    assert shop.mlox("status", "--exit-code").code == 4
    shop.done("down", "page")
    assert shop.processes() == []


def test_one_of_several_fails(shop: Project) -> None:
    """The others are reached, what failed is named, and the exit code says: part of it."""
    shop.write_page(code="sys.exit(3)")
    shop.done("add", "page")
    shop.done("add", "redis")
    said = shop.mlox("up", "--json")
    assert said.code == 3
    error = said.error()
    assert error["type"] == "PartialError"
    assert "reached: redis; failed: page" in error["problem"]
    assert shop.row("redis")["status"] == "running"


# Ports


class _Foreign(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextlib.contextmanager
def somebody_else(port: int) -> Iterator[None]:
    """Somebody else's page on that port: it answers every question with 200."""
    with ThreadingHTTPServer(("127.0.0.1", port), _Foreign) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_a_port_in_use_is_avoided_and_then_kept(shop: Project) -> None:
    shop.write_page()
    with somebody_else(18200):
        shop.done("up", "page")
        url = shop.row("page")["url"]
        assert url != "http://127.0.0.1:18200"
        text = (shop.folder / "mlox.yaml").read_text()
        asked = "  asked:\n    service: page\n    ports: {http: 18200}\n  page:"
        (shop.folder / "mlox.yaml").write_text(text.replace("  page:", asked))
        said = shop.mlox("up", "asked")
        assert said.code == 1
        assert "the port 18200 that mlox.yaml asks for is in use" in said.err
    shop.done("restart", "page")
    assert shop.row("page")["url"] == url


def test_a_port_taken_after_the_start(shop: Project) -> None:
    """Before the service listens somebody else takes its port, and even answers the probe."""
    shop.write_page()
    process = shop.process(*MLOX, "up", "page", "--set", "patience=2")
    until(lambda: (shop.folder / "mlox.yaml").exists() and shop.runs("page.py"))
    with somebody_else(18200):
        out, err = process.communicate(timeout=60)
        if process.returncode:
            assert out == ""
            assert "error: page" in err
            assert "18200 (http) is taken by process" in err
            assert shop.row("page")["status"] == "stopped"
            shop.done("up", "page")
        row = shop.row("page")
    assert row["status"] == "running"
    assert row["url"] != "http://127.0.0.1:18200"


# Keys


def test_an_identity_that_is_broken(tmp_path: Path) -> None:
    """What runs goes on and can be stopped; what needs a secret says where to mend it."""
    with data_home() as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        shop.done("up", "redis")
        password = shop.password("redis")
        good = (home / "identity").read_bytes()
        (home / "identity").write_bytes(b"AGE-SECRET-KEY-1NONSENSE\n")
        for words in ("env redis", "logs redis", "up redis --as other", "secrets get redis.password", "restart"):
            said = shop.mlox(*words.split())
            assert said.code == 1, words
            assert f"the identity {home / 'identity'} is broken" in said.err
        assert shop.row("redis")["status"] == "running"
        shop.done("down")
        (home / "identity").write_bytes(good)
        shop.done("up")
        assert shop.password("redis") == password
