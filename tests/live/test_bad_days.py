"""What may go wrong with the real thing: services that die, ports that are taken, disks and keys that are not there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.live.support import LEAK, MLOX, Project, data_home, project, snapshot, until

ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


@pytest.fixture
def shop(data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path / "shop", data_home) as made:
        made.done("init", "demo")
        yield made


def doctor(shop: Project) -> dict[str, str]:
    """The state of each check."""
    said = shop.mlox("doctor", "--json")
    checks = {check["name"]: check["state"] for check in said.json()["checks"]}
    assert said.code == (1 if "fail" in checks.values() else 0)
    return checks


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
    error = shop.mlox("up", "page", "--json").error()
    assert error["type"] == "ServiceError"
    logs = shop.done("logs", "page")
    assert "my token is *** indeed" in logs
    assert token not in said.err + str(error) + logs
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
    assert "mlox logs page" in said.err.splitlines()[-1]
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
    said = shop.mlox("up")
    assert said.code == 3
    assert "reached: redis; failed: page" in said.err
    assert shop.row("redis")["status"] == "running"
    assert shop.mlox("up", "--json").error()["type"] == "PartialError"


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


# Disks


@contextlib.contextmanager
def mounted(target: Path, *options: str) -> Iterator[None]:
    """Something mounted on a folder."""
    subprocess.run(["mount", *options, str(target)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True, capture_output=True)


@contextlib.contextmanager
def small_home(size: str) -> Iterator[Path]:
    """A data home on a disk of that size."""
    with data_home() as home, mounted(home, "-t", "tmpfs", "-o", f"size={size},mode=0711", "tmpfs"):
        yield home


def fill(folder: Path) -> Path:
    """A file that leaves not a byte."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return path


@ONLY_ROOT
def test_a_disk_that_is_too_small_is_seen_before_anything_changes(tmp_path: Path) -> None:
    with small_home("8m") as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        before = snapshot(shop.folder)
        for words in ("up mlflow", "up mlflow --dry-run"):
            said = shop.mlox(*words.split(), "--json")
            assert said.code == 1
            error = said.error()
            assert error["type"] == "RequirementError"
            assert "mlflow takes about 1.2 GB of disk; local has 0.0 GB" in error["problem"]
        assert snapshot(shop.folder) == before
        assert doctor(shop)["data home"] == "warn"


@ONLY_ROOT
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Everything that writes says so; what runs goes on; with some space the same command succeeds."""
    with small_home("64m") as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        shop.done("up", "redis")
        pids = [process.pid for process in shop.runs("redis-server")]
        shop.write_page()
        ballast = fill(home)
        for words in ("up page", "secrets set TOKEN", "up redis --as other"):
            said = shop.mlox(*words.split(), stdin="some value of a secret")
            assert said.code == 1, words
            assert "space" in said.err or "of disk" in said.err, said.err
            assert said.err.splitlines()[-1].startswith("hint: ")
        shop.done("status")
        shop.done("plan")
        ballast.unlink()
        shop.done("up")
        assert {row["status"] for row in shop.json("status")["services"]} == {"running"}
        assert shop.json("up")["actions"] == []
        assert [process.pid for process in shop.runs("redis-server")][:1] == pids


@ONLY_ROOT
def test_an_installation_that_fills_the_disk(tmp_path: Path) -> None:
    """A half-built environment is not used: with space the same command builds it."""
    with small_home("3m") as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        shop.write_page(packages="pydantic-core")
        said = shop.mlox("up", "page")
        assert said.code == 1
        assert "space" in said.err
        assert "Free some" in said.err.splitlines()[-1]
        subprocess.run(["mount", "-o", "remount,size=300m", str(home)], check=True)
        shop.done("up", "page")
        assert shop.row("page")["status"] == "running"
        assert len(list((home / "environments").glob("*/complete.json"))) == 1


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that cannot be written, not even by root."""
    if os.geteuid() != 0:
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield


def test_a_workspace_that_cannot_be_written(shop: Project) -> None:
    """Nothing half is left; what is written runs and stops all the same."""
    shop.done("add", "redis")
    before = snapshot(shop.folder)
    with read_only(shop.folder):
        for words in ("add mlflow", "up redis --as other", "remove redis", "up redis --set maxmemory_mb=9"):
            said = shop.mlox(*words.split(), "--json")
            assert said.code == 1, words
            error = said.error()
            assert error["type"] == "WorkspaceError"
            assert "cannot write" in error["problem"]
            assert "writable" in error["hint"]
        assert shop.row("redis")["status"] == "absent"
        shop.done("up")
        assert shop.row("redis")["status"] == "running"
        assert shop.json("up")["actions"] == []
        assert doctor(shop)["workspace"] == "warn"
        shop.done("down")
    assert snapshot(shop.folder) == before


def test_a_folder_that_cannot_become_a_workspace(data_home: Path, tmp_path: Path) -> None:
    with read_only(tmp_path):
        shop = Project(tmp_path, data_home)
        for words in ("init demo", "add redis", "up redis"):
            said = shop.mlox(*words.split(), "--json")
            assert said.code == 1
            assert said.error()["type"] == "WorkspaceError"
    assert list(tmp_path.iterdir()) == []


def test_a_data_home_that_cannot_be_written(tmp_path: Path) -> None:
    with data_home() as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        shop.done("add", "redis")
        with read_only(home):
            for words in ("up", "secrets set TOKEN", "add mlflow"):
                said = shop.mlox(*words.split(), stdin="some value of a secret")
                assert said.code == 1
                assert str(home) in said.err
                assert said.err.splitlines()[-1].startswith("hint: ")
            assert doctor(shop)["data home"] == "fail"
            shop.done("status")
            shop.done("plan")
        assert "mlflow" not in (shop.folder / "mlox.yaml").read_text()


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
        shop.done("status")
        shop.done("down")
        (home / "identity").write_bytes(good)
        shop.done("up")
        assert shop.password("redis") == password
