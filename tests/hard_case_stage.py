"""Hard cases of components as data: a folder each, with what is done in a repository and what comes of it.

``case.yaml`` says what it is about, and either ``steps`` or ``proven_by``, the tests that prove it where files cannot.
``v1/``, ``v2/`` are versions of the component ``parts``, ``NAME-v1/`` of another: the modules of its package, with its
tests in ``tests/``, what it adds to others in ``extends/``, its settings in ``settings/`` and what its manifest says
besides in ``manifest.yaml``. Any other folder is files of a repository. A step is one of:

- ``mlox``: a command, with ``code`` (0), ``says`` and ``says_not``, texts of what it prints; ``without``: programs that
  are not on the PATH meanwhile
- ``lay``: a folder that the user puts into the repository; ``write``: texts by path; ``delete``: paths;
  ``replace``: by path, a text and what the user makes of it
- ``tree``: the repository is what a folder says, or what it was at the step ``remember`` of that name
- ``git``: commands; ``python``: a script that ends well, with the repository's code on its path
"""

from __future__ import annotations

import ast
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from mlox.documents import load
from tests.registry_stage import git
from tests.shell_stage import Say

CASES = Path(__file__).parent / "hard_cases"
NOT_THE_USERS = {".git", ".gitignore", ".mlox", "__pycache__", "mlox.yaml", "mlx-components"}
UNTOUCHED = {1, 2}
"""Exit codes of commands that have changed nothing."""


