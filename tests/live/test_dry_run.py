"""A dry run of any verb changes no file and no process: looked at before and after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.support import Project, data_home, project, snapshot


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack with one service that runs, one that is stopped, one that is only written, and one not in the file."""
    with data_home() as home, project(tmp_path_factory.mktemp("shop"), home) as made:
        made.done("init", "demo")
        for name in ("runs", "stopped", "unlisted"):
            made.done("up", "redis", "--as", name)
        made.done("down", "stopped")
        made.done("add", "redis", "--as", "written")
        made.done("secrets", "set", "TOKEN", "--generate", "20")
        path = made.folder / "mlox.yaml"
        before, _, rest = path.read_text().partition("  unlisted:\n")
        path.write_text(before + rest[rest.index("  written:") :])
        (home / "environments" / "abandoned").mkdir(parents=True)
        (home / "environments" / "abandoned" / "file").write_text("x")
        yield made


def world(shop: Project) -> tuple[object, ...]:
    """Every file but what the running services themselves write, and every process."""
    files = {
        name: seen
        for name, seen in snapshot(shop.folder, shop.home).items()
        if not any(part in name for part in ("/services/", "/logs/", "supervisord.log"))
    }
    return files, sorted((p.pid, tuple(p.cmdline())) for p in shop.processes())


@pytest.mark.parametrize(
    "line",
    [
        "init",
        "add redis --as fresh",
        "add mlflow",
        "remove stopped",
        "up",
        "up written",
        "up stopped",
        "up redis --as fresh",
        "up mlflow",
        "up runs --set maxmemory_mb=32",
        "up --prune",
        "up --detach",
        "down",
        "down runs --purge",
        "down --purge",
        "restart",
        "restart runs",
        "secrets set TOKEN",
        "secrets set OTHER --generate 20",
        "secrets remove TOKEN",
        "clean",
        "run runs -- touch touched",
    ],
)
def test_nothing_changes(shop: Project, line: str) -> None:
    before = world(shop)
    words = line.split()
    cut = words.index("--") if "--" in words else len(words)
    for flags in (["--dry-run"], ["--dry-run", "--json"]):
        said = shop.mlox(*words[:cut], *flags, *words[cut:], stdin="some value of a secret")
        assert said.code == 0, said
        assert said.out
    assert world(shop) == before
    assert not (shop.folder / "touched").exists()


def test_nothing_is_made_in_an_empty_folder(shop: Project, tmp_path: Path) -> None:
    empty = Project(tmp_path / "empty", tmp_path / "home")
    empty.folder.mkdir()
    for line in ("init demo", "add redis", "up redis", "up mlflow"):
        assert empty.mlox(*line.split(), "--dry-run").code == 0
    assert list(empty.folder.iterdir()) == []
    assert not empty.home.exists()
    del shop
