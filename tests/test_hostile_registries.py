"""Registries that mean harm, by what is in them: each is refused in our own words, and nothing is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlox.components import Template
from mlox.components.index import read_index
from mlox.errors import SpecError
from mlox.registries import layout
from mlox.specs.paths import clash, path_fault
from tests.component_stage import WORDS, Shop, template_files
from tests.hostile_stage import (
    KINDS,
    commit_objects,
    commit_tree,
    configured,
    evil,
    listed,
    put,
    refused,
    spread,
)
from tests.registry_stage import git
from tests.shell_stage import Say

CODE = "src/project/greeting"
MANIFEST = "component.yaml"


# Names of files

NAMES = {
    "control character": "a\x07.py",
    "line end": "a\nb.py",
    "backslash": "a\\b.py",
    "drive letter": "C:evil.py",
    "stream": "words.py:hidden",
    "trailing dot": "words.py.",
    "trailing space": "words.py ",
    "leading space": " words.py",
    "device": "aux.py",
    "device in upper case": "COM1",
    "device with a superscript": "lpt².txt",
    "decomposed": "cafe\u0301.py",
    "right to left": "a\u202eyp.exe",
    "too long a part": "x" * 101,
    "too long": "/".join(["x" * 90] * 4),
    "not UTF-8": "a\udcff.py",
}


@pytest.mark.parametrize(("kind", "name"), spread(NAMES, ["folder", "git"]))
def test_a_file_with_a_harmful_name(shop: Shop, say: Say, kind: str, name: str) -> None:
    with evil(shop, kind, {**template_files(), f"{CODE}/{name}": b"x"}):
        assert "a file's name" in refused(shop, say).err


@pytest.mark.parametrize(
    "path",
    ["../evil.py", "/etc/evil.py", "a/../../evil.py", "a//b.py", "./a.py", "..", "~/x", ".git/config", *NAMES.values()],
)
def test_a_registry_json_that_lists_a_file_elsewhere(path: str) -> None:
    index = json.loads(listed(template_files()))
    entry = index["components"][0]["files"][0]
    for key, where in (("path", entry), ("folder", index["components"][0])):
        kept, where[key] = where[key], path
        with pytest.raises(SpecError, match="registry.json"):
            read_index(json.dumps(index).encode(), source="registry.json")
        where[key] = kept
    read_index(json.dumps(index).encode(), source="registry.json")


@pytest.mark.parametrize("key", ["path", "folder"])
def test_such_a_registry_json_on_the_web(shop: Shop, say: Say, key: str) -> None:
    index = listed(template_files()).replace(f'"{key}": "'.encode(), f'"{key}": "../'.encode())
    with evil(shop, "https", template_files(), index=index):
        assert "registry.json" in refused(shop, say).err


@pytest.mark.parametrize("part", ["..", ".", ".git", ""])
def test_a_tree_that_leads_out(shop: Shop, say: Say, part: str) -> None:
    with evil(shop, "git", {**template_files(), f"{CODE}/{part}/evil.py": b"x"}):
        refused(shop, say)


CLASHES = {
    "case": ("note.txt", "NOTE.txt"),
    "case of a folder": ("notes/a.txt", "NOTES/b.txt"),
    "sharp s": ("strasse.txt", "straße.txt"),
    "ligature": ("ﬁle.txt", "file.txt"),
}


@pytest.mark.parametrize(("kind", "names"), spread(CLASHES, ["git", "folder"]))
def test_two_files_that_are_one_elsewhere(shop: Shop, say: Say, kind: str, names: tuple[str, str]) -> None:
    with evil(shop, kind, {**template_files(), **dict.fromkeys(names, b"x")}):
        assert "are one file on some systems" in refused(shop, say).err


def test_two_files_that_are_one_elsewhere_in_registry_json(shop: Shop, say: Say) -> None:
    files = {**template_files(), "NOTE.txt": b"x", "note.txt": b"y"}
    with evil(shop, "https", files):
        assert "NOTE.txt and note.txt clash" in refused(shop, say).err


def test_paths_are_judged_alike_everywhere() -> None:
    assert not [path for path in ("a.py", "src/a_b/c-d.py", "README.md", "konfig.ü") if path_fault(path)]
    assert clash(["a/b.py", "a/c.py", "d"]) == ""
    assert clash(["a", "A/b"]) == "a and A/b"


# Kinds of files


def test_a_link_a_pipe_and_a_folder_by_a_link_in_a_folder(shop: Shop, say: Say, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for make in (
        lambda path: path.symlink_to(secret),
        lambda path: path.symlink_to(tmp_path, target_is_directory=True),
        os.mkfifo,
    ):
        where = shop.root.parent / f"evil/greeting/{CODE}/more.py"
        with evil(shop, "folder", template_files()):
            make(where)
            assert "is no plain file" in refused(shop, say).err
        where.unlink()
        shop.components.stack.workspace.drop_registry("@evil")


def test_a_component_folder_that_is_a_link(shop: Shop, say: Say, tmp_path: Path) -> None:
    with evil(shop, "folder", {"x": b""}):
        elsewhere = tmp_path / "elsewhere"
        for path, text in template_files().items():
            (elsewhere / path).parent.mkdir(parents=True, exist_ok=True)
            (elsewhere / path).write_bytes(text)
        top = shop.root.parent / "evil/greeting"
        (top / "x").unlink()
        top.rmdir()
        top.symlink_to(elsewhere, target_is_directory=True)
        refused(shop, say)


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_a_link_and_a_submodule_in_git(shop: Shop, say: Say, mode: str) -> None:
    folder = shop.root.parent / "evil"
    files = {**template_files(), f"{CODE}/words.py": b"/etc/passwd"}
    commit_objects(folder, files, None, mode=mode)
    from mlox.specs import RegistrySpec

    with configured(shop, RegistrySpec(git=str(folder))):
        assert "is no plain file" in refused(shop, say).err


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_files(shop: Shop, say: Say, kind: str) -> None:
    with evil(shop, kind, {**template_files(), **{f"notes/{n}.txt": b"" for n in range(501)}}):
        assert "500" in refused(shop, say).err


@pytest.mark.parametrize("kind", KINDS)
def test_too_large_files(shop: Shop, say: Say, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind != "https":
        monkeypatch.setattr(layout, "MAX_BYTES", 100_000)
    big = {f"{CODE}/words.py": b"#" * (200_000 if kind != "https" else 5_000_001)}
    with evil(shop, kind, {**template_files(), **big}):
        refused(shop, say)


def test_files_that_are_too_large_together() -> None:
    files = {**template_files(), f"{CODE}/words.py": b"#" * 5_000_001}
    with pytest.raises(SpecError, match="more than 5,000,000 bytes"):
        Template.parse("greeting", files, source="x")


# What registry.json says

INDEXES = {
    "no JSON": b"{",
    "deep": b'{"format": 1, "components": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "digits": b'{"format": ' + b"9" * 100_000 + b', "components": []}',
    "too large": b" " * 5_000_001,
    "a list": b"[]",
    "another format": b'{"format": 2, "components": []}',
    "too many components": json.dumps(
        {"format": 1, "components": [json.loads(listed({"x": b""}))["components"][0]] * 2001}
    ).encode(),
    "twice the same": json.dumps(
        {"format": 1, "components": [json.loads(listed({"x": b""}))["components"][0]] * 2}
    ).encode(),
    "a name that lies": listed(template_files(), name="feature-store"),
    "a name that is a path": listed(template_files(), name="../greeting"),
    "a version that lies": listed(template_files(), version="7.0"),
    "a digest that lies": listed(template_files(), digest="1" * 64),
    "a size that lies": listed({**template_files(), f"{CODE}/words.py": WORDS + b"\n"}),
    "a digest of a file that lies": listed({**template_files(), f"{CODE}/words.py": WORDS.upper()}),
    "a file that is not there": listed({**template_files(), "gone.txt": b"x"}),
    "a folder that is not there": listed(template_files(), folder="elsewhere"),
    "a size below nothing": listed(template_files()).replace(b'"size": ', b'"size": -'),
}


@pytest.mark.parametrize(("kind", "index"), spread(INDEXES))
def test_a_registry_json_that_means_harm(shop: Shop, say: Say, kind: str, index: bytes) -> None:
    with evil(shop, kind, template_files(), index=index):
        refused(shop, say)


@pytest.mark.parametrize("kind", ["folder", "git"])
def test_an_older_version_that_is_another(shop: Shop, say: Say, kind: str) -> None:
    old = {f"versions/0.9/{path}": text for path, text in template_files(version="0.8").items()}
    with evil(shop, kind, {**template_files(), **old}):
        assert "versions/0.9/component.yaml: version is 0.8" in refused(shop, say).err
        newer = {f"versions/3.0/{path}": text for path, text in template_files(version="3.0").items()}
    shop.components.stack.workspace.drop_registry("@evil")
    with evil(shop, "folder", {**template_files(), **newer}):
        refused(shop, say)


# What git may be made to do


def test_nothing_of_a_repository_is_carried_out(shop: Shop, say: Say) -> None:
    """Filters, hooks and links in a submodule are bytes, for us: what is read is what is stored."""
    folder = shop.root.parent / "evil"
    marker = shop.root.parent / "evil-ran"
    with evil(shop, "git", {**template_files(), ".gitattributes": b"* filter=evil diff=evil\n", ".gitmodules": b"x"}):
        for hook in ("post-checkout", "post-merge", "reference-transaction", "pre-auto-gc"):
            path = folder / ".git/hooks" / hook
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\ntouch {marker}\n")
            path.chmod(0o755)
        git(folder, "config", "filter.evil.smudge", f"touch {marker}")
        git(folder, "config", "uploadpack.packObjectsHook", f"touch {marker}")
        said = say("-C", str(shop.root), "add", "@evil/greeting")
        assert said.code == 0, said.err
    assert not marker.exists()
    assert (shop.root / "src/churn/greeting/words.py").read_bytes() == WORDS


def test_a_tree_of_a_hundred_million_files(shop: Shop, say: Say) -> None:
    folder = shop.root.parent / "evil"
    with evil(shop, "git", template_files()):
        tree = bytes.fromhex(put(folder, "blob", b"x"))
        entry = b"100644 "
        for _ in range(8):
            lines = b"".join(entry + f"{n}".encode() + b"\0" + tree for n in range(10))
            tree = bytes.fromhex(put(folder, "tree", lines))
            entry = b"40000 "
        commit_tree(folder, tree.hex())
        assert "gives more than 20,000,000 bytes" in refused(shop, say).err
