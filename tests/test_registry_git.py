"""Git repositories that mean harm by their address, their size or their silence; and what git is told."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest

from mlox.errors import RequirementError, SpecError, WorkspaceError
from mlox.registries import git as git_adapter
from mlox.registries import git_command
from mlox.registries.git import Address, GitRegistry
from mlox.secret import Secret
from tests.component_stage import template_files
from tests.registry_stage import answering, commit, git, publish, raw, says, serving

TOKEN = "tok-9f8e7d6c5b4a"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("https://host.example/a/b.git", ("https://host.example/a/b.git", "", "")),
        ("https://me@host.example/b.git@v1.2#x/y", ("https://me@host.example/b.git", "v1.2", "x/y")),
        ("git@host.example:a/b.git", ("git@host.example:a/b.git", "", "")),
        ("git@host.example:b@feature/x#parts", ("git@host.example:b", "feature/x", "parts")),
        ("ssh://git@host.example:22/b.git@main", ("ssh://git@host.example:22/b.git", "main", "")),
        ("../parts@v1", ("../parts", "v1", "")),
        ("/srv/parts#x", ("/srv/parts", "", "x")),
        ("file:///srv/parts@v1", ("file:///srv/parts", "v1", "")),
    ],
)
def test_the_parts_of_an_address(text: str, parts: tuple[str, str, str]) -> None:
    address = Address.read(text)
    assert (address.repository, address.ref, address.folder) == parts
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        *("ext::sh -c touch% evil", "ext::sh", "fd::17", "git://host.example/x", "http://host.example/x", "ftp://h/x"),
        *("-u./run", "--upload-pack=touch evil", "ssh://-oProxyCommand=touch/x", "https://-x/y", "", "#x"),
        *("x@-v", "x@--upload-pack=y", "x@a..b", "x/y@a:b", "x@a b", "x#../y", "x#/..", "x#a//b", "x@v1~1", "x@:/text"),
    ],
)
def test_an_address_that_makes_git_do_something_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        GitRegistry(text, name="@evil", cache=tmp_path / "cache.git", root=tmp_path)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_commit_that_was_fetched_is_not_asked_for_again(tmp_path: Path) -> None:
    first = commit(publish(tmp_path / "parts", {"greeting": template_files()}))
    publish(tmp_path / "parts", {"greeting": template_files(version="2.0")})
    commit(tmp_path / "parts")
    pinned = f"{tmp_path / 'parts'}@{first}"
    assert GitRegistry(pinned, name="@a", cache=tmp_path / "c.git").versions("greeting")[0].version == "1.0"
    newest = GitRegistry(str(tmp_path / "parts"), name="@a", cache=tmp_path / "c.git")
    assert newest.versions("greeting")[0].version == "2.0"
    (tmp_path / "parts").rename(tmp_path / "gone")
    again = GitRegistry(pinned, name="@a", cache=tmp_path / "c.git")
    assert again.versions("greeting")[0].version == "1.0"
    assert again.source == pinned
    with pytest.raises(WorkspaceError, match="git fetch failed") as caught:
        GitRegistry(str(tmp_path / "parts"), name="@a", cache=tmp_path / "c.git").names()
    assert "still there" in (caught.value.hint or "")


def test_a_shallow_clone_is_a_registry_like_any_other(tmp_path: Path) -> None:
    first = commit(publish(tmp_path / "parts", {"greeting": template_files()}))
    publish(tmp_path / "parts", {"greeting": template_files(version="2.0")})
    last = commit(tmp_path / "parts", tag="v2")
    git(tmp_path, "clone", "--quiet", "--depth=1", (tmp_path / "parts").as_uri(), "shallow")
    assert (tmp_path / "shallow/.git/shallow").read_text().strip() == last
    for ref in ("", "@v2", "@main", f"@{last}"):
        found = GitRegistry(f"shallow{ref}", name="@a", cache=tmp_path / "c.git", root=tmp_path)
        assert (found.names(), found.commit) == (("greeting",), last)
        assert found.read("greeting")["component.yaml"] == template_files(version="2.0")["component.yaml"]
    with pytest.raises(WorkspaceError, match="git fetch failed"):
        GitRegistry(f"shallow@{first}", name="@a", cache=tmp_path / "c.git", root=tmp_path).names()


@pytest.mark.parametrize("address", ["parts@nope", "parts#nope", "nope"])
def test_what_a_repository_does_not_have_is_told(tmp_path: Path, address: str) -> None:
    commit(publish(tmp_path / "parts", {}))
    with pytest.raises(WorkspaceError) as caught:
        GitRegistry(address, name="@acme", cache=tmp_path / "cache.git", root=tmp_path).names()
    assert caught.value.hint


def test_a_cache_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    commit(publish(tmp_path / "parts", {"greeting": template_files()}))
    (tmp_path / "cache.git").mkdir()
    (tmp_path / "cache.git/config").write_text("[core]\n\tfsmonitor = touch evil\n")
    registry = GitRegistry("parts", name="@acme", cache=tmp_path / "cache.git", root=tmp_path)
    assert registry.names() == ("greeting",)


def test_a_repository_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = publish(tmp_path / "parts", {"greeting": template_files()})
    (folder / "big.bin").write_bytes(os.urandom(300_000))
    commit(folder)
    monkeypatch.setattr(git_command, "MAX_REPOSITORY", 100_000)
    with pytest.raises(WorkspaceError, match="has more than 100,000 bytes"):
        GitRegistry(str(folder), name="@big", cache=tmp_path / "cache.git").names()
    assert sum(path.stat().st_size for path in (tmp_path / "cache.git").rglob("*") if path.is_file()) < 400_000


def test_a_repository_that_never_answers_is_given_up_and_nothing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_adapter, "FETCH_S", 0.7)
    begin = time.monotonic()
    with serving(answering(raw(b"", b"", pause_s=5))) as url:
        with pytest.raises(WorkspaceError, match="git fetch took too long"):
            GitRegistry(f"{url}/x.git", name="@slow", cache=tmp_path / "cache.git").names()
    assert time.monotonic() - begin < 12
    left = [child for child in psutil.Process().children(recursive=True) if "git" in child.name()]
    assert not [child for child in left if child.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A web server that has no repository, and what headers it was sent."""
    del tmp_path
    headers: list[dict[str, str]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        headers.append(dict(handler.headers))
        says(401, WWW_Authenticate="Basic realm=x")(handler)

    with serving(answering(answer)) as url:
        yield url, headers


def test_git_sends_the_token_and_asks_nobody(
    tmp_path: Path, heard: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, headers = heard
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))  # as in a hook
    registry = GitRegistry(f"{url}/x.git", name="@acme", cache=tmp_path / "cache.git", token=Secret(TOKEN))
    with pytest.raises(WorkspaceError) as caught:
        registry.names()
    assert any(each.get("Authorization", "").startswith("Basic ") for each in headers)
    assert TOKEN not in f"{caught.value.problem}{caught.value.hint}"
    assert not (tmp_path / "elsewhere").exists()
    for path in (tmp_path / "cache.git").rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()
    headers.clear()
    with pytest.raises(WorkspaceError):
        GitRegistry(f"{url}/x.git", name="@acme", cache=tmp_path / "2.git").names()
    assert not any("x-access-token" in str(each) for each in headers)


def test_git_sends_no_token_to_where_it_is_sent(tmp_path: Path, heard: tuple[str, list[dict[str, str]]]) -> None:
    other, headers = heard
    with serving(answering(says(302, Location=f"{other}/x.git/info/refs?service=git-upload-pack"))) as url:
        with pytest.raises(WorkspaceError):
            GitRegistry(f"{url}/x.git", name="@evil", cache=tmp_path / "c.git", token=Secret(TOKEN)).names()
    assert headers == []


def test_without_git_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(RequirementError, match="@acme needs git") as caught:
        GitRegistry("parts", name="@acme", cache=tmp_path / "cache.git", root=tmp_path).names()
    assert caught.value.hint == "Install git."
