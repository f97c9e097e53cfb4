"""Services that keep a hash of their password: it opens them, nothing else does, and a new one takes its place."""

from __future__ import annotations

import base64
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.placing import SERVERS, placed
from tests.live.support import Project

pytestmark = [
    *(pytest.mark.live, pytest.mark.slow, pytest.mark.long),
    *(pytest.mark.timeout(900), pytest.mark.xdist_group("engine")),
]
PAGES = {"prometheus": "/-/ready", "container-registry": "/v2/"}


@pytest.fixture(params=SERVERS)
def shop(request: pytest.FixtureRequest, data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with placed(request.param, tmp_path / "shop", data_home) as made:
        made.done("init", "demo")
        yield made


def answered(shop: Project, name: str, password: str) -> int:
    request = urllib.request.Request(f"http://{shop.row(name)['ports']['http']}{PAGES[name]}")
    request.add_header("Authorization", f"Basic {base64.b64encode(f'mlox:{password}'.encode()).decode()}")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_password_is_rotated_and_the_old_one_opens_nothing(shop: Project) -> None:
    for name in PAGES:
        shop.done("up", name)
        old = shop.password(name)
        assert answered(shop, name, old) == 200
        assert answered(shop, name, "wrong") == 401
        shop.done("secrets", "rotate", f"{name}.password")
        assert answered(shop, name, shop.password(name)) == 200
        assert answered(shop, name, old) == 401
    assert shop.json("up")["actions"] == []
    assert shop.json("drift")["differences"] == []
