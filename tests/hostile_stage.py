"""A registry that means harm: whatever is in it, as a folder, in git, or on a web server, and what it left behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from mlox.specs import RegistrySpec
from mlox.stack.registries import configure
from tests.component_stage import Shop
from tests.registry_stage import git, served
from tests.shell_stage import Said, Say

NAME = "@evil/greeting"
KINDS = ("folder", "git", "https")


def listed(files: Mapping[str, bytes], **changed: Any) -> bytes:
    """A ``registry.json`` that lists these files of ``greeting`` rightly, with some of its values changed."""
    entry: dict[str, Any] = {
        "name": "greeting",
        "version": "1.0",
        "summary": "x",
        "digest": "0" * 64,
        "folder": "greeting",
        "files": [
            {"path": path, "sha256": hashlib.sha256(text).hexdigest(), "size": len(text)}
            for path, text in files.items()
        ],
    }
    return json.dumps({"format": 1, "components": [{**entry, **changed}]}).encode()


@contextlib.contextmanager
def evil(shop: Shop, kind: str, files: Mapping[str, bytes], *, index: bytes | None = None) -> Iterator[None]:
    """The workspace with a registry ``@evil`` that has ``greeting`` with ``files``."""
    folder = shop.root.parent / "evil"
    if kind == "git":
        commit_objects(folder, files, index)
        with configured(shop, RegistrySpec(git=str(folder))):
            yield
        return
    top = folder / "greeting"
    for path, text in files.items():
        target = os.path.join(os.fsencode(top), path.encode("utf-8", "surrogateescape"))  # noqa: PTH118 - as written
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        with open(target, "wb") as file:  # noqa: PTH123
            file.write(text)
    if kind == "https":
        (folder / "registry.json").write_bytes(listed(files) if index is None else index)
        with served(folder) as (url, _), configured(shop, RegistrySpec(url=url)):
            yield
        return
    if index is not None:
        (folder / "registry.json").write_bytes(index)
    with configured(shop, RegistrySpec(folder=str(folder))):
        yield


@contextlib.contextmanager
def configured(shop: Shop, spec: RegistrySpec) -> Iterator[None]:
    configure(shop.components.stack, "@evil", spec, emit=lambda _: None)
    yield


def commit_objects(folder: Path, files: Mapping[str, bytes], index: bytes | None, mode: str = "100644") -> None:
    """A commit of trees that no checkout would give: git is told the names, and does not look at them."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")

    @cache
    def blob(text: bytes) -> str:
        return put(folder, "blob", text)

    def tree(entries: Mapping[bytes, object]) -> str:
        lines = b""
        for name in sorted(entries):
            value = entries[name]
            inner = isinstance(value, dict)
            own, what = (b"40000", tree(value)) if isinstance(value, dict) else (mode.encode(), blob(bytes(value)))  # type: ignore[call-overload]
            if not inner and name in (b"component.yaml", b"registry.json"):
                own = b"100644"
            lines += own + b" " + name + b"\0" + bytes.fromhex(what)
        return put(folder, "tree", lines)

    root: dict[bytes, Any] = {} if index is None else {b"registry.json": index}
    for path, text in files.items():
        parts = [b"greeting", *path.encode("utf-8", "surrogateescape").split(b"/")]
        inner = root
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
        inner[parts[-1]] = text
    commit_tree(folder, tree(root))


def commit_tree(folder: Path, tree: str) -> None:
    git(folder, "update-ref", "refs/heads/main", git(folder, "commit-tree", "-m", "evil", tree))


def put(folder: Path, kind: str, content: bytes) -> str:
    """Write an object of git, as it is; returns its name."""
    command = ["git", "hash-object", "-t", kind, "--literally", "-w", "--stdin"]
    return subprocess.run(command, cwd=folder, input=content, capture_output=True, check=True).stdout.decode().strip()


def around(shop: Shop) -> dict[str, bytes | None]:
    """All files beside and in the workspace, without what only this machine needs, and the registry itself."""
    found: dict[str, bytes | None] = {}
    for path in sorted(shop.root.parent.rglob("*")):
        where = path.relative_to(shop.root.parent).as_posix()
        if not where.startswith(("evil", "churn/.mlox/local")):
            found[where] = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    return found


def refused(shop: Shop, say: Say, *words: str) -> Said:
    """Try to add ``greeting`` from it, and make sure that it is refused in mlox's own words, and nothing is written."""
    before = around(shop)
    said = say("-C", str(shop.root), "add", NAME, *words)
    assert said.code in (1, 2), said
    assert said.err.startswith("error: "), said
    assert "hint: " in said.err
    assert "Traceback" not in said.err
    assert "InternalError" not in said.err
    assert len(said.err) < 3000
    assert around(shop) == before
    return said


def spread(cases: Mapping[str, object], kinds: Sequence[str] = KINDS) -> list[ParameterSet]:
    """Every case with every kind; the normal run takes one kind of each, in turn, and the exhaustive one all."""
    return [
        pytest.param(kind, case, id=f"{name}-{kind}", marks=() if turn % len(kinds) == own else pytest.mark.exhaustive)
        for turn, (name, case) in enumerate(cases.items())
        for own, kind in enumerate(kinds)
    ]
