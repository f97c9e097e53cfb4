"""What may go wrong with real disks: too small, full, or not to be written at all."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.support import Project, data_home, project, snapshot

ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


def doctor(shop: Project) -> dict[str, str]:
    """The state of each check."""
    said = shop.mlox("doctor", "--json")
    checks = {check["name"]: check["state"] for check in said.json()["checks"]}
    assert said.code == (1 if "fail" in checks.values() else 0)
    return checks


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
