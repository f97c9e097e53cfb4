"""``mlox ui``: who is let in, what can be had, where it listens, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from mlox.verbs.panels import PANELS
from tests.jupyter.cells import Run
from tests.jupyter.ui_stage import HERE, UPGRADE, Served, served
from tests.live.support import data_home, until
from tests.shell_stage import Say

KERNEL = re.compile(r'"kernelId": "([\w-]+)"')
SECRET = "kept-by-the-tests"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page on a workspace with files that nobody may read through it."""
    folder = tmp_path_factory.mktemp("ui") / "<b>demo"
    folder.mkdir()
    (folder / "mlox.yaml").write_text("name: demo\n")
    for name in ("notes.txt", "picture.png", "analysis.ipynb"):
        (folder / name).write_text(SECRET)
    with data_home() as home, served(folder, home) as made:
        yield made


@pytest.fixture(scope="module")
def opened(page: Served) -> str:
    """The page's text, as who has the token gets it; its kernel is there then."""
    reply = page.ask(f"/?token={page.token}")
    assert reply.status == 200
    return reply.text


def kernel_of(text: str) -> str:
    found = KERNEL.search(text)
    assert found, text
    return found[1]


def final(page: Served, path: str, *, method: str = "GET", token: str = "", **headers: str) -> int:
    """The status at the end of redirections."""
    for _ in range(5):
        reply = page.ask(path, method=method, token=token, **headers)
        assert SECRET not in reply.text
        assert "mlox-panel" not in reply.text or token
        if reply.status not in (301, 302, 303, 307, 308):
            return reply.status
        path = reply.headers["Location"]
    return reply.status


@pytest.mark.slow
def test_a_folder_may_have_any_name(opened: str) -> None:
    assert "<h1>mlox: &lt;b&gt;demo</h1>" in opened
    assert "<b>demo" not in opened


