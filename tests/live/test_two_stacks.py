"""Two of a kind: stacks of one name in two folders, and instances of one service in one stack, share nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.live.placing import SERVERS, placed
from tests.live.support import Project, until


@pytest.fixture(params=SERVERS)
def pair(request: pytest.FixtureRequest, data_home: Path, tmp_path: Path) -> Iterator[tuple[Project, Project]]:
    """Two folders of one data home, each with a stack named demo."""
    server = request.param
    with placed(server, tmp_path / "one", data_home) as one, placed(server, tmp_path / "two", data_home) as two:
        for each in (one, two):
            each.done("init", "demo")
        yield one, two


def talk(project: Project, service: str, password: str, *commands: str) -> list[str]:
    """What redis answers, in its own protocol: https://redis.io/docs/latest/develop/reference/protocol-spec."""
    host, _, port = project.row(service)["ports"]["redis"].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rwb") as stream:
        answers = []
        for command in (f"AUTH {password}", *commands):
            stream.write(f"{command}\r\n".encode())
            stream.flush()
            line = stream.readline().decode().strip()
            answers.append(stream.readline().decode().strip() if line[0] == "$" and line != "$-1" else line)
        return answers


def listening(url: str) -> bool:
    """Whether somebody listens where a service would be."""
    host, _, port = url.rpartition("/")[2].partition(":")
    with socket.socket() as knocking:
        return knocking.connect_ex((host, int(port))) == 0


@pytest.mark.long
def test_stacks_of_one_name_do_not_touch_each_other(pair: tuple[Project, Project]) -> None:
    one, two = pair
    assert one.id != two.id
    with ThreadPoolExecutor(2) as pool:
        for said in pool.map(lambda each: each.mlox("up", "redis", "--json"), pair):
            assert said.code == 0, said
    rows = [each.row("redis") for each in pair]
    assert rows[0]["url"] != rows[1]["url"]
    assert rows[0]["data_path"] != rows[1]["data_path"]
    passwords = [each.password("redis") for each in pair]
    assert passwords[0] != passwords[1]
    for each, password, text in zip(pair, passwords, ("one", "two"), strict=True):
        assert talk(each, "redis", password, f"SET whose {text}") == ["+OK", "+OK"]
    assert talk(one, "redis", passwords[0], "GET whose") == ["+OK", "one"]
    assert talk(one, "redis", passwords[1], "GET whose")[0].startswith("-WRONGPASS")
    before = {process.pid for process in two.processes()}
    one.done("down", "--purge", "-y")
    assert one.processes() == []
    assert not one.data.exists()
    assert {process.pid for process in two.processes()} == before
    assert talk(two, "redis", passwords[1], "GET whose") == ["+OK", "two"]
    assert two.json("up")["actions"] == []


@pytest.mark.long
def test_a_stopped_stack_keeps_its_port(pair: tuple[Project, Project]) -> None:
    one, two = pair
    for _ in range(4):
        one.done("up", "redis")
        url = one.row("redis")["url"]
        one.done("down")
        two.done("up", "redis")
        assert two.row("redis")["url"] != url
        stranger = listening(url)  # a test beside this one may want a Redis too, while ours is stopped
        one.done("up")
        if one.row("redis")["url"] == url:
            return
        assert stranger or listening(url)
        for each in pair:
            each.done("down", "--purge", "-y")
    pytest.fail("somebody else took the port each time")


@pytest.mark.long
def test_two_instances_share_nothing(pair: tuple[Project, Project]) -> None:
    shop, _ = pair
    shop.done("up", "redis")
    done = shop.json("up", "redis", "--as", "cache", "--set", "maxmemory_mb=64")
    assert [(action["kind"], action["service"]) for action in done["actions"]] == [("create", "cache")]
    first, second = shop.row("redis"), shop.row("cache")
    assert (first["service"], second["service"]) == ("redis", "redis")
    assert len({first["url"], second["url"]}) == len({first["data_path"], second["data_path"]}) == 2
    passwords = [shop.password(name) for name in ("redis", "cache")]
    assert passwords[0] != passwords[1]
    assert talk(shop, "redis", passwords[0], "SET a 1", "GET a") == ["+OK", "+OK", "1"]
    assert talk(shop, "cache", passwords[1], "GET a") == ["+OK", "$-1"]
    assert shop.mlox("run", "cache", "--", "true").code == 0
    assert "both set REDIS_URL" in shop.mlox("run", "--", "true").err
    shop.done("down", "cache", "--purge", "-y")
    assert shop.row("cache")["status"] == "absent"
    assert not Path(second["data_path"]).exists()
    assert [s["name"] for s in shop.json("secrets", "list")["secrets"]] == ["redis.password"]
    assert talk(shop, "redis", passwords[0], "GET a") == ["+OK", "1"]


@pytest.mark.long
def test_who_is_not_in_the_file_runs_on_until_it_is_pruned(pair: tuple[Project, Project]) -> None:
    """``remove`` is refused while it runs; ``up`` names what is not listed, and ``--prune`` stops it."""
    shop, _ = pair
    shop.done("up", "redis")
    shop.done("up", "redis", "--as", "cache")
    assert "cache runs" in shop.mlox("remove", "cache").err
    text = (shop.folder / "mlox.yaml").read_text()
    (shop.folder / "mlox.yaml").write_text(text[: text.index("  cache:")])
    said = shop.done("up")
    assert "nothing to do" in said
    assert "cache runs but is not in mlox.yaml" in said
    assert shop.row("cache")["note"] == "not in mlox.yaml"
    done = shop.json("up", "--prune")
    assert [(action["kind"], action["service"]) for action in done["actions"]] == [("stop", "cache")]
    assert shop.row("cache")["status"] == "stopped"
    shop.done("down", "cache", "--purge", "-y")
    assert [row["name"] for row in shop.json("status")["services"]] == ["redis"]


@pytest.mark.parametrize("pair", ["local"], indirect=True)
def test_two_stacks_that_want_one_port_at_once(pair: tuple[Project, Project]) -> None:
    """Each is told to be healthy by its own process only, never by what answers on its port."""
    for each, text in zip(pair, ("one", "two"), strict=True):
        each.write_page("web", port=18100)
        each.done("add", "web", "--set", f"text={text}", "--set", "patience=2")
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda each: each.mlox("up", "web"), pair))
    assert 0 in [each.code for each in said], said
    for each in said:
        assert each.code in (0, 1)
        assert each.code == 0 or "port" in each.err, said

    def page(each: Project) -> str:
        look = f"import urllib.request; print(urllib.request.urlopen('{each.row('web')['url']}').read().decode())"
        return each.python(look).out.strip()

    for each, text in zip(pair, ("one", "two"), strict=True):
        each.done("up", "web")
        assert until(lambda each=each: page(each)) == text  # type: ignore[misc]
        assert each.json("up")["actions"] == []
