"""A real service that is changed to one that cannot run: what ran before is back, with its data, and both are told."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.support import Project, data_home, project
from tests.live.test_bad_disks import ONLY_ROOT, mounted
from tests.live.test_two_stacks import talk


def test_a_page_that_dies_in_its_new_form_runs_again_and_its_neighbour_goes_on(shop: Project) -> None:
    shop.done("up", "redis")
    password = shop.password("redis")
    assert talk(shop, "redis", password, "SET whose mine") == ["+OK", "+OK"]
    catalog = shop.folder / "services"
    catalog.mkdir()
    shop.write_page("page", code="import pathlib; pathlib.Path('data/words').write_text('mine')", port=18300)
    shop.done("up", "page")
    before = (catalog / "page.yaml").read_text()
    shop.write_page(
        "page", code="import pathlib; pathlib.Path('data/words').write_text('theirs'); sys.exit(3)", port=18300
    )
    plan = shop.json("plan", "page")
    assert [(action["kind"], action["undo"]) for action in plan["actions"]] == [("replace", "unit")]
    said = shop.mlox("up", "page")
    assert said.code == 1
    assert "page died at start" in said.err
    assert "page runs again as before" in said.err
    assert shop.row("page")["status"] == "running"
    assert len(shop.runs("page.py")) == 1
    assert talk(shop, "redis", password, "GET whose") == ["+OK", "mine"]
    (catalog / "page.yaml").write_text(before)
    assert shop.json("up")["actions"] == []


def stateful(shop: Project, port: int, code: str) -> None:
    """A page that keeps its data, of which a copy is made."""
    shop.write_page("page", code=code, port=port)
    path = shop.folder / "services" / "page.yaml"
    path.write_text(path.read_text().replace("    native:\n", "    stateful: true\n    native:\n", 1))


WRITES = "import pathlib; pathlib.Path(sys.argv[0]).parents[1].joinpath('data/words').write_text({text!r}); {then}"


def test_the_data_of_what_failed_is_put_aside(shop: Project) -> None:
    stateful(shop, 18310, WRITES.format(text="mine", then="pass"))
    shop.done("up", "page")
    words = shop.data / "services" / "page" / "data" / "words"
    assert words.read_text() == "mine"
    owner = words.stat().st_uid
    stateful(shop, 18310, WRITES.format(text="theirs", then="sys.exit(3)"))
    said = shop.mlox("up", "page", "--json")
    assert said.code == 1
    error = said.error()
    assert error["type"] == "RolledBackError"
    aside = shop.data / "kept" / "page.failed" / "data" / "words"
    assert f"what the failed one made of it is in {aside.parents[1]}" in error["problem"]
    assert (words.read_text(), words.stat().st_uid) == ("mine", owner)
    assert aside.read_text() == "theirs"
    stateful(shop, 18310, WRITES.format(text="ours", then="pass"))
    shop.done("up", "page")
    assert words.read_text() == "ours"
    assert not aside.exists()
    assert shop.json("up")["actions"] == []


@contextlib.contextmanager
def small_disk(size: str) -> Iterator[Path]:
    with data_home() as home, mounted(home, "-t", "tmpfs", "-o", f"size={size},mode=0711", "tmpfs"):
        yield home


@ONLY_ROOT
def test_where_there_is_no_room_for_a_copy_that_is_told_and_the_old_one_runs_again(tmp_path: Path) -> None:
    with small_disk("64m") as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        stateful(shop, 18320, WRITES.format(text="mine", then="pass"))
        shop.done("up", "page")
        data = shop.data / "services" / "page" / "data"
        with (data / "ballast").open("wb") as file:
            file.write(os.urandom(40 << 20))
        stateful(shop, 18320, WRITES.format(text="theirs", then="sys.exit(3)"))
        said = shop.mlox("up", "page")
        assert said.code == 1
        assert "no copy of its data is kept: it takes 0.04 GB, and 0.0" in said.err
        assert "page runs again as before" in said.err
        assert "its data is as the failed one left it, since there was no copy" in said.err
        assert shop.row("page")["status"] == "running"
        (data / "ballast").unlink()


@ONLY_ROOT
@pytest.mark.parametrize("size", [200, 2000])
def test_a_disk_that_fills_up_during_an_update_loses_nothing(tmp_path: Path, size: int) -> None:
    with small_disk("32m") as home, project(tmp_path / "shop", home) as shop:
        shop.done("init", "demo")
        stateful(shop, 18330, WRITES.format(text="mine", then="pass"))
        shop.done("up", "page")
        free = os.statvfs(home).f_bavail * os.statvfs(home).f_frsize
        ballast = home / "ballast"
        with ballast.open("wb") as file:
            file.write(b"x" * max(free - size * 10, 0))
        stateful(shop, 18330, WRITES.format(text="ours", then="pass"))
        said = shop.mlox("up", "page")
        assert said.code in (0, 1)
        ballast.unlink()
        shop.done("up", "page")
        words = shop.data / "services" / "page" / "data" / "words"
        assert words.read_text() == "ours"
        assert shop.json("up")["actions"] == []
        assert subprocess.run(["ls", "-A", str(shop.data / "kept")], capture_output=True, check=False).stdout == b""