def message(kind: str, **content: object) -> str:
    """A message to a kernel, as a page sends it."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "tests", "username": "", "version": "5.3"}
    told = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}
    return json.dumps({**told, "channel": "shell"})


@pytest.mark.slow
def test_nobody_can_send_code_to_a_kernel(page: Served, opened: str, tmp_path: Path) -> None:
    """Not with the token either: what is asked after the code is answered, and the code was not run."""
    made = tmp_path / "made"

    async def asked() -> list[str]:
        address = f"ws://{HERE}:{page.port}/api/kernels/{kernel_of(opened)}/channels"
        channel = await websocket_connect(HTTPRequest(address, headers={"Authorization": f"token {page.token}"}))
        code = f"open({str(made)!r}, 'w').close()"
        await channel.write_message(message("execute_request", code=code, silent=False, store_history=False))
        await channel.write_message(message("kernel_info_request"))
        heard: list[str] = []
        async with asyncio.timeout(30):
            while "kernel_info_reply" not in heard:
                heard.append(json.loads(await channel.read_message() or "{}")["msg_type"])
        channel.close()
        return heard

    assert "execute_reply" not in asyncio.run(asked())
    assert not made.exists()


@pytest.mark.slow
@pytest.mark.parametrize("token", ["", "wrong"])
def test_who_has_no_token_gets_nothing(page: Served, opened: str, token: str) -> None:
    kernel, before = kernel_of(opened), len(page.kernels())
    asked = [
        final(page, "/", token=token),
        final(page, f"/?token={token}"),
        final(page, f"/api/kernels/{kernel}", token=token),
        final(page, f"/api/kernels/{kernel}", method="DELETE", token=token),
        final(page, f"/api/kernels/{kernel}/channels", token=token, **UPGRADE),
        final(page, f"/voila/api/shutdown/{kernel}", method="POST", token=token),
        final(
            page,
            f"/voila/api/shutdown/{kernel}",
            method="POST",
            token=token,
            Origin=f"http://{HERE}:{page.port}",
        ),
    ]
    assert set(asked) == {403}
    assert len(page.kernels()) == before


@pytest.mark.slow
def test_other_pages_of_the_same_browser_are_refused(page: Served, opened: str) -> None:
    cookie = page.ask(f"/?token={page.token}").headers["Set-Cookie"]
    own, kept = f"http://{HERE}:{page.port}", cookie.partition(";")[0]
    assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in cookie.split(";")}
    assert "expires" not in cookie
    channels = f"/api/kernels/{kernel_of(opened)}/channels"
    assert page.ask(channels, Cookie=kept, Origin=own, **UPGRADE).status == 101
    assert page.ask(channels, Cookie=kept, Origin="http://elsewhere.example", **UPGRADE).status == 403
    assert page.ask("/", Cookie=kept, Host=f"elsewhere.example:{page.port}").status == 403
    ends = f"/voila/api/shutdown/{kernel_of(opened)}"
    assert page.ask(ends, method="POST", Cookie=kept, Origin="http://elsewhere.example").status == 403
    assert page.ask(ends, method="POST", Cookie=kept).status == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mlox.yaml", "notes.txt", "picture.png", "analysis.ipynb", "panels.ipynb", "open.html"]
)
def test_no_file_can_be_read_with_the_token_either(page: Served, opened: str, name: str) -> None:
    del opened
    up = "..%2f" * 12 + str(page.folder).lstrip("/").replace("/", "%2f") + "%2f"
    ways = [f"/voila/static/{up}", f"/voila/labextensions/{up}", f"/voila/templates/lab/static/{up}"]
    ways += (
        "/",
        "/voila/files/",
        "/files/",
        "/voila/render/",
        "/voila/tree/",
        "/api/contents/",
        "/voila/api/contents/",
    )
    assert {way: status for way in ways if (status := final(page, f"{way}{name}", token=page.token)) < 400} == {}


@pytest.mark.slow
def test_the_page_has_every_panel_and_no_code(opened: str) -> None:
    for name in PANELS:
        assert f'aria-controls="{name}"' in opened
        assert f'role="tabpanel" id="{name}"' in opened
    assert opened.count("application/vnd.jupyter.widget-view+json") == len(PANELS)
    assert "mlox_jupyter.web" not in opened
    assert not re.search(r'(src|href)="(https?:)?//', opened)
    assert '<html lang="en">' in opened
    assert "<title>mlox: &lt;b&gt;demo</title>" in opened


@pytest.mark.slow
def test_the_kernel_is_of_this_python_in_this_folder_and_knows_no_token(page: Served, opened: str) -> None:
    del opened
    kernels = page.kernels()
    assert kernels
    for kernel in kernels:
        assert kernel.cmdline()[0] == sys.executable
        assert Path(kernel.cwd()) == page.folder
    for process in page.family():
        assert page.token not in " ".join(process.cmdline())
        assert page.token not in " ".join(process.environ().values())


@pytest.mark.slow
def test_it_listens_on_loopback_only_and_keeps_its_files_to_itself(page: Served, opened: str) -> None:
    del opened
    sockets = [one for process in page.family() for one in process.net_connections("inet")]
    listening = {one.laddr for one in sockets if one.status == psutil.CONN_LISTEN}
    assert (HERE, page.port) in listening
    assert {where[0] for where in listening} == {HERE}
    (folder,) = page.left()
    assert folder.stat().st_mode & 0o077 == 0
    door = folder / "open.html"
    assert (door.stat().st_mode & 0o777, page.address in door.read_text()) == (0o600, True)
    assert list(folder.glob("voila_*/*-ipc-1"))  # what kernels publish is on no port, which others could read


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it(tmp_path: Path, number: int) -> None:
    with data_home() as home, served(tmp_path, home) as page:
        assert page.ask("/", token=page.token).status == 200
        family = page.family()
        assert len(page.kernels()) == 1
        assert page.end(number) == (0, "")
        assert not [one for one in family if one.is_running()]
        assert page.left() == []


@pytest.mark.slow
def test_people_are_told_where_it_is_and_how_it_ends(tmp_path: Path) -> None:
    with data_home() as home, served(tmp_path, home, "--no-browser") as page:
        assert page.line == f"{page.address}    (only on this machine; Ctrl-C ends it)\n"
        assert page.ask("/login", token=page.token).status == 403
        assert page.end() == (0, f"starting the page\npanels of {tmp_path}\n")


@pytest.mark.slow
def test_it_ends_when_who_has_started_it_is_killed(tmp_path: Path) -> None:
    with data_home() as home, served(tmp_path, home) as page:
        assert page.ask("/", token=page.token).status == 200
        family = page.family()
        page.end(signal.SIGKILL)
        until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family))
        until(lambda: page.left() == [])


@pytest.mark.slow
def test_a_page_that_is_closed_ends_its_kernel(tmp_path: Path) -> None:
    with data_home() as home, served(tmp_path, home) as page:
        kernel = kernel_of(page.ask("/", token=page.token).text)
        origin = f"http://{HERE}:{page.port}"
        assert page.ask(f"/voila/api/shutdown/{kernel}", method="POST", token=page.token, Origin=origin).status == 204
        assert page.kernels() == []


@pytest.mark.slow
def test_a_port_that_is_taken_is_told(say: Say) -> None:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = say("ui", "--port", str(port), "--json")
    assert said.code == 1
    assert said.error["type"] == "PortTakenError"
    assert said.error["problem"] == f"port {port} of 127.0.0.1 is in use"
    assert "--port" in said.error["hint"]


def test_what_is_not_installed_is_told(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "voila", None)
    said = say("ui")
    assert said.code == 1
    assert said.err.splitlines() == [
        "error: mlox ui needs voila, which is not installed here",
        "hint: pip install 'mlox-sdk[ui]'",
    ]


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_what_is_no_port_is_refused(say: Say, port: str) -> None:
    said = say("ui", f"--port={port}")
    assert said.code == 2
    assert "is no port" in said.err


def test_a_folder_that_is_not_there_is_told(say: Say) -> None:
    said = say("-C", "nowhere", "ui")
    assert said.code == 2
    assert "nowhere is no folder" in said.err


def test_a_dry_run_starts_nothing(say: Say) -> None:
    said = say("ui", "--dry-run", "--json")
    assert said.json["panels"] == list(PANELS)


def test_a_notebook_has_panels_instead(run: Run) -> None:
    assert run("%mlox ui").lines == [
        "error: mlox ui is for the shell",
        f"hint: Here: %mlox panel NAME, one of: {', '.join(PANELS)}.",
    ]
