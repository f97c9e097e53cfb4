"""Somebody's own app from a Dockerfile: built, wired to the stack's Redis, built anew where its source changes."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.docker_stage import Engine
from tests.live.support import Project, data_home, project, until

pytestmark = [
    *(pytest.mark.live, pytest.mark.slow, pytest.mark.long),
    *(pytest.mark.timeout(900), pytest.mark.xdist_group("engine")),
]

DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN python3 -c "import pathlib; assert not pathlib.Path('notes.md').exists()"
EXPOSE 8000
CMD ["python3", "app.py"]
"""
APP = '''\
"""Counts its visitors in the stack's Redis."""
import http.server, os, socket, urllib.parse

WORD = "hello"


def visit():
    """One more visitor: Redis's own protocol over a socket, since no package can be fetched here."""
    url = urllib.parse.urlsplit(os.environ["REDIS_URL"])
    with socket.create_connection((url.hostname, url.port)) as redis, redis.makefile("rb") as answers:
        for words in (["AUTH", url.username or "default", urllib.parse.unquote(url.password)], ["INCR", "visitors"]):
            parts = [f"${len(word.encode())}\\r\\n{word}\\r\\n" for word in words]
            redis.sendall(f"*{len(words)}\\r\\n{''.join(parts)}".encode())
            said = answers.readline().decode().strip().lstrip(":")
    return said


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{WORD} {visit()}".encode())


http.server.ThreadingHTTPServer(("", 8000), Page).serve_forever()
'''


@pytest.fixture
def shop(engine: Engine, tmp_path: Path) -> Iterator[Project]:
    """A workspace with an app in a folder of its own, and the stack's Redis as a container."""
    for name in ("python:3.11-slim", "redis:7"):
        engine.image(name)
    with data_home() as home, project(tmp_path / "shop", home, DOCKER_HOST=engine.host) as made:
        made.done("init", "demo")
        engine.owns(made.id)
        folder = made.folder / "web"
        folder.mkdir()
        (folder / "Dockerfile").write_text(DOCKERFILE)
        (folder / "app.py").write_text(APP)
        (folder / ".dockerignore").write_text("# not for the image\n*.md\n")
        (folder / "notes.md").write_text("mine")
        made.done("add", "redis", "--on", "docker")
        made.done("catalog", "new", "visitors", "--from", "web/Dockerfile", "--need", "redis")
        yield made
        images = engine.client.images.list(name=f"mlox/{made.id}/visitors-app")
    for image in images:
        engine.client.images.remove(str(image.id), force=True)


def page(shop: Project) -> str:
    """What the app says; empty as long as it does not."""
    try:
        with urllib.request.urlopen(str(shop.row("visitors")["url"]), timeout=10) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.URLError):
        return ""


def reasons(shop: Project) -> list[tuple[str, list[str]]]:
    """What a plan would do, and why."""
    plan = shop.json("plan")["actions"]
    return [(each["service"], [reason["field"] for reason in each["reasons"]]) for each in plan]


def test_it_is_built_wired_and_built_anew_where_its_source_changes(shop: Project) -> None:
    said = shop.mlox("up", "visitors", "--on", "docker")
    assert said.code == 0, said
    assert "building mlox/" in said.err
    assert "Step 2/6" in said.err
    assert until(lambda: page(shop)) == "hello 1"
    assert shop.json("up")["actions"] == []
    (shop.folder / "web" / "notes.md").write_text("changed, and not for the image")
    (shop.folder / "web" / "app.py").touch()
    assert reasons(shop) == []
    (shop.folder / "web" / "app.py").write_text(APP.replace("hello", "welcome back"))
    assert reasons(shop) == [("visitors", ["build"])]
    shop.done("up")
    assert until(lambda: page(shop)) == "welcome back 2"
    assert shop.json("up")["actions"] == []
    assert shop.password("redis") not in (shop.folder / "services" / "visitors.yaml").read_text()


def test_a_build_that_fails_says_why_and_what_ran_runs_on(shop: Project) -> None:
    shop.done("up", "visitors", "--on", "docker")
    assert until(lambda: page(shop)) == "hello 1"
    file = shop.folder / "web" / "Dockerfile"
    file.write_text(DOCKERFILE.replace("EXPOSE", "RUN echo it is a trap && exit 3\nEXPOSE"))
    said = shop.mlox("up")
    assert said.code == 3  # redis was reached
    assert "cannot be built" in said.err
    assert "it is a trap" in said.err
    assert "hint: Mend the Dockerfile" in said.err
    assert page(shop) == "hello 2"
    file.unlink()
    assert "hint: " in shop.mlox("up").err
    assert page(shop) == "hello 3"
    file.write_text(DOCKERFILE)
    assert shop.json("up")["actions"] == []


def test_a_compose_file_that_builds_is_built_anew_too(shop: Project) -> None:
    compose = "services: {front: {build: web, environment: {REDIS_URL: 'redis://x:y@nowhere:1'}, ports: ['8000']}}"
    (shop.folder / "compose.yaml").write_text(compose)
    shop.done("import", "compose.yaml")
    shop.done("up", "front")
    assert [each for each in reasons(shop) if each[0] == "front"] == []
    (shop.folder / "web" / "app.py").write_text(APP.replace("hello", "welcome"))
    assert [each for each in reasons(shop) if each[0] == "front"] == [("front", ["build"])]
