"""A process that changes components and is ended at any call which changes the disk; and what is found then.

Points are the calls of ``os`` through which files change or are made sure of, and both halves of every write. Before
a point is after the one before it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Self

from mlox.errors import MloxError
from tests.component_stage import Shop, offer, template_files
from tests.journal_stage import STEPS
from tests.kills_cases import CASES

ROOT = Path(__file__).parents[1]
When = Literal["before", "after", "interrupt", "copied"]
"""How it is ended at a point; ``copied``: it goes on, but the workspace as it is there is put aside before it does."""
WHENS: tuple[When, ...] = ("before", "after", "interrupt")
ENDED = 9
LAST = 9999
"""A point that no case reaches."""
PROJECT = '[project]\nname = "churn"\ndependencies = [\n    "rich",\n]\n'
ONLY_THIS_MACHINE = (".mlox/local/undo", ".mlox/local/incoming")
"""What of this machine's own belongs to a change too."""


def laid_out(root: Path, case: str) -> Path:
    """A workspace before the case: a project with its own files."""
    root.mkdir(parents=True)
    offer(root, template_files())
    shop = Shop(root)
    shop.put("pyproject.toml", PROJECT)
    shop.put("src/churn/model.py", "x = 1\n")
    CASES[case].lay_out(shop)
    return root


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a workspace, and what belongs to a change of those that git ignores."""
    files = {path: text for path, text in Shop(root).tree().items() if text is not None}
    for folder in ONLY_THIS_MACHINE:
        found = (path for path in (root / folder).rglob("*") if path.is_file())
        files |= {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
    return files


def after(template: Path, case: str, scratch: Path) -> dict[str, bytes]:
    """What a workspace holds when the case came to its end."""
    root = scratch / "churn"
    shutil.copytree(template, root)
    CASES[case].act(Shop(root))
    return contents(root)


def killed(template: Path, case: str, when: When, roots: Path, points: Iterable[int] | None = None) -> list[Path]:
    """Copies of a workspace in which the case was ended at each of ``points``, by default at all of them."""
    if when == "copied":
        points = [LAST]
    chosen = "all" if points is None else ",".join(map(str, points))
    roots.mkdir()
    (roots / "temporary").mkdir()
    command = (sys.executable, "-m", "tests.kills_stage", str(template), str(roots), case, when, chosen)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(roots / "temporary")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return sorted(roots.glob("*/churn"))


def counted(template: Path, case: str, scratch: Path) -> int:
    """How many points a case has."""
    scratch.mkdir()
    killed(template, case, "before", scratch / "roots", [LAST])
    return int((scratch / "roots" / "points").read_text())


def found_old_or_new(root: Path, case: str, old: dict[str, bytes], new: dict[str, bytes], *, again: bool) -> str:
    """Which of both the next verb finds: one that only looks or, with ``again``, the same one; it can be done then."""
    if again:
        try:
            CASES[case].act(Shop(root))
        except MloxError as error:  # it was done already, which the same verb may not do twice
            told = error.problem
        else:
            told = ""
        Shop(root).components.rows()
        assert contents(root) == new, f"{case}, {root.parent.name}: neither done nor done again: {told}"
        return "new"
    Shop(root).components.rows()
    left = contents(root)
    assert left in (old, new), f"{case}, {root.parent.name}: {differing(left, old)}; {differing(left, new)}"
    if left == new:
        return "new"
    CASES[case].act(Shop(root))
    assert contents(root) == new, f"{case}, {root.parent.name}: it cannot be done afterwards"
    return "old"


def on_disk(root: Path) -> frozenset[tuple[str, bytes]]:
    """All that is left of a workspace, the journal too; names that are made up at random are told alike."""
    files = (path for path in root.rglob("*") if path.is_file())
    return frozenset(
        (re.sub(r"[0-9a-f]{8,16}(?=/|\.tmp)", "*", path.relative_to(root).as_posix()), path.read_bytes())
        for path in files
    )


def differing(left: dict[str, bytes], right: dict[str, bytes]) -> list[str]:
    return sorted(path for path in {*left, *right} if left.get(path) != right.get(path))


class _Halves:
    """A file that writes in two steps, each of which counts."""

    def __init__(self, file: Any, step: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self._file, self._write = file, step(self._flushed)

    def _flushed(self, part: Any) -> None:
        self._file.write(part)
        self._file.flush()

    def write(self, content: Any) -> int:
        self._write(content[: len(content) // 2])
        self._write(content[len(content) // 2 :])
        return len(content)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Ending:
    """Ends this process at one point or, where it is to be copied, puts the workspace aside at every point."""

    def __init__(self, root: Path, at: int, when: str) -> None:
        self.root, self.seen, self.at, self.when, self.copying = root, -1, at, when, False

    def step(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if self.copying:
                return function(*arguments, **options)
            self.seen += 1
            here = self.seen == self.at
            if self.when == "copied":
                self.copy()
            elif here and self.when == "interrupt":
                raise KeyboardInterrupt
            elif here and self.when == "before":
                os._exit(ENDED)
            try:
                return function(*arguments, **options)
            finally:
                if here:
                    os._exit(ENDED)

        return call

    def copy(self) -> None:
        self.copying = True
        shutil.copytree(self.root, self.root.parents[1] / f"{self.seen:04d}" / self.root.name)
        self.copying = False

    def instrument(self) -> None:
        for name in STEPS:
            # A kill, unlike a power cut, loses nothing that was written: no need to wait for the disk.
            real = (lambda _: None) if name == "fsync" else getattr(os, name)
            setattr(os, name, self.step(real))
        opened = os.fdopen
        setattr(os, "fdopen", lambda *words, **options: _Halves(opened(*words, **options), self.step))  # noqa: B010


def _child(root: Path, case: str, when: str, at: int, told: Path) -> None:
    ending = _Ending(root, at, when)
    shop = Shop(root)
    ending.instrument()
    try:
        CASES[case].act(shop)
    except KeyboardInterrupt:
        os._exit(ENDED)
    told.write_text(str(ending.seen + 1))
    os._exit(0 if ending.seen < at else ENDED)


def main(template: str, roots: str, case: str, when: str, chosen: str) -> None:
    """End a child for each point at that point; where all are asked for, until one comes to its end."""
    numbers = range(LAST) if chosen == "all" else [int(one) for one in chosen.split(",")]
    for number in numbers:
        root = Path(roots) / f"{number:04d}" / "churn"
        shutil.copytree(template, root)
        if (child := os.fork()) == 0:
            _child(root, case, when, number, Path(roots) / "points")
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code not in (0, ENDED):
            sys.exit(code)
        if code == 0:
            break


if __name__ == "__main__":
    main(*sys.argv[1:])
