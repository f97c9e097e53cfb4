"""Two kernels and a shell that ``up`` one stack at once: one holder at a time, nothing twice, nothing lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlox.documents import load
from tests.jupyter.cells import Kernel
from tests.live.support import MLOX, Project, data_home, project
from tests.live.test_two_stacks import talk

ROUNDS = 8
SERVICES = ("cache", "redis")


class Watch:
    """Who held the stack, in order, as its record tells."""

    def __init__(self, shop: Project) -> None:
        self.shop = shop
        self.tokens: list[str] = []
        self.pids: set[int] = set()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self) -> None:
        while not self.ended.wait(0.002):
            for path in self.shop.home.glob("shop-*/lock"):
                try:
                    holder = json.loads(path.read_bytes())["holder"]
                except (OSError, ValueError, KeyError):
                    continue
                if not self.tokens or self.tokens[-1] != holder["token"]:
                    self.tokens.append(holder["token"])
                self.pids.add(holder["pid"])


@contextmanager
def watched(shop: Project) -> Iterator[Watch]:
    watch = Watch(shop)
    watch.thread.start()
    try:
        yield watch
    finally:
        watch.ended.set()
        watch.thread.join()


@contextmanager
def kernels(shop: Project) -> Iterator[tuple[Kernel, Kernel]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOX_DATA_HOME", str(shop.home))
        one, two = Kernel(shop.folder), Kernel(shop.folder)
    try:
        for kernel in (one, two):
            assert kernel.run("%load_ext mlox_jupyter").error is None
        yield one, two
    finally:
        one.close()
        two.close()


def at_once(shop: Project, pair: tuple[Kernel, Kernel], words: tuple[str, str, str]) -> None:
    """Both kernels and the shell, each with its own words; all succeed."""
    requests = [kernel.begin(f"%mlox {each}", somebody=False) for kernel, each in zip(pair, words, strict=False)]
    shell = shop.process(*MLOX, *words[2].split(), "--json")
    ran = [kernel.end(request) for kernel, request in zip(pair, requests, strict=True)]
    out, err = shell.communicate(timeout=120)
    assert shell.returncode == 0, err
    assert [each.error for each in ran] == [None, None]
    assert json.loads(out)["services"]


def rounds(shop: Project, count: int) -> None:
    """All three at once, again and again, from an empty folder on."""
    with kernels(shop) as pair, watched(shop) as watch:
        at_once(shop, pair, ("up redis", "up redis --as cache", "up redis"))
        passwords = {name: shop.password(name) for name in SERVICES}
        for name in SERVICES:
            assert talk(shop, name, passwords[name], f"SET whose {name}") == ["+OK", "+OK"]
        for number in range(1, count):
            if number % 2:
                shop.done("down")
                at_once(shop, pair, ("up", "up redis", "up"))
            else:
                at_once(shop, pair, ("up", f"up redis --set maxmemory_mb={100 + number}", "up cache"))
            done = shop.json("up")
            assert done["actions"] == []
            assert {row["name"]: row["status"] for row in done["services"]} == dict.fromkeys(SERVICES, "running")
            assert len(shop.runs("redis-server")) == 2
            assert len(shop.runs("supervisor.supervisord")) == 1
            for name in SERVICES:
                assert talk(shop, name, passwords[name], "GET whose") == ["+OK", name]
            written = load((shop.folder / "mlox.yaml").read_text(), source="mlox.yaml")
            assert isinstance(written, dict)
            assert set(written["services"]) == set(SERVICES)
            if number > 1:
                assert written["services"]["redis"]["options"] == {"maxmemory_mb": 100 + number - number % 2}
    assert len(watch.tokens) == len(set(watch.tokens)), "somebody held it, lost it, and held it again"
    assert len(watch.pids) >= 3
    print(f"\n{count} rounds: {len(watch.tokens)} times held, by {len(watch.pids)} processes, one after the other")


def test_two_kernels_and_a_shell_at_once(tmp_path: Path) -> None:
    with data_home() as home, project(tmp_path / "shop", home) as shop:
        rounds(shop, ROUNDS)


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_two_kernels_and_a_shell_fifty_times(tmp_path: Path) -> None:
    with data_home() as home, project(tmp_path / "shop", home) as shop:
        rounds(shop, 50)