@dataclass(frozen=True)
class Case:
    """One folder of ``hard_cases``."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def number(self) -> int:
        return int(self.name[:2])

    @cached_property
    def said(self) -> dict[str, Any]:
        said = load((self.folder / "case.yaml").read_text("utf-8"), source=self.name)
        assert isinstance(said, dict), self.name
        assert set(said) <= {"about", "steps", "proven_by", "xfail"}, self.name
        assert said["about"], self.name
        assert ("steps" in said) != ("proven_by" in said), self.name
        return said

    def templates(self) -> dict[str, dict[str, Path]]:
        """The folders of components, by name and version."""
        found: dict[str, dict[str, Path]] = {}
        for folder in sorted(self.folder.iterdir()):
            name, _, version = f"-{folder.name}".rpartition("-")
            if folder.is_dir() and version[:1] == "v" and version[1:].isdigit():
                found.setdefault(name.lstrip("-") or "parts", {})[f"{version[1:]}.0"] = folder
        return found


def all_cases() -> list[Case]:
    return [Case(path.parent) for path in sorted(CASES.glob("*/case.yaml"))]


@dataclass
class Stage:
    """A repository in which a case is played; its registry has every version of the case."""

    case: Case
    root: Path
    say: Say
    remembered: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def play(self) -> None:
        for name, versions in self.case.templates().items():
            for place, (version, folder) in enumerate(reversed(versions.items())):
                where = self.root / "mlx-components" / name
                offer(where if place == 0 else where / "versions" / version, name, version, folder)
        assert self.say("init", "churn").code == 0
        for number, step in enumerate(self.case.said["steps"], 1):
            what = next(iter(step))
            action: Callable[[dict[str, Any]], None] = getattr(self, f"_{what}")
            try:
                action(step)
            except AssertionError as error:
                error.add_note(f"{self.case.name}, step {number}: {what} {step[what]}")
                raise

    def tree(self, *, whole: bool = False) -> dict[str, bytes]:
        """The user's files; with ``whole`` also what mlox has written down, but not for this machine alone."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            parts = path.relative_to(self.root).parts
            mlox = whole and parts[0] in {".mlox", "mlox.yaml"} and parts[:2] != (".mlox", "local")
            if path.is_file() and (mlox or not NOT_THE_USERS.intersection(parts)):
                found["/".join(parts)] = path.read_bytes()
        return found

    def _mlox(self, step: Mapping[str, Any]) -> None:
        words = shlex.split(step["mlox"])
        before = self.tree(whole=True)
        parsed = {path for path, text in before.items() if path.endswith(".py") and is_python(text)}
        if words[0] != "check":
            self.say("--dry-run", *words)
            assert self.tree(whole=True) == before, "a dry run has changed something"
        with pytest.MonkeyPatch.context() as patch:
            if missing := listed(step.get("without")):
                folder = self.root.with_name("-".join([self.root.name, "without", *missing]))
                patch.setenv("PATH", str(path_without(missing, folder)))
            said = self.say("-y", *words)
        text = said.out + said.err
        assert said.code == step.get("code", 0), text
        for one in listed(step.get("says")):
            assert one in text, text
        for one in listed(step.get("says_not")):
            assert one not in text, text
        after = self.tree(whole=True)
        if said.code in UNTOUCHED:
            assert after == before, f"{text}\nhas changed something"
        assert not [path for path in parsed & after.keys() if not is_python(after[path])], "no Python any more"

    def _lay(self, step: Mapping[str, Any]) -> None:
        for name in listed(step["lay"]):
            shutil.copytree(self.case.folder / name, self.root, dirs_exist_ok=True)

    def _write(self, step: Mapping[str, Any]) -> None:
        for path, text in step["write"].items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())

    def _delete(self, step: Mapping[str, Any]) -> None:
        for path in listed(step["delete"]):
            target = self.root / path
            shutil.rmtree(target) if target.is_dir() else target.unlink()

    def _replace(self, step: Mapping[str, Any]) -> None:
        for path, (old, new) in step["replace"].items():
            text = (self.root / path).read_bytes()
            assert text.count(old.encode()) == 1, f"{path} has {old!r} {text.count(old.encode())} times"
            (self.root / path).write_bytes(text.replace(old.encode(), new.encode()))

    def _remember(self, step: Mapping[str, Any]) -> None:
        self.remembered[step["remember"]] = self.tree()

    def _tree(self, step: Mapping[str, Any]) -> None:
        folder = self.case.folder / step["tree"]
        expected = self.remembered.get(step["tree"]) or files_of(folder)
        found = self.tree()
        assert sorted(found) == sorted(expected)
        for path, text in expected.items():
            assert found[path].decode("utf-8", "replace") == text.decode("utf-8", "replace"), path
        assert found == expected

    def _git(self, step: Mapping[str, Any]) -> None:
        for command in listed(step["git"]):
            git(self.root, *shlex.split(command))

    def _python(self, step: Mapping[str, Any]) -> None:
        path = os.pathsep.join([str(self.root / "src"), str(self.root)])
        done = subprocess.run(
            [sys.executable, "-B", "-c", step["python"]],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr


def path_without(programs: Sequence[str], folder: Path) -> Path:
    """A folder with a link to every program but ``programs``, made once."""
    found: dict[str, Path] = {}
    for place in [] if folder.exists() else [Path(one) for one in reversed(os.get_exec_path()) if Path(one).is_dir()]:
        found |= {path.name: path for path in place.iterdir()}
    folder.mkdir(exist_ok=True)
    for name in found.keys() - set(programs):
        (folder / name).symlink_to(found[name])
    return folder


def offer(where: Path, name: str, version: str, folder: Path) -> None:
    """Lay a version of a component into a registry, with the manifest that its files ask for."""
    package = name.replace("-", "_")
    own = {path: text for path, text in files_of(folder).items() if path != "manifest.yaml"}
    tests = [path.removeprefix("tests/") for path in own if path.startswith("tests/")]
    extends = [path.removeprefix("extends/") for path in own if path.startswith("extends/")]
    settings = [path.removeprefix("settings/") for path in own if path.startswith("settings/")]
    settings = [path.replace("env.example", ".env.example") for path in settings]
    code = {path: text for path, text in own.items() if not path.startswith(("tests/", "extends/", "settings/"))}
    code = {"__init__.py": b""} | code
    lines = [f"name: {name}", f'version: "{version}"', "summary: a part", f"package: {package}", "imports: part"]
    lines += [f"files: [{', '.join(code)}]", f"tests: [{', '.join(tests)}]", f"extends: [{', '.join(extends)}]"]
    lines += [f"settings: [{', '.join(settings)}]"] if settings else []
    more = folder / "manifest.yaml"
    manifest = "\n".join([*lines, more.read_text("utf-8") if more.exists() else ""])
    laid = {f"src/project/{package}/{path}": text for path, text in code.items()}
    laid |= {path: text for path, text in own.items() if path not in code}
    for path, text in (laid | {"component.yaml": manifest.encode()}).items():
        target = where / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)


def files_of(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def listed(value: object) -> list[str]:
    """One text, or a list of them."""
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def is_python(text: bytes) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
